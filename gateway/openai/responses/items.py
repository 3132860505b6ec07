"""
Items: the turns of a conversation, as clients send them and as the model makes them.

Clients send many kinds, and messages often without saying that they are; each is read by its own Struct.
"""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from gateway.openai.responses.content import (
    InputPart,
    OutputRefusal,
    OutputText,
    ReasoningText,
    ResultPart,
    Status,
    SummaryText,
)

# --- Input ------------------------------------------------------------------------------------------


class ItemHead(Struct, frozen=True, kw_only=True):
    """What tells items apart; a message may lack its ``type``, and so may a reference."""

    type: str | None = None
    role: str | None = None
    id: str | None = None


class InputMessage(Struct, frozen=True, kw_only=True):
    """A turn of anybody's."""

    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[InputPart]


class PastReasoning(Struct, frozen=True, kw_only=True):
    """What the model thought earlier: in clear, sealed, or as a summary."""

    summary: list[SummaryText] = []
    content: list[ReasoningText] | None = None
    encrypted_content: str | None = None


class PastFunctionCall(Struct, frozen=True, kw_only=True):
    """A function that the model called earlier; ``arguments`` is JSON text."""

    call_id: str
    name: str
    arguments: str
    namespace: str | None = None


class PastCustomCall(Struct, frozen=True, kw_only=True):
    """A custom tool that the model called earlier."""

    call_id: str
    name: str
    input: str
    namespace: str | None = None


class CallResult(Struct, frozen=True, kw_only=True):
    """What came of a call, of a function or of a custom tool."""

    call_id: str
    output: str | list[ResultPart]


class Reference(Struct, frozen=True, kw_only=True):
    """An item of an earlier response, by its id."""

    id: str


class PastSearch(Struct, frozen=True, kw_only=True):
    """A search that was made earlier; its findings are in the text that followed."""


Item = InputMessage | PastReasoning | PastFunctionCall | PastCustomCall | CallResult | Reference | PastSearch

# --- Output -----------------------------------------------------------------------------------------


class ReasoningItem(Struct, frozen=True, kw_only=True, tag_field="type", tag="reasoning"):
    """What the model thought: as ``content``, or as ``summary`` where one was asked for."""

    id: str
    summary: list[SummaryText] = []
    content: list[ReasoningText] = []
    encrypted_content: str | UnsetType = UNSET
    status: Status = "completed"


class OutputMessage(Struct, frozen=True, kw_only=True, tag_field="type", tag="message"):
    """What the model said."""

    id: str
    content: list[OutputText | OutputRefusal]
    status: Status = "completed"
    role: Literal["assistant"] = "assistant"


class FunctionCallItem(Struct, frozen=True, kw_only=True, tag_field="type", tag="function_call"):
    """A function that the model wants called; ``namespace`` only where the function is in one."""

    id: str
    call_id: str
    name: str
    arguments: str
    namespace: str | UnsetType = UNSET
    status: Status = "completed"


class CustomCallItem(Struct, frozen=True, kw_only=True, tag_field="type", tag="custom_tool_call"):
    """A custom tool that the model wants called; ``namespace`` only where the tool is in one."""

    id: str
    call_id: str
    name: str
    input: str
    namespace: str | UnsetType = UNSET
    status: Status = "completed"


class SearchSource(Struct, frozen=True, kw_only=True, tag_field="type", tag="url"):
    """A page that a search found."""

    url: str


class SearchAction(Struct, frozen=True, kw_only=True, tag_field="type", tag="search"):
    """A search; Zhipu does not tell what it looked for. ``sources`` only where they were asked for."""

    query: str = ""
    sources: list[SearchSource] | UnsetType = UNSET


class WebSearchItem(Struct, frozen=True, kw_only=True, tag_field="type", tag="web_search_call"):
    """A search that Zhipu made."""

    id: str
    action: SearchAction
    status: Status = "completed"


OutputItem = ReasoningItem | WebSearchItem | OutputMessage | FunctionCallItem | CustomCallItem
