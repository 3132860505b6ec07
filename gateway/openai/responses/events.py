"""
The events of a streamed response, in the words of OpenAI's SDK.

Each says its ``type`` twice, in its ``event:`` line and in its data, and has a number one above the last event's.
"""

from typing import Any

from msgspec import Struct

from gateway.openai.responses.answers import Response
from gateway.openai.responses.content import OutputRefusal, OutputText, ReasoningText, SourceCitation, SummaryText
from gateway.openai.responses.items import OutputItem


class Event(Struct, frozen=True, kw_only=True, tag_field="type"):
    """What every event has."""

    sequence_number: int


# --- The response as a whole ------------------------------------------------------------------------


class ResponseCreated(Event, frozen=True, kw_only=True, tag="response.created"):
    """The response has begun."""

    response: Response


class ResponseInProgress(Event, frozen=True, kw_only=True, tag="response.in_progress"):
    """The response is being made."""

    response: Response


class ResponseCompleted(Event, frozen=True, kw_only=True, tag="response.completed"):
    """The response is whole."""

    response: Response


class ResponseIncomplete(Event, frozen=True, kw_only=True, tag="response.incomplete"):
    """The response was cut short."""

    response: Response


class ResponseFailed(Event, frozen=True, kw_only=True, tag="response.failed"):
    """The response failed; what was made of it before is in it."""

    response: Response


# --- One item ---------------------------------------------------------------------------------------


class OutputItemAdded(Event, frozen=True, kw_only=True, tag="response.output_item.added"):
    """An item begins."""

    output_index: int
    item: OutputItem


class OutputItemDone(Event, frozen=True, kw_only=True, tag="response.output_item.done"):
    """An item is whole."""

    output_index: int
    item: OutputItem


class ItemEvent(Event, frozen=True, kw_only=True):
    """What every event inside an item has."""

    item_id: str
    output_index: int


class ContentEvent(ItemEvent, frozen=True, kw_only=True):
    """What every event inside a part of an item has."""

    content_index: int


class ContentPartAdded(ContentEvent, frozen=True, kw_only=True, tag="response.content_part.added"):
    """A part begins."""

    part: OutputText | OutputRefusal | ReasoningText


class ContentPartDone(ContentEvent, frozen=True, kw_only=True, tag="response.content_part.done"):
    """A part is whole."""

    part: OutputText | OutputRefusal | ReasoningText


class OutputTextDelta(ContentEvent, frozen=True, kw_only=True, tag="response.output_text.delta"):
    """More text."""

    delta: str
    logprobs: list[Any] = []


class OutputTextDone(ContentEvent, frozen=True, kw_only=True, tag="response.output_text.done"):
    """The whole text of a part."""

    text: str
    logprobs: list[Any] = []


class AnnotationAdded(ContentEvent, frozen=True, kw_only=True, tag="response.output_text.annotation.added"):
    """A note on the text."""

    annotation_index: int
    annotation: SourceCitation


class RefusalDelta(ContentEvent, frozen=True, kw_only=True, tag="response.refusal.delta"):
    """More of a refusal."""

    delta: str


class RefusalDone(ContentEvent, frozen=True, kw_only=True, tag="response.refusal.done"):
    """A whole refusal."""

    refusal: str


class ReasoningTextDelta(ContentEvent, frozen=True, kw_only=True, tag="response.reasoning_text.delta"):
    """More reasoning."""

    delta: str


class ReasoningTextDone(ContentEvent, frozen=True, kw_only=True, tag="response.reasoning_text.done"):
    """The whole reasoning of a part."""

    text: str


class SummaryEvent(ItemEvent, frozen=True, kw_only=True):
    """What every event inside a part of a summary has."""

    summary_index: int


class SummaryPartAdded(SummaryEvent, frozen=True, kw_only=True, tag="response.reasoning_summary_part.added"):
    """A part of a summary begins."""

    part: SummaryText


class SummaryPartDone(SummaryEvent, frozen=True, kw_only=True, tag="response.reasoning_summary_part.done"):
    """A part of a summary is whole."""

    part: SummaryText


class SummaryTextDelta(SummaryEvent, frozen=True, kw_only=True, tag="response.reasoning_summary_text.delta"):
    """More of a summary."""

    delta: str


class SummaryTextDone(SummaryEvent, frozen=True, kw_only=True, tag="response.reasoning_summary_text.done"):
    """The whole text of a part of a summary."""

    text: str


class ArgumentsDelta(ItemEvent, frozen=True, kw_only=True, tag="response.function_call_arguments.delta"):
    """More arguments of a function."""

    delta: str


class ArgumentsDone(ItemEvent, frozen=True, kw_only=True, tag="response.function_call_arguments.done"):
    """The whole arguments of a function."""

    name: str
    arguments: str


class CustomInputDelta(ItemEvent, frozen=True, kw_only=True, tag="response.custom_tool_call_input.delta"):
    """More input of a custom tool."""

    delta: str


class CustomInputDone(ItemEvent, frozen=True, kw_only=True, tag="response.custom_tool_call_input.done"):
    """The whole input of a custom tool."""

    input: str


class WebSearchInProgress(ItemEvent, frozen=True, kw_only=True, tag="response.web_search_call.in_progress"):
    """A search begins."""


class WebSearchSearching(ItemEvent, frozen=True, kw_only=True, tag="response.web_search_call.searching"):
    """A search is under way."""


class WebSearchCompleted(ItemEvent, frozen=True, kw_only=True, tag="response.web_search_call.completed"):
    """A search has found something."""
