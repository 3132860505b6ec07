"""The events that GLM sends."""

from typing import Any

from msgspec import Struct

from gateway.glm.realtime.items import Item


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens of an answer. The reference says they are always 0 for now, its sample has numbers."""

    total_tokens: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_token_details: dict[str, Any] | None = None
    output_token_details: dict[str, Any] | None = None


class Response(Struct, frozen=True, kw_only=True):
    """An answer; what it consists of is told by other events only."""

    id: str | None = None
    status: str | None = None
    usage: Usage | None = None


class Failure(Struct, frozen=True, kw_only=True):
    """What went wrong; ``code`` is a word or one of Zhipu's numbers, ``type`` is often absent."""

    type: str | None = None
    code: str | int | None = None
    message: str | None = None


class RateLimit(Struct, frozen=True, kw_only=True):
    """What is left of a limit; ``reset_seconds`` is a float in the sample."""

    name: str | None = None
    limit: int | None = None
    remaining: int | None = None
    reset_seconds: float | None = None


class _Received(Struct, frozen=True, kw_only=True, tag_field="type"):
    pass


class _Piece(_Received, frozen=True, kw_only=True):
    """Where something belongs that comes in pieces; ``output_index`` counts items, ``content_index`` parts."""

    response_id: str | None = None
    item_id: str | None = None
    output_index: int | None = None
    content_index: int | None = None


class Error(_Received, frozen=True, kw_only=True, tag="error"):
    """Something went wrong; most of the time the session goes on."""

    error: Failure = Failure()


class SessionCreated(_Received, frozen=True, kw_only=True, tag="session.created"):
    """The first event, unless a heartbeat is."""


class SessionUpdated(_Received, frozen=True, kw_only=True, tag="session.updated"):
    """An update was taken; the echo has tools in it that nobody gave."""


class TranscriptionSessionUpdated(_Received, frozen=True, kw_only=True, tag="transcription_session.updated"):
    """An update of a transcription session was taken, as the sample spells it."""


class TranscriptionSessionUpdatedToo(_Received, frozen=True, kw_only=True, tag="transcription.session.updated"):
    """The same, as the table spells it."""


class ConversationCreated(_Received, frozen=True, kw_only=True, tag="conversation.created"):
    """Comes at some time after the first commit; in the diagrams only."""


class ItemCreated(_Received, frozen=True, kw_only=True, tag="conversation.item.created"):
    """An item is in the conversation; what stands before it is not told."""

    item: Item = Item()


class ItemDeleted(_Received, frozen=True, kw_only=True, tag="conversation.item.deleted"):
    """An item is out of the conversation."""

    item_id: str | None = None


class ItemRetrieved(_Received, frozen=True, kw_only=True, tag="conversation.item.retrieved"):
    """An item that was asked for."""

    item: Item = Item()


class TranscriptionCompleted(
    _Received, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.completed"
):
    """What the user said, by a separate model: before or after the answer, and maybe empty."""

    item_id: str | None = None
    transcript: str | None = None


class TranscriptionFailed(
    _Received, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.failed"
):
    """What the user said could not be made out."""

    item_id: str | None = None
    error: Failure = Failure()


class AudioCommitted(_Received, frozen=True, kw_only=True, tag="input_audio_buffer.committed"):
    """The user's turn is an item now."""

    item_id: str | None = None


class AudioCleared(_Received, frozen=True, kw_only=True, tag="input_audio_buffer.cleared"):
    """The buffer is empty; the sample spells ``eventId``."""


class SpeechStarted(_Received, frozen=True, kw_only=True, tag="input_audio_buffer.speech_started"):
    """The user begins to speak; the item id need not be that of the commit."""

    audio_start_ms: int | float | None = None
    item_id: str | None = None


class SpeechStopped(_Received, frozen=True, kw_only=True, tag="input_audio_buffer.speech_stopped"):
    """The user has ended."""

    audio_end_ms: int | float | None = None
    item_id: str | None = None


