"""The fate of every parameter of a response; what is converted goes on to the translation of chat."""

from gateway.errors import InvalidRequest
from gateway.openai.responses.requests import CreateResponse
from gateway.translate.endpoint import Context
from gateway.translate.params import MODEL, NOT_IN_GLM, Converted, Draft, Ignored, Refused, Rule, refuse_unknown

AS_IN_CHAT = "as in chat"

SEALED = "reasoning.encrypted_content"
SOURCES = "web_search_call.action.sources"
LOGPROBS = "message.output_text.logprobs"
INCLUDED = frozenset({SEALED, SOURCES, "message.input_image.image_url"})
"""What an answer is told with where it is asked for; pictures of the input are kept as they came."""


def convert_include(request: CreateResponse, context: Context, draft: Draft) -> None:
    """List what is asked for besides the answer and cannot be had; most is of tools that are refused anyway."""
    for index, what in enumerate(request.include or ()):
        if what == LOGPROBS:
            raise InvalidRequest(
                f"GLM tells no log probabilities. Leave '{LOGPROBS}' out of 'include'.",
                param="include",
                code="unsupported_value",
            )
        if what not in INCLUDED:
            refuse_unknown(f"include[{index}]", strict=context.strict)
            draft.ignored.append(f"include[{index}]")


RESPONSES: dict[str, Rule] = {
    "model": MODEL,
    "input": Converted(
        "messages",
        note="a string, or items: messages, reasoning, calls, their results, references; others are refused",
    ),
    "instructions": Converted("messages", note="the first `system` message; not carried over, as at OpenAI"),
    "previous_response_id": Converted("messages", note="the conversation that was kept, and its answer"),
    "store": Converted("", note="true by default: kept for the same tenant, for a while, in bounded room"),
    "background": Converted("", note="the answer is made after the reply, and fetched or cancelled by its id"),
    "stream": Converted("stream", note="every event with its number"),
    "stream_options": Converted("", note="obfuscation is never sent"),
    "include": Converted(
        "",
        by=convert_include,
        note="`reasoning.encrypted_content` and `web_search_call.action.sources`; log probabilities are refused, "
        "anything else is ignored",
    ),
    "max_output_tokens": Converted("max_tokens", note="capped at the model's output limit"),
    "temperature": Converted("temperature, do_sample", note=AS_IN_CHAT),
    "top_p": Converted("top_p", note=AS_IN_CHAT),
    "reasoning": Converted(
        "thinking, reasoning_effort",
        note="`effort` as in chat; with `summary` the model's own words are told as the summary",
    ),
    "text": Converted(
        "response_format", note="`format` as `response_format` in chat; `verbosity` is ignored unless `medium`"
    ),
    "tools": Converted(
        "tools",
        note="`function`, `custom` (a grammar is told, not enforced), `namespace`, `web_search`, and Zhipu's own; "
        "other hosted tools are refused by name",
    ),
    "tool_choice": Converted("tools", note="as in chat; `allowed_tools` offers only those"),
    "parallel_tool_calls": Converted("", note="false keeps the first call only"),
    "metadata": Converted("", note="told and kept with the response"),
    "user": Converted("user_id", note="padded or hashed to 6–128 characters"),
    "safety_identifier": Converted("user_id", note="padded or hashed to 6–128 characters"),
    "conversation": Refused(
        "Conversations are not kept here. Leave 'conversation' out, and pass 'previous_response_id' or the items."
    ),
    "prompt": Refused("Prompt templates are not kept here. Send their text as 'instructions' and 'input'."),
    "top_logprobs": Refused("GLM tells no log probabilities. Leave 'top_logprobs' out.", neutral=(0,)),
    "max_tool_calls": Ignored("It bounds calls of hosted tools; Zhipu's search has no such bound."),
    "truncation": Ignored("GLM refuses what is too long; nothing is dropped.", neutral=("disabled",)),
    "context_management": Ignored("Nothing is compacted."),
    "prompt_cache_key": Ignored("GLM caches by itself."),
    "prompt_cache_options": Ignored("GLM caches by itself."),
    "prompt_cache_retention": Ignored("GLM caches by itself."),
    "service_tier": Ignored(NOT_IN_GLM, neutral=("auto", "default")),
    "background_options": Ignored(NOT_IN_GLM),
    "access_programs": Ignored(NOT_IN_GLM),
    "client_metadata": Ignored("It is meant for OpenAI."),
    "image": Ignored(NOT_IN_GLM),
    "moderation": Ignored("GLM moderates by its own rules."),
    "do_sample": Converted("do_sample", note="Zhipu's own"),
    "request_id": Converted("request_id", note="Zhipu's own"),
    "thinking": Converted("thinking", note="Zhipu's own; wins over `reasoning`"),
    "tool_stream": Converted("tool_stream", note="Zhipu's own; on by itself for streams with tools"),
    "user_id": Converted("user_id", note="Zhipu's own; wins over `user`"),
}
"""One row for every field of a request; in the order in which the README lists them."""
