"""The items of a conversation: those that are put into it, and how GLM tells one."""

from typing import Any, Literal

from msgspec import Struct


class ItemText(Struct, frozen=True, kw_only=True):
    """Text of a message: "input_text" of the user and the system, "text" of the assistant."""

    type: Literal["input_text", "text"]
    text: str


class Message(Struct, frozen=True, kw_only=True, tag_field="type", tag="message"):
    """A message put into the conversation; the client chooses its id."""

    id: str
    object: Literal["realtime.item"] = "realtime.item"
    role: Literal["user", "assistant", "system"]
    content: tuple[ItemText, ...]


class FunctionCallOutput(Struct, frozen=True, kw_only=True, tag_field="type", tag="function_call_output"):
    """What a function returned. It names no call: outputs belong to the calls in their order."""

    object: Literal["realtime.item"] = "realtime.item"
    output: str


class Item(Struct, frozen=True, kw_only=True):
    """An item as GLM tells it; ``content`` is often ``[{}]``."""

    id: str | None = None
    type: str | None = None
    role: str | None = None
    status: str | None = None
    content: list[dict[str, Any]] | None = None
