"""
What a realtime client sends, in either shape; every event may carry an ``event_id`` of the client's own.

Source: the official SDK's types (openai 3.54, ``types.realtime`` and ``types.beta.realtime``).
"""

from typing import Annotated

from msgspec import Meta, Struct

from gateway.openai.realtime.items import Id, NewItem, ResponseParams
from gateway.openai.realtime.session import SessionChange


class Event(Struct, frozen=True, kw_only=True, tag_field="type"):
    """Any event of a client's."""

    event_id: str | None = None


class SessionUpdate(Event, frozen=True, kw_only=True, tag="session.update"):
    """Changes the session."""

    session: SessionChange


class TranscriptionSessionUpdate(Event, frozen=True, kw_only=True, tag="transcription_session.update"):
    """Changes a session that only writes down; beta only."""

    session: SessionChange


class AudioAppend(Event, frozen=True, kw_only=True, tag="input_audio_buffer.append"):
    """Adds audio, at most 15 MiB of it; base64 on the wire."""

    audio: bytes


class VideoFrameAppend(Event, frozen=True, kw_only=True, tag="input_audio_buffer.append_video_frame"):
    """Adds base64 of a JPEG; Zhipu's own."""

    video_frame: str


class AudioCommit(Event, frozen=True, kw_only=True, tag="input_audio_buffer.commit"):
    """Makes an item of what was appended."""


class AudioClear(Event, frozen=True, kw_only=True, tag="input_audio_buffer.clear"):
    """Drops what was appended."""


class OutputAudioClear(Event, frozen=True, kw_only=True, tag="output_audio_buffer.clear"):
    """Stops a voice that the server plays out, which it does over WebRTC only."""


class ItemCreate(Event, frozen=True, kw_only=True, tag="conversation.item.create"):
    """Puts an item into the conversation; ``previous_item_id`` "root" puts it first, None last."""

    item: NewItem
    previous_item_id: str | None = None


class ItemRetrieve(Event, frozen=True, kw_only=True, tag="conversation.item.retrieve"):
    """Asks for an item."""

    item_id: Id


class ItemDelete(Event, frozen=True, kw_only=True, tag="conversation.item.delete"):
    """Takes an item out."""

    item_id: Id


class ItemTruncate(Event, frozen=True, kw_only=True, tag="conversation.item.truncate"):
    """Says how much of a spoken item was heard, in milliseconds."""

    item_id: Id
    audio_end_ms: Annotated[int, Meta(ge=0)]
    content_index: Annotated[int, Meta(ge=0)] = 0


class ResponseCreate(Event, frozen=True, kw_only=True, tag="response.create"):
    """Has the model respond."""

    response: ResponseParams | None = None


class ResponseCancel(Event, frozen=True, kw_only=True, tag="response.cancel"):
    """Stops a response; None is the one under way."""

    response_id: str | None = None


ClientEvent = (
    SessionUpdate
    | TranscriptionSessionUpdate
    | AudioAppend
    | VideoFrameAppend
    | AudioCommit
    | AudioClear
    | OutputAudioClear
    | ItemCreate
    | ItemRetrieve
    | ItemDelete
    | ItemTruncate
    | ResponseCreate
    | ResponseCancel
)


class Envelope(Struct, frozen=True, kw_only=True):
    """What can be told of an event that cannot be read otherwise."""

    type: object = None
    event_id: object = None
