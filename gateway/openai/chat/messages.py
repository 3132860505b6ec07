"""
The conversation so far: messages by who speaks, and the calls of tools that an assistant's turn holds.

A message's tag is its ``role`` too, as asking for its class takes five times as long. What is read from JSON has
no cycles, and is not looked through for any.
"""

from typing import Any, ClassVar, Literal

from msgspec import UNSET, Struct, UnsetType

from gateway.openai.chat.content import Content


class SystemMessage(Struct, frozen=True, kw_only=True, tag_field="role", tag="system", gc=False):
    """Instructions."""

    role: ClassVar[Literal["system"]] = "system"
    content: Content
    name: str | None = None


class DeveloperMessage(Struct, frozen=True, kw_only=True, tag_field="role", tag="developer", gc=False):
    """Instructions under their newer name."""

    role: ClassVar[Literal["developer"]] = "developer"
    content: Content
    name: str | None = None


class UserMessage(Struct, frozen=True, kw_only=True, tag_field="role", tag="user", gc=False):
    """What the user says or shows."""

    role: ClassVar[Literal["user"]] = "user"
    content: Content
    name: str | None = None


class FunctionCall(Struct, frozen=True, kw_only=True):
    """
    A function and its arguments as JSON text.

    ``parsed_arguments`` is what an SDK made of them before it sent the call back.
    """

    name: str
    arguments: str
    parsed_arguments: Any | UnsetType = UNSET


class CustomCall(Struct, frozen=True, kw_only=True):
    """A custom tool and its free-form input."""

    name: str
    input: str


class FunctionToolCall(Struct, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """A call of a function tool in an assistant's turn; ``index`` is left of the stream that it came in."""

    id: str
    function: FunctionCall
    index: Any = None


class CustomToolCall(Struct, frozen=True, kw_only=True, tag_field="type", tag="custom"):
    """A call of a custom tool in an assistant's turn; ``index`` is left of the stream that it came in."""

    id: str
    custom: CustomCall
    index: Any = None


class AudioReference(Struct, frozen=True, kw_only=True):
    """
    An earlier spoken answer by its id.

    The rest is that of an answer which is sent back whole; of that only ``transcript`` can still be of service.
    """

    id: str
    transcript: str | None = None
    data: Any = None
    expires_at: Any = None


class AssistantMessage(Struct, frozen=True, kw_only=True, tag_field="role", tag="assistant", gc=False):
    """
    What the model said earlier; ``reasoning_content`` is GLM's, for clients that keep it.

    ``annotations`` are those of an answer that is sent back whole, and ``parsed`` is what an SDK made of it; both
    have done their service.
    """

    role: ClassVar[Literal["assistant"]] = "assistant"
    content: Content = None
    refusal: str | None = None
    tool_calls: list[FunctionToolCall | CustomToolCall] | None = None
    function_call: FunctionCall | None = None
    audio: AudioReference | None = None
    reasoning_content: str | None = None
    annotations: Any = None
    parsed: Any = None
    name: str | None = None


class ToolMessage(Struct, frozen=True, kw_only=True, tag_field="role", tag="tool", gc=False):
    """A tool's result."""

    role: ClassVar[Literal["tool"]] = "tool"
    content: Content
    tool_call_id: str
    name: str | None = None


class FunctionMessage(Struct, frozen=True, kw_only=True, tag_field="role", tag="function", gc=False):
    """A function's result in the deprecated form."""

    role: ClassVar[Literal["function"]] = "function"
    content: Content
    name: str


Message = SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage | FunctionMessage