class ResponseCreated(_Received, frozen=True, kw_only=True, tag="response.created"):
    """An answer begins."""

    response: Response = Response()


class ResponseCancelled(_Received, frozen=True, kw_only=True, tag="response.cancelled"):
    """An answer was stopped; ``response.done`` may follow."""

    response: Response = Response()


class ResponseDone(_Received, frozen=True, kw_only=True, tag="response.done"):
    """An answer has ended, however it did."""

    response: Response = Response()


class OutputItemAdded(_Piece, frozen=True, kw_only=True, tag="response.output_item.added"):
    """An item of an answer begins: always called a message, even when a function call follows."""

    item: Item = Item()


class OutputItemDone(_Piece, frozen=True, kw_only=True, tag="response.output_item.done"):
    """An item of an answer has ended; its text is not repeated."""

    item: Item = Item()


class ContentPartAdded(_Piece, frozen=True, kw_only=True, tag="response.content_part.added"):
    """A part of an item begins."""


class ContentPartDone(_Piece, frozen=True, kw_only=True, tag="response.content_part.done"):
    """A part of an item has ended."""


class TextDelta(_Piece, frozen=True, kw_only=True, tag="response.text.delta"):
    """More of the answer's text; comes beside the audio."""

    delta: str | None = None


class TextDone(_Piece, frozen=True, kw_only=True, tag="response.text.done"):
    """The whole text of the answer."""

    text: str | None = None


class TranscriptDelta(_Piece, frozen=True, kw_only=True, tag="response.audio_transcript.delta"):
    """More of what is spoken, by a separate model."""

    delta: str | None = None


class TranscriptDone(_Piece, frozen=True, kw_only=True, tag="response.audio_transcript.done"):
    """All that was spoken, by a separate model; seldom arrives."""

    transcript: str | None = None


class AudioDelta(_Piece, frozen=True, kw_only=True, tag="response.audio.delta"):
    """More of the voice: base64 of 24 kHz mono s16le."""

    delta: str | None = None


class AudioDone(_Piece, frozen=True, kw_only=True, tag="response.audio.done"):
    """The voice has ended."""


class ArgumentsDone(_Piece, frozen=True, kw_only=True, tag="response.function_call_arguments.done"):
    """
    A function is called; without a call id, an item id or deltas. One event for each call.

    ``arguments`` are the text of a JSON object by its page.
    """

    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class SimpleBrowser(_Received, frozen=True, kw_only=True, tag="response.function_call.simple_browser"):
    """Zhipu's own search in a video call, of which nobody has to know."""


class RateLimitsUpdated(_Received, frozen=True, kw_only=True, tag="rate_limits.updated"):
    """How many more sessions the account may have."""

    rate_limits: list[RateLimit] | None = None


class RateLimitsUpdatedToo(_Received, frozen=True, kw_only=True, tag="rate_limites.updated"):
    """The same, as the diagrams spell it."""

    rate_limits: list[RateLimit] | None = None


class Heartbeat(_Received, frozen=True, kw_only=True, tag="heartbeat"):
    """GLM is there: at the start, at every update, then every 30 s."""


Received = (
    Error
    | SessionCreated
    | SessionUpdated
    | TranscriptionSessionUpdated
    | TranscriptionSessionUpdatedToo
    | ConversationCreated
    | ItemCreated
    | ItemDeleted
    | ItemRetrieved
    | TranscriptionCompleted
    | TranscriptionFailed
    | AudioCommitted
    | AudioCleared
    | SpeechStarted
    | SpeechStopped
    | ResponseCreated
    | ResponseCancelled
    | ResponseDone
    | OutputItemAdded
    | OutputItemDone
    | ContentPartAdded
    | ContentPartDone
    | TextDelta
    | TextDone
    | TranscriptDelta
    | TranscriptDone
    | AudioDelta
    | AudioDone
    | ArgumentsDone
    | SimpleBrowser
    | RateLimitsUpdated
    | RateLimitsUpdatedToo
    | Heartbeat
)
