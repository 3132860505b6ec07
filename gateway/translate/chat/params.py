"""The fate of every parameter of a chat completion, and how the ones that change are converted."""

import hashlib

from gateway.errors import InvalidRequest
from gateway.glm import chat as glm
from gateway.openai.chat import requests as openai
from gateway.translate.chat import messages, tools
from gateway.translate.chat.listened import with_recordings
from gateway.translate.chat.reasoning import convert_reasoning
from gateway.translate.chat.spoken import check_speaking, form_of
from gateway.translate.endpoint import Context
from gateway.translate.params import (
    MODEL,
    NOT_IN_GLM,
    Convert,
    Converted,
    Draft,
    Ignored,
    Refused,
    Renamed,
    Rule,
    Same,
)

Request = openai.CreateChatCompletionRequest

MIN_USER_ID_CHARACTERS = 6
MAX_USER_ID_CHARACTERS = 128


def convert_messages(request: Request, context: Context, draft: Draft) -> None:
    model = context.model
    conversation = with_recordings(request.messages) if "audio" in model.inputs else request.messages
    draft.fields["messages"] = messages.to_glm(
        conversation, model=model, recalled=context.recalled, now=context.created
    )
    for message in request.messages:
        if message.name is not None and message.role != "function":
            draft.ignored.append("messages[].name")
            break


def convert_sampling(request: Request, _: Context, draft: Draft) -> None:
    """
    Keep temperature and top_p within GLM's ranges and two decimals; temperature 0 is greedy decoding.

    Source: docs.bigmodel.cn, chat completion reference, and the OpenAI compatibility page, which says that 0
    does not apply and ``do_sample`` false is to be used.
    """
    if request.do_sample is not None:
        draft.fields["do_sample"] = request.do_sample
    if request.temperature == 0 and not request.do_sample:
        draft.fields["do_sample"] = False
    elif request.temperature is not None:
        draft.fields["temperature"] = within(request.temperature, lowest=0.01, highest=1.0)
    if request.top_p is not None:
        draft.fields["top_p"] = within(request.top_p, lowest=0.01, highest=1.0)


def within(value: float, *, lowest: float, highest: float) -> float:
    # By way of hundredths, as ``round`` to two digits goes by way of decimal text.
    return min(highest, max(lowest, round(value * 100) / 100))


def convert_max_tokens(request: Request, context: Context, draft: Draft) -> None:
    """Ask for no more than the model gives: GLM refuses a larger number (1210) where OpenAI would cap it."""
    asked = request.max_completion_tokens or request.max_tokens
    limit = context.model.max_output_tokens
    if asked is not None:
        draft.fields["max_tokens"] = asked if limit is None else min(asked, limit)


def convert_stop(request: Request, context: Context, draft: Draft) -> None:
    words = [request.stop] if isinstance(request.stop, str) else list(dict.fromkeys(request.stop or ()))
    if not words:
        return
    if "" in words:
        raise InvalidRequest("A stop word may not be empty.", param="stop", code="invalid_value")
    allowed = context.model.chat_traits.stop_words
    if len(words) > allowed:
        raise InvalidRequest(
            f"{context.model.id} heeds {allowed} stop word; there are {len(words)}. Keep the one that matters.",
            param="stop",
            code="unsupported_value",
        )
    draft.fields["stop"] = words


def convert_tools(request: Request, context: Context, draft: Draft) -> None:
    """Offer the tools that may be called, and have the arguments of calls streamed where the model can."""
    offered = tools.to_glm(tools.offer_of(request).tools, model=context.model)
    if request.web_search_options is not None:
        tools.require(context.model, "web_search", param="web_search_options")
        offered.append(tools.web_search_of(request.web_search_options))
        if request.web_search_options.user_location is not None:
            draft.ignored.append("web_search_options.user_location")
    if offered:
        draft.fields["tools"] = offered
        draft.ignored.extend(tools.without_effect(request))
    has_functions = any(isinstance(tool, glm.FunctionTool) for tool in offered)
    if has_functions and request.stream and context.model.chat_traits.tool_stream:
        # Without it the arguments of a call come in one piece after minutes of silence.
        draft.fields["tool_stream"] = request.tool_stream is not False
    elif request.tool_stream:
        draft.ignored.append("tool_stream")


def convert_response_format(request: Request, context: Context, draft: Draft) -> None:
    asks_for_json = isinstance(request.response_format, openai.JsonObjectFormat | openai.JsonSchemaFormat)
    if asks_for_json and context.model.chat_traits.json_object:
        draft.fields["response_format"] = glm.ResponseFormat(type="json_object")


def convert_user(request: Request, _: Context, draft: Draft) -> None:
    """Send the end user's id within GLM's 6 to 128 characters: padded when shorter, hashed when longer."""
    user = request.user_id or request.safety_identifier or request.user
    if not user:
        return
    if len(user) > MAX_USER_ID_CHARACTERS:
        user = hashlib.sha256(user.encode()).hexdigest()
    draft.fields["user_id"] = user if len(user) >= MIN_USER_ID_CHARACTERS else f"user-{user}"


def convert_watermark(request: Request, context: Context, draft: Draft) -> None:
    if "audio" in context.model.outputs:
        draft.fields["watermark_enabled"] = request.watermark_enabled
    else:
        draft.ignored.append("watermark_enabled")


