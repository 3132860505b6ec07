"""
What a realtime client is told: the fields of every event but ``type`` and ``event_id``, and their names.

The fields are the same in both shapes; names differ, and beta lacks some. Source: the official SDK's types
(openai 3.54, ``types.realtime`` and ``types.beta.realtime``).
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from gateway.openai.realtime.items import BetaResponse, Content, Item
from gateway.openai.realtime.items import Response as TodaysResponse
from gateway.openai.realtime.session import Session

Response = TodaysResponse | BetaResponse


class ServerEvent(Struct, frozen=True, kw_only=True):
    """Any event of the server's."""


class ErrorDetail(Struct, frozen=True, kw_only=True):
    """What was wrong; ``event_id`` is that of the client's event at fault, None when none is."""

    type: str
    code: str | None
    message: str
    param: str | None
    event_id: str | None


class ErrorTold(ServerEvent, frozen=True, kw_only=True):
    """Something went wrong; most of the time the session goes on."""

    error: ErrorDetail


class SessionCreated(ServerEvent, frozen=True, kw_only=True):
    """The first event."""

    session: Session


class SessionUpdated(ServerEvent, frozen=True, kw_only=True):
    """A change was taken; the whole session."""

    session: Session


class TranscriptionSessionUpdated(ServerEvent, frozen=True, kw_only=True):
    """The same for a session that only writes down, which has an event of its own in beta."""

    session: Session


class ItemAdded(ServerEvent, frozen=True, kw_only=True):
    """An item is in the conversation, maybe not whole yet; ``previous_item_id`` None: it is the first."""

    previous_item_id: str | None
    item: Item


class ItemDone(ServerEvent, frozen=True, kw_only=True):
    """An item is whole."""

    previous_item_id: str | None
    item: Item


class ItemRetrieved(ServerEvent, frozen=True, kw_only=True):
    """An item that was asked for."""

    item: Item


class ItemDeleted(ServerEvent, frozen=True, kw_only=True):
    """An item is out of the conversation."""

    item_id: str


class ItemTruncated(ServerEvent, frozen=True, kw_only=True):
    """How much of an item was heard is known."""

    item_id: str
    content_index: int
    audio_end_ms: int


class DurationUsage(Struct, frozen=True, kw_only=True):
    """How much was written down."""

    type: Literal["duration"] = "duration"
    seconds: float


class TranscriptionDelta(ServerEvent, frozen=True, kw_only=True):
    """More of what the user said."""

    item_id: str
    content_index: int
    delta: str


class TranscriptionCompleted(ServerEvent, frozen=True, kw_only=True):
    """What the user said."""

    item_id: str
    content_index: int
    transcript: str
    usage: DurationUsage


class TranscriptionError(Struct, frozen=True, kw_only=True):
    """Why speech was not written down."""

    type: str
    code: str | None
    message: str
    param: str | None = None


class TranscriptionFailed(ServerEvent, frozen=True, kw_only=True):
    """What the user said could not be made out."""

    item_id: str
    content_index: int
    error: TranscriptionError


class AudioCommitted(ServerEvent, frozen=True, kw_only=True):
    """The user's turn is an item now."""

    previous_item_id: str | None
    item_id: str


class AudioCleared(ServerEvent, frozen=True, kw_only=True):
    """The buffer is empty."""


class SpeechStarted(ServerEvent, frozen=True, kw_only=True):
    """The user begins to speak; the item will have this id."""

    audio_start_ms: int
    item_id: str


class SpeechStopped(ServerEvent, frozen=True, kw_only=True):
    """The user has ended."""

    audio_end_ms: int
    item_id: str


class ResponseCreated(ServerEvent, frozen=True, kw_only=True):
    """A response begins."""

    response: Response


class ResponseDone(ServerEvent, frozen=True, kw_only=True):
    """A response has ended."""

    response: Response


class OutputItemAdded(ServerEvent, frozen=True, kw_only=True):
    """An item of a response begins."""

    response_id: str
    output_index: int
    item: Item


class OutputItemDone(ServerEvent, frozen=True, kw_only=True):
    """An item of a response has ended."""

    response_id: str
    output_index: int
    item: Item


