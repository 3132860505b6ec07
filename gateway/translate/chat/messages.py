"""Conversations: OpenAI's six kinds of message to GLM's four roles."""

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import UNSET, Struct

from gateway.catalog import Model
from gateway.errors import InvalidRequest
from gateway.glm import chat as glm
from gateway.openai.chat import messages as openai
from gateway.translate.chat import audio_ids
from gateway.translate.chat.claims import untagged
from gateway.translate.chat.content import check_counts, text_of, user_content
from gateway.translate.chat.tools import wrap_custom_input

LEGACY_CALL_ID = "call_function_{}"

SPEAKERS: dict[str, Literal["system", "user"]] = {"system": "system", "developer": "system", "user": "user"}
"""What GLM calls those whose text goes there as it is."""


class Setting(Struct, frozen=True):
    """
    What a message is converted for: ``model``, at ``now`` in Unix seconds.

    ``recalled`` holds reasoning by tool-call id, for clients that drop it between tool turns, and what is known of
    earlier spoken answers.
    """

    model: Model
    recalled: Mapping[str, str]
    now: int


def to_glm(
    messages: Sequence[openai.Message], *, model: Model, recalled: Mapping[str, str], now: int
) -> list[glm.Message]:
    """
    Return the conversation in GLM's terms; raise InvalidRequest naming the message that GLM cannot take.

    A user who says nothing is left out: GLM would refuse the whole for it (1213).
    """
    setting = Setting(model, recalled, now)
    converted: list[glm.Message] = []
    parts: list[glm.Part] = []
    legacy_calls = 0
    for index, message in enumerate(messages):
        content, speaker = message.content, SPEAKERS.get(message.role)
        if speaker is not None and isinstance(content, str):
            if content or speaker != "user":
                converted.append(glm.Message(role=speaker, content=content))
            continue
        if message.role == "assistant" and message.function_call is not None:
            legacy_calls += 1
        turn = convert(message, setting, legacy_calls=legacy_calls, param=f"messages[{index}]")
        if turn.content or turn.role != "user":
            converted.append(turn)
        if isinstance(turn.content, list):
            parts += turn.content
    check_counts(parts, model=model)
    return with_question(converted)


def convert(message: openai.Message, setting: Setting, *, legacy_calls: int, param: str) -> glm.Message:
    """
    Return a message in GLM's terms.

    ``legacy_calls`` counts the calls in the deprecated form up to it: they have no ids, and GLM needs some.
    """
    match message:
        case openai.UserMessage(content=content):
            text = user_content(content, model=setting.model, param=f"{param}.content")
            return glm.Message(role="user", content=text)
        case openai.AssistantMessage():
            return assistant(message, setting, legacy_calls=legacy_calls, param=param)
        case openai.SystemMessage(content=content) | openai.DeveloperMessage(content=content):
            return glm.Message(role="system", content=text_of(content, param=f"{param}.content"))
        case openai.ToolMessage(content=content, tool_call_id=call_id):
            text = text_of(content, param=f"{param}.content")
            return glm.Message(role="tool", content=text, tool_call_id=call_id)
        case openai.FunctionMessage(content=content):
            text = text_of(content, param=f"{param}.content")
            return glm.Message(role="tool", content=text, tool_call_id=LEGACY_CALL_ID.format(legacy_calls))


def assistant(message: openai.AssistantMessage, setting: Setting, *, legacy_calls: int, param: str) -> glm.Message:
    calls = [tool_call(call) for call in message.tool_calls or ()]
    if message.function_call is not None:
        calls.append(function_call(message.function_call, call_id=LEGACY_CALL_ID.format(legacy_calls)))
    text = text_of(message.content, param=f"{param}.content") or message.refusal or ""
    if message.audio is not None:
        return spoken(message.audio, setting, text=text, calls=calls, param=f"{param}.audio.id")
    if message.content is None and not (text or calls or message.reasoning_content):
        raise InvalidRequest("An assistant message needs 'content' or 'tool_calls'.", param=f"{param}.content")
    thinks = setting.model.chat_traits.thinking != "none"
    reasoning = reasoning_of(message, recalled=setting.recalled) if thinks else None
    return glm.Message(
        role="assistant",
        content=text,
        reasoning_content=reasoning or UNSET,
        tool_calls=calls or UNSET,
    )


