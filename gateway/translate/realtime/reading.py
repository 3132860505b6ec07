"""Events as bytes: what of them can be read, and what is wrong with the rest."""

from collections.abc import Mapping
from typing import get_args

import msgspec

from gateway.errors import InvalidRequest
from gateway.glm.realtime import server as glm
from gateway.openai.realtime import client
from gateway.translate.complaints import invalid_field

CLIENT_EVENTS: Mapping[str, type[client.Event]] = {
    str(kind.__struct_config__.tag): kind for kind in get_args(client.ClientEvent)
}
GLM_EVENTS: Mapping[str, type[glm.Received]] = {
    str(kind.__struct_config__.tag): kind for kind in get_args(glm.Received)
}
CLIENT_NAMES = {kind: name for name, kind in CLIENT_EVENTS.items()}
GLM_NAMES = {kind: name for name, kind in GLM_EVENTS.items()}
MAX_NAME_CHARACTERS = 64
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

decode_client_event = msgspec.json.Decoder(client.ClientEvent).decode
decode_glm_event = msgspec.json.Decoder(glm.Received).decode
decode_envelope = msgspec.json.Decoder(client.Envelope).decode


class UnreadableError(Exception):
    """What a client sent is no event; ``event_id`` is its name for it, None when that cannot be read either."""

    def __init__(self, error: InvalidRequest, *, event_id: str | None) -> None:
        super().__init__(error.message)
        self.error = error
        self.event_id = event_id


def read_client(data: str | bytes) -> client.ClientEvent:
    """Return a client's event; raise UnreadableError, which says what would be right."""
    try:
        event: client.ClientEvent = decode_client_event(data)
    except UNREADABLE as error:
        raise complaint(data, error) from None
    return event


def complaint(data: str | bytes, error: Exception) -> UnreadableError:
    try:
        envelope = decode_envelope(data)
    except UNREADABLE:
        return UnreadableError(
            InvalidRequest("The event is not a JSON object. Send one with a 'type'.", code="invalid_event"),
            event_id=None,
        )
    event_id = envelope.event_id if isinstance(envelope.event_id, str) else None
    kind = CLIENT_EVENTS.get(envelope.type) if isinstance(envelope.type, str) else None
    if kind is not None:
        return UnreadableError(invalid_field(str(error), kind=kind), event_id=event_id)
    named = f": '{envelope.type[:MAX_NAME_CHARACTERS]}'" if isinstance(envelope.type, str) else ""
    known = ", ".join(CLIENT_EVENTS)
    return UnreadableError(
        InvalidRequest(f"Unknown event type{named}. There are {known}.", param="type", code="unknown_event"),
        event_id=event_id,
    )


def read_glm(data: str | bytes) -> glm.Received | None:
    """
    Return GLM's event, None for one that is new or no event; nobody is told of that.

    One of which something cannot be read says nothing but its type: a response has ended whatever its usage is.
    """
    try:
        event: glm.Received = decode_glm_event(data)
    except UNREADABLE:
        return bare(data)
    return event


def bare(data: str | bytes) -> glm.Received | None:
    try:
        name = decode_envelope(data).type
    except UNREADABLE:
        return None
    kind = GLM_EVENTS.get(name) if isinstance(name, str) else None
    return None if kind is None else kind()
