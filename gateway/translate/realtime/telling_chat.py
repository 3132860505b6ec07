"""A response outside the conversation as a chat completion's request, in OpenAI's own words."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from gateway.errors import InvalidRequest
from gateway.openai.realtime.items import Content, Item, NewItem
from gateway.translate.realtime.config import Config
from gateway.translate.realtime.telling_glm import MAX_OUTPUT_TOKENS, NO_PARAMETERS

READ_OUT = "What you write is read out: write plain sentences, as they are spoken."

encode = msgspec.json.Encoder().encode


def chat_request(config: Config, items: Sequence[Item | NewItem], *, model: str) -> bytes:
    """Return the request that ``items`` and the instructions make; raise InvalidRequest for what is no text."""
    instructions = f"{config.instructions}\n\n{READ_OUT}" if config.spoken else config.instructions
    messages = [*messages_of(items)]
    # GLM answers nobody who says nothing: without a message, the instructions are one.
    messages.insert(0, {"role": "system" if messages else "user", "content": instructions})
    limit = config.max_output_tokens
    request: dict[str, Any] = {
        "model": model,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": MAX_OUTPUT_TOKENS if limit == "inf" else limit,
        # Who listens does not wait for thoughts.
        "reasoning_effort": "none",
    }
    if config.temperature is not None:
        request["temperature"] = config.temperature
    if config.tools and config.tool_choice != "none":
        request["tools"] = [*map(function_of, config.tools)]
        choice = config.tool_choice
        request["tool_choice"] = (
            choice if isinstance(choice, str) else {"type": "function", "function": {"name": choice.name}}
        )
    return encode(request)


def function_of(tool: Any) -> dict[str, Any]:
    function = {
        "name": tool.name,
        "description": tool.description or "",
        "parameters": tool.parameters or NO_PARAMETERS,
    }
    return {"type": "function", "function": function}


def messages_of(items: Sequence[Item | NewItem]) -> Iterator[dict[str, Any]]:
    """Give the messages that items make; a call that nobody answered is left out, as is an output of none."""
    called = {item.call_id for item in items if item.type == "function_call"}
    answered = {item.call_id for item in items if item.type == "function_call_output"} & called
    for number, item in enumerate(items):
        if item.type == "message":
            text = text_of(item, at=f"response.input[{number}]")
            if text:
                yield {"role": item.role or "user", "content": text}
        elif item.call_id in answered:
            yield call_of(item) if item.type == "function_call" else output_of(item)


def call_of(item: Item | NewItem) -> dict[str, Any]:
    function = {"name": item.name or "", "arguments": item.arguments or "{}"}
    call = {"id": item.call_id, "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def output_of(item: Item | NewItem) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": item.call_id, "content": item.output or ""}


def text_of(item: Item | NewItem, *, at: str) -> str:
    return "\n".join(filter(None, (words_of(part, at=at) for part in item.content or ())))


def words_of(part: Content, *, at: str) -> str:
    """Return what a part says; raise InvalidRequest for one that has no words."""
    if part.text or part.transcript:
        return part.text or part.transcript or ""
    if part.type == "input_image" or part.audio:
        raise InvalidRequest(
            f"'{at}' has sound or a picture; responses outside the conversation answer text only. Send its words.",
            param=at,
            code="unsupported_value",
        )
    return ""