def spoken(
    audio: openai.AudioReference, setting: Setting, *, text: str, calls: list[glm.ToolCall], param: str
) -> glm.Message:
    """Return an earlier spoken answer: by GLM's id where the model knows it, else by what was said in it."""
    known = audio_ids.named(audio, recalled=setting.recalled, now=setting.now)
    if known.id is not None and "audio" in setting.model.inputs:
        return glm.Message(
            role="assistant",
            content=text or UNSET,
            tool_calls=calls or UNSET,
            audio=glm.AudioReference(id=known.id),
        )
    if known.words is None and not (text or calls):
        raise audio_ids.unknown(param)
    return glm.Message(role="assistant", content=text or known.words or "", tool_calls=calls or UNSET)


def reasoning_of(message: openai.AssistantMessage, *, recalled: Mapping[str, str]) -> str | None:
    """Return the reasoning the client sent back, unmodified, or else what was kept for its tool calls."""
    if message.reasoning_content is not None:
        return message.reasoning_content
    found = (recalled.get(call.id) for call in message.tool_calls or ())
    return next((reasoning for reasoning in found if reasoning), None)


def to_recall(messages: Sequence[openai.Message]) -> list[str]:
    """Return the keys of what earlier answers left: reasoning that is not sent back, and what was spoken."""
    keys: list[str] = []
    for message in messages:
        if message.role != "assistant":
            continue
        if message.tool_calls and message.reasoning_content is None:
            keys += [call.id for call in message.tool_calls]
        if message.audio is not None:
            keys.append(audio_ids.key_of(untagged(message.audio.id)))
    return keys


def tool_call(call: openai.FunctionToolCall | openai.CustomToolCall) -> glm.ToolCall:
    match call:
        case openai.FunctionToolCall(id=call_id, function=function):
            return function_call(function, call_id=call_id)
        case openai.CustomToolCall(id=call_id, custom=custom):
            arguments = wrap_custom_input(custom.input)
            return glm.ToolCall(id=call_id, function=glm.FunctionCall(name=custom.name, arguments=arguments))


def function_call(call: openai.FunctionCall, *, call_id: str) -> glm.ToolCall:
    return glm.ToolCall(id=call_id, function=glm.FunctionCall(name=call.name, arguments=call.arguments or "{}"))


def with_question(messages: list[glm.Message]) -> list[glm.Message]:
    """
    Return a conversation that GLM answers: it refuses one without a message of the user's (1214).

    A conversation of instructions alone is a question to OpenAI's models, so the last instruction is asked. It is
    still the question when tools were called to answer it.
    """
    for message in messages:
        if message.role == "user":
            return messages
    roles = [message.role for message in messages]
    if "tool" not in roles and roles[-1:] != ["system"]:
        raise InvalidRequest(
            "GLM needs at least one user message in the conversation that is not empty.", param="messages"
        )
    if "system" not in roles:
        return messages
    at = len(roles) - 1 - roles[::-1].index("system")
    question = glm.Message(role="user", content=messages[at].content)
    return [*messages[:at], question, *messages[at + 1 :]]


def with_instruction(messages: list[glm.Message], instruction: str) -> list[glm.Message]:
    """Return the conversation with ``instruction`` at the end of its first system message."""
    first = messages[0]
    if first.role == "system" and isinstance(first.content, str):
        content = f"{first.content}\n\n{instruction}" if first.content else instruction
        return [glm.Message(role="system", content=content), *messages[1:]]
    return [glm.Message(role="system", content=instruction), *messages]
