"""The events that a client sends, as the gateway does."""

from msgspec import Struct

from gateway.glm.realtime.items import FunctionCallOutput, Message
from gateway.glm.realtime.session import Session


class _Sent(Struct, frozen=True, kw_only=True, tag_field="type"):
    pass


class SessionUpdate(_Sent, frozen=True, kw_only=True, tag="session.update"):
    """Replaces the whole session."""

    session: Session


class AudioAppend(_Sent, frozen=True, kw_only=True, tag="input_audio_buffer.append"):
    """Adds audio, base64 on the wire; more than 50 of these in a second are dropped without a word."""

    audio: bytes


class VideoFrameAppend(_Sent, frozen=True, kw_only=True, tag="input_audio_buffer.append_video_frame"):
    """Adds base64 of a JPEG, for the next commit of a video call."""

    video_frame: str


class AudioCommit(_Sent, frozen=True, kw_only=True, tag="input_audio_buffer.commit"):
    """Ends the user's turn where the client decides about turns; at most 30 s of audio."""


class AudioClear(_Sent, frozen=True, kw_only=True, tag="input_audio_buffer.clear"):
    """Drops what was appended and not committed."""


class ItemCreate(_Sent, frozen=True, kw_only=True, tag="conversation.item.create"):
    """Puts an item at the end of the conversation; an empty text is an error."""

    item: Message | FunctionCallOutput


class ItemDelete(_Sent, frozen=True, kw_only=True, tag="conversation.item.delete"):
    """Takes an item out of the conversation."""

    item_id: str


class ResponseCreate(_Sent, frozen=True, kw_only=True, tag="response.create"):
    """Has GLM answer; takes no parameters."""


class ResponseCancel(_Sent, frozen=True, kw_only=True, tag="response.cancel"):
    """Stops the answer under way; with none under way GLM answers ``stop_task_error``."""


Sent = (
    SessionUpdate
    | AudioAppend
    | VideoFrameAppend
    | AudioCommit
    | AudioClear
    | ItemCreate
    | ItemDelete
    | ResponseCreate
    | ResponseCancel
)
