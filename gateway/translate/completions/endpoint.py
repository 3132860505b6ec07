"""The completion endpoint: reads a request, and makes the job it becomes."""

from typing import Any

from msgspec.structs import replace

from gateway.errors import GatewayError, InvalidRequest
from gateway.openai import completions as openai
from gateway.openai.chat import requests as chat
from gateway.openai.chat.messages import UserMessage
from gateway.translate.chat.endpoint import Prepared, prepare
from gateway.translate.completions.job import CompletionJob
from gateway.translate.completions.params import COMPLETIONS
from gateway.translate.endpoint import Context, Endpoint, Incoming
from gateway.translate.params import map_params
from gateway.translate.requests import Reader

MAX_TEXTS = 128
SHARED = ("stream", "stream_options", "temperature", "top_p", "max_tokens", "stop", "user")
ZHIPUS = ("do_sample", "request_id", "thinking", "user_id")

read_request = Reader(openai.CreateCompletionRequest).read


def read(body: bytes) -> Incoming:
    """Return the request in ``body``; raise InvalidRequest naming the field that is wrong."""
    request, present = read_request(body)
    return Incoming(request=request, present=present, model=request.model, stream=bool(request.stream))


def begin(incoming: Incoming, context: Context) -> CompletionJob:
    """Return the job for a request; raise InvalidRequest for what GLM cannot do."""
    request: openai.CreateCompletionRequest = incoming.request
    draft = map_params(
        request, present=incoming.present, table=COMPLETIONS, context=context, strict=context.strict
    )
    prompts = [request.prompt] if isinstance(request.prompt, str) else request.prompt
    count = request.n or 1
    if count * len(prompts) > MAX_TEXTS:
        raise InvalidRequest(
            f"That makes {count * len(prompts)} texts; there may be {MAX_TEXTS} at a time.", param="n"
        )
    prepared = [conversation(prompt, request, context) for prompt in prompts]
    return CompletionJob(
        [one.asked for one in prepared for _ in range(count)],
        plan=replace(prepared[0].plan, id=f"cmpl-{context.id}"),
        ignored=[*draft.ignored, *prepared[0].ignored],
    )


def conversation(prompt: str, request: openai.CreateCompletionRequest, context: Context) -> Prepared:
    """Return the chat of one prompt."""
    fields: dict[str, Any] = {
        name: value for name in (*SHARED, *ZHIPUS) if (value := getattr(request, name)) is not None
    }
    fields |= {"model": request.model, "messages": [UserMessage(content=prompt)]}
    if request.thinking is None and context.model.chat_traits.thinking == "switch":
        fields["thinking"] = chat.Thinking(type="disabled")
    asked = chat.CreateChatCompletionRequest(**fields)
    try:
        return prepare(asked, present=list(fields), context=context, strict=False)
    except GatewayError as error:
        raise about_prompt(error) from None


def about_prompt(error: GatewayError) -> GatewayError:
    """Return an error about messages as one about the prompt that they were made of."""
    if error.param is not None and error.param.startswith("messages"):
        error.param = "prompt"
    return error


ENDPOINT = Endpoint(operation="completions", path="/chat/completions", read=read, begin=begin, needs="chat")
"""``POST /v1/completions``, served by ``POST /chat/completions``."""