class PartEvent(ServerEvent, frozen=True, kw_only=True):
    """Something about a part of an item."""

    response_id: str
    item_id: str
    output_index: int
    content_index: int


class PartAdded(PartEvent, frozen=True, kw_only=True):
    """A part begins."""

    part: Content


class PartDone(PartEvent, frozen=True, kw_only=True):
    """A part has ended."""

    part: Content


class TextDelta(PartEvent, frozen=True, kw_only=True):
    """More text."""

    delta: str


class TextDone(PartEvent, frozen=True, kw_only=True):
    """All text."""

    text: str


class TranscriptDelta(PartEvent, frozen=True, kw_only=True):
    """More of what is spoken."""

    delta: str


class TranscriptDone(PartEvent, frozen=True, kw_only=True):
    """All that was spoken."""

    transcript: str


class AudioDelta(PartEvent, frozen=True, kw_only=True):
    """More of the voice: base64 in the session's output format."""

    delta: str


class AudioDone(PartEvent, frozen=True, kw_only=True):
    """The voice has ended."""


class ArgumentsDelta(ServerEvent, frozen=True, kw_only=True):
    """More of a call's arguments."""

    response_id: str
    item_id: str
    output_index: int
    call_id: str
    delta: str


class ArgumentsDone(ServerEvent, frozen=True, kw_only=True):
    """All of a call's arguments."""

    response_id: str
    item_id: str
    output_index: int
    call_id: str
    name: str
    arguments: str


class RateLimit(Struct, frozen=True, kw_only=True):
    """What is left of a limit."""

    name: str
    limit: int
    remaining: int
    reset_seconds: float


class RateLimitsUpdated(ServerEvent, frozen=True, kw_only=True):
    """What is left of the limits."""

    rate_limits: tuple[RateLimit, ...]


COMMON: Mapping[type[ServerEvent], str] = {
    ErrorTold: "error",
    SessionCreated: "session.created",
    SessionUpdated: "session.updated",
    ItemRetrieved: "conversation.item.retrieved",
    ItemDeleted: "conversation.item.deleted",
    ItemTruncated: "conversation.item.truncated",
    TranscriptionDelta: "conversation.item.input_audio_transcription.delta",
    TranscriptionCompleted: "conversation.item.input_audio_transcription.completed",
    TranscriptionFailed: "conversation.item.input_audio_transcription.failed",
    AudioCommitted: "input_audio_buffer.committed",
    AudioCleared: "input_audio_buffer.cleared",
    SpeechStarted: "input_audio_buffer.speech_started",
    SpeechStopped: "input_audio_buffer.speech_stopped",
    ResponseCreated: "response.created",
    ResponseDone: "response.done",
    OutputItemAdded: "response.output_item.added",
    OutputItemDone: "response.output_item.done",
    PartAdded: "response.content_part.added",
    PartDone: "response.content_part.done",
    ArgumentsDelta: "response.function_call_arguments.delta",
    ArgumentsDone: "response.function_call_arguments.done",
    RateLimitsUpdated: "rate_limits.updated",
}

NAMES: Mapping[type[ServerEvent], str] = {
    **COMMON,
    TranscriptionSessionUpdated: "session.updated",
    ItemAdded: "conversation.item.added",
    ItemDone: "conversation.item.done",
    TextDelta: "response.output_text.delta",
    TextDone: "response.output_text.done",
    TranscriptDelta: "response.output_audio_transcript.delta",
    TranscriptDone: "response.output_audio_transcript.done",
    AudioDelta: "response.output_audio.delta",
    AudioDone: "response.output_audio.done",
}
"""Today's names."""

BETA_NAMES: Mapping[type[ServerEvent], str] = {
    **COMMON,
    TranscriptionSessionUpdated: "transcription_session.updated",
    ItemAdded: "conversation.item.created",
    TextDelta: "response.text.delta",
    TextDone: "response.text.done",
    TranscriptDelta: "response.audio_transcript.delta",
    TranscriptDone: "response.audio_transcript.done",
    AudioDelta: "response.audio.delta",
    AudioDone: "response.audio.done",
}
"""Beta's names; an event that has none there is not told."""