def convert_speaking(request: Request, context: Context, draft: Draft) -> None:
    """Have the answer spoken; GLM has one voice, and says in its own format what is converted later."""
    check_speaking(request, model=context.model)
    if request.audio is None:
        return
    if form_of(request) is None:
        draft.ignored.append("audio")
    elif request.audio.voice is not None:
        draft.ignored.append("audio.voice")


CHAT: dict[str, Rule] = {
    "model": MODEL,
    "messages": Converted(
        "messages",
        by=convert_messages,
        note="`developer` becomes `system`, text parts one string, data URIs bare base64, recordings of any kind "
        "wav or mp3; `detail` is dropped, `name` is ignored",
    ),
    "stream": Same(),
    "stream_options": Converted("", note="`include_usage` as at OpenAI; obfuscation is never sent"),
    "n": Converted("", note="1 to 8 calls side by side, a slot each"),
    "temperature": Converted(
        "temperature, do_sample",
        by=convert_sampling,
        note="above 1 is 1; two decimals; 0 is `do_sample: false`",
    ),
    "top_p": Converted("top_p", by=convert_sampling, note="0.01 to 1, two decimals"),
    "max_tokens": Converted("max_tokens", by=convert_max_tokens, note="capped at the model's output limit"),
    "max_completion_tokens": Renamed(
        "max_tokens", by=convert_max_tokens, note="capped at the model's output limit"
    ),
    "stop": Converted("stop", by=convert_stop, note="one word; more are refused"),
    "reasoning_effort": Converted(
        "thinking, reasoning_effort", by=convert_reasoning, note="what the model's row in the catalogue takes"
    ),
    "response_format": Converted(
        "response_format",
        by=convert_response_format,
        note="`json_schema` by instruction, validated here, mended once; `json_object` alike where GLM has none, "
        "else without the code fences that GLM likes to put around it",
    ),
    "tools": Converted(
        "tools",
        by=convert_tools,
        note="missing descriptions and parameters are filled in; `custom` is wrapped; `strict` is ignored",
    ),
    "tool_choice": Converted(
        "tools",
        by=convert_tools,
        note="`none` sends no tools; `required` and names are instructed and checked",
    ),
    "parallel_tool_calls": Converted("", note="false keeps the first call only"),
    "functions": Converted("tools", by=convert_tools, note="the deprecated form, answered in kind"),
    "function_call": Converted("tools", by=convert_tools, note="the deprecated form of `tool_choice`"),
    "web_search_options": Converted(
        "tools", by=convert_tools, note="Zhipu's `web_search`; its results become `annotations`"
    ),
    "user": Renamed("user_id", by=convert_user, note="padded or hashed to 6–128 characters"),
    "safety_identifier": Renamed("user_id", by=convert_user, note="padded or hashed to 6–128 characters"),
    "modalities": Converted("", by=convert_speaking, note="with `audio` the answer is spoken; glm-4-voice only"),
    "audio": Converted(
        "",
        by=convert_speaking,
        note="wav, mp3, flac, opus, aac or pcm16, which alone streams; `voice` is ignored: GLM has one",
    ),
    "logprobs": Refused("GLM tells no log probabilities. Leave 'logprobs' out.", neutral=(False,)),
    "top_logprobs": Refused("GLM tells no log probabilities. Leave 'top_logprobs' out.", neutral=(0,)),
    "frequency_penalty": Ignored(NOT_IN_GLM, neutral=(0,)),
    "presence_penalty": Ignored(NOT_IN_GLM, neutral=(0,)),
    "logit_bias": Ignored(NOT_IN_GLM, neutral=({},)),
    "seed": Ignored("GLM's sampling takes no seed."),
    "metadata": Ignored("Nothing is stored.", neutral=({},)),
    "store": Ignored("Nothing is stored.", neutral=(False,)),
    "moderation": Ignored("GLM moderates by its own rules."),
    "prediction": Ignored(NOT_IN_GLM),
    "prompt_cache_key": Ignored("GLM caches by itself."),
    "prompt_cache_options": Ignored("GLM caches by itself."),
    "prompt_cache_retention": Ignored("GLM caches by itself."),
    "service_tier": Ignored(NOT_IN_GLM, neutral=("auto", "default")),
    "verbosity": Ignored(NOT_IN_GLM, neutral=("medium",)),
    "do_sample": Converted("do_sample", by=convert_sampling, note="Zhipu's own"),
    "request_id": Same("Zhipu's own; with `n` it goes with the first call"),
    "thinking": Converted("thinking", by=convert_reasoning, note="Zhipu's own; wins over `reasoning_effort`"),
    "tool_stream": Converted(
        "tool_stream", by=convert_tools, note="Zhipu's own; on by itself for streams with tools"
    ),
    "user_id": Converted("user_id", by=convert_user, note="Zhipu's own; wins over `user`"),
    "watermark_enabled": Converted("watermark_enabled", by=convert_watermark, note="Zhipu's own; voice only"),
}
"""One row for every field of a request; in the order in which the README lists them."""

ALWAYS: tuple[Convert, ...] = (convert_reasoning,)
"""Conversions that run even when none of their fields came, because a tenant may have a default."""
