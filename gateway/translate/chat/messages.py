"""Conversations: OpenAI's six kinds of message to GLM's four roles."""

from collections.abc import Mapping, Sequence

from msgspec import UNSET

from gateway.catalog import ChatTraits, Model
from gateway.errors import InvalidRequest
from gateway.glm import chat as glm
from gateway.openai import chat as openai
from gateway.translate.chat.content import check_counts, text_of, user_content
from gateway.translate.chat.tools import wrap_custom_input

LEGACY_CALL_ID = "call_function_{}"


def to_glm(messages: Sequence[openai.Message], *, model: Model, recalled: Mapping[str, str]) -> list[glm.Message]:
    """
    Return the conversation in GLM's terms.

    ``recalled`` holds reasoning by tool-call id, for clients that drop it between tool turns. Raises
    InvalidRequest naming the message that GLM cannot take.
    """
    converted = [
        convert(message, model=model, recalled=recalled, legacy_id=LEGACY_CALL_ID.format(calls), param=param)
        for calls, message, param in numbered(messages)
    ]
    check_counts(converted, model=model)
    return with_question(converted)


def numbered(messages: Sequence[openai.Message]) -> list[tuple[int, openai.Message, str]]:
    """Pair each message with its address and with the number of deprecated function calls up to it."""
    calls = 0
    rows = []
    for index, message in enumerate(messages):
        calls += isinstance(message, openai.AssistantMessage) and message.function_call is not None
        rows.append((calls, message, f"messages[{index}]"))
    return rows


def convert(
    message: openai.Message, *, model: Model, recalled: Mapping[str, str], legacy_id: str, param: str
) -> glm.Message:
    match message:
        case openai.UserMessage(content=content):
            text = user_content(content, model=model, param=f"{param}.content")
            return glm.Message(role="user", content=text)
        case openai.AssistantMessage():
            return assistant(message, model=model, recalled=recalled, legacy_id=legacy_id, param=param)
        case openai.SystemMessage(content=content) | openai.DeveloperMessage(content=content):
            return glm.Message(role="system", content=text_of(content, param=f"{param}.content"))
        case openai.ToolMessage(content=content, tool_call_id=call_id):
            text = text_of(content, param=f"{param}.content")
            return glm.Message(role="tool", content=text, tool_call_id=call_id)
        case openai.FunctionMessage(content=content):
            text = text_of(content, param=f"{param}.content")
            return glm.Message(role="tool", content=text, tool_call_id=legacy_id)


def assistant(
    message: openai.AssistantMessage, *, model: Model, recalled: Mapping[str, str], legacy_id: str, param: str
) -> glm.Message:
    calls = [tool_call(call) for call in message.tool_calls or ()]
    if message.function_call is not None:
        calls.append(function_call(message.function_call, call_id=legacy_id))
    audio = message.audio if "audio" in model.inputs else None
    text = text_of(message.content, param=f"{param}.content") or message.refusal or ""
    if message.content is None and not (text or calls or audio):
        raise InvalidRequest("An assistant message needs 'content' or 'tool_calls'.", param=f"{param}.content")
    thinks = (model.chat or ChatTraits()).thinking != "none"
    reasoning = reasoning_of(message, recalled=recalled) if thinks else None
    return glm.Message(
        role="assistant",
        content=text,
        reasoning_content=reasoning or UNSET,
        tool_calls=calls or UNSET,
        audio=glm.AudioReference(id=audio.id) if audio is not None else UNSET,
    )


def reasoning_of(message: openai.AssistantMessage, *, recalled: Mapping[str, str]) -> str | None:
    """Return the reasoning the client sent back, unmodified, or else what was kept for its tool calls."""
    if message.reasoning_content is not None:
        return message.reasoning_content
    found = (recalled.get(call.id) for call in message.tool_calls or ())
    return next((reasoning for reasoning in found if reasoning), None)


def reasoning_to_recall(messages: Sequence[openai.Message]) -> list[str]:
    """Return the ids of tool calls whose reasoning the client did not send back."""
    return [
        call.id
        for message in messages
        if isinstance(message, openai.AssistantMessage) and message.reasoning_content is None
        for call in message.tool_calls or ()
    ]


def tool_call(call: openai.FunctionToolCall | openai.CustomToolCall) -> glm.ToolCall:
    match call:
        case openai.FunctionToolCall(id=call_id, function=function):
            return function_call(function, call_id=call_id)
        case openai.CustomToolCall(id=call_id, custom=custom):
            arguments = wrap_custom_input(custom.input)
            return glm.ToolCall(id=call_id, function=glm.FunctionCall(name=custom.name, arguments=arguments))


def function_call(call: openai.FunctionCall, *, call_id: str) -> glm.ToolCall:
    return glm.ToolCall(id=call_id, function=glm.FunctionCall(name=call.name, arguments=call.arguments))


def with_question(messages: list[glm.Message]) -> list[glm.Message]:
    """
    Return a conversation that GLM answers: it refuses one of only system or only assistant messages (1214).

    A conversation of instructions alone is a question to OpenAI's models, so the last instruction is asked.
    """
    if any(message.role in ("user", "tool") for message in messages):
        return messages
    last = messages[-1]
    if last.role != "system":
        raise InvalidRequest("GLM needs at least one user message in the conversation.", param="messages")
    return [*messages[:-1], glm.Message(role="user", content=last.content)]


def with_instruction(messages: list[glm.Message], instruction: str) -> list[glm.Message]:
    """Return the conversation with ``instruction`` at the end of its first system message."""
    first = messages[0]
    if first.role == "system" and isinstance(first.content, str):
        content = f"{first.content}\n\n{instruction}" if first.content else instruction
        return [glm.Message(role="system", content=content), *messages[1:]]
    return [glm.Message(role="system", content=instruction), *messages]
