"""What the client of a call wants, event by event."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.errors import InvalidRequest
from gateway.openai.realtime import client, server
from gateway.translate.realtime.asides import Asides
from gateway.translate.realtime.changes import of_response
from gateway.translate.realtime.conversing import Conversing
from gateway.translate.realtime.microphone import Microphone
from gateway.translate.realtime.plan import Plan
from gateway.translate.realtime.responder import Responder
from gateway.translate.realtime.setup import Setup
from gateway.translate.realtime.taking_turns import TurnTaking
from gateway.translate.realtime.talk import Talk


class Requests:
    """Has each part of a call do what the client wants of it."""

    def __init__(
        self,
        talk: Talk,
        *,
        setup: Setup,
        microphone: Microphone,
        turns: TurnTaking,
        responder: Responder,
        asides: Asides,
        conversing: Conversing,
    ) -> None:
        self._talk = talk
        self._setup = setup
        self._microphone = microphone
        self._turns = turns
        self._responder = responder
        self._asides = asides
        self._conversing = conversing

    def take(self, event: client.ClientEvent) -> None:
        """Do what an event wants; raise InvalidRequest."""
        REQUESTS[type(event)](self, event)

    def update_session(self, event: client.SessionUpdate | client.TranscriptionSessionUpdate) -> None:
        """Change the session."""
        flat = isinstance(event, client.TranscriptionSessionUpdate)
        self._setup.change(event.session, event_id=event.event_id, flat=flat)
        self._turns.follow()

    def append(self, event: client.AudioAppend) -> None:
        """Hear more of the user."""
        self._turns.play(event.audio)

    def show(self, event: client.VideoFrameAppend) -> None:
        """Show GLM a picture."""
        self._conversing.show(event.video_frame)

    def commit(self, event: client.AudioCommit) -> None:
        """End the user's turn."""
        self._microphone.complete()
        with self._setup.without_turns():
            self._microphone.commit(event_id=event.event_id)

    def clear(self, event: client.AudioClear) -> None:
        """Forget what was heard of the user's turn."""
        del event
        self._microphone.clear()
        self._talk.tell(server.AudioCleared())

    def clear_output(self, event: client.OutputAudioClear) -> None:
        """Refuse what is for WebRTC."""
        raise InvalidRequest(
            f"'{event.__struct_config__.tag}' is for WebRTC. Over a WebSocket, send 'response.cancel' and stop "
            "playing yourself.",
            param="type",
            code="unsupported_value",
        )

    def create_item(self, event: client.ItemCreate) -> None:
        """Put an item into the conversation."""
        self._conversing.create(event)

    def retrieve_item(self, event: client.ItemRetrieve) -> None:
        """Tell an item."""
        self._conversing.retrieve(event.item_id)

    def delete_item(self, event: client.ItemDelete) -> None:
        """Take an item out."""
        self._conversing.delete(event.item_id)

    def truncate_item(self, event: client.ItemTruncate) -> None:
        """Take note of how much of an item was heard."""
        self._conversing.truncate(event)

    def create_response(self, event: client.ResponseCreate) -> None:
        """Have a response made, as a part of the conversation or beside it."""
        params = event.response
        if params is None:
            self._responder.create(Plan(event_id=event.event_id))
            return
        config = of_response(self._talk.config, params)
        if params.conversation == "none":
            self._asides.create(config, given=params.input, metadata=params.metadata)
            return
        self._responder.check_free()
        for item in params.input or ():
            if item.type != "item_reference":
                self._conversing.put(item)
        self._responder.create(
            Plan(
                config=config if config != self._talk.config else None,
                metadata=params.metadata,
                event_id=event.event_id,
            )
        )

    def cancel_response(self, event: client.ResponseCancel) -> None:
        """Stop a response."""
        if not self._asides.cancel(event.response_id):
            self._responder.cancel(event.response_id)


REQUESTS: Mapping[type, Callable[[Requests, Any], None]] = {
    client.SessionUpdate: Requests.update_session,
    client.TranscriptionSessionUpdate: Requests.update_session,
    client.AudioAppend: Requests.append,
    client.VideoFrameAppend: Requests.show,
    client.AudioCommit: Requests.commit,
    client.AudioClear: Requests.clear,
    client.OutputAudioClear: Requests.clear_output,
    client.ItemCreate: Requests.create_item,
    client.ItemRetrieve: Requests.retrieve_item,
    client.ItemDelete: Requests.delete_item,
    client.ItemTruncate: Requests.truncate_item,
    client.ResponseCreate: Requests.create_response,
    client.ResponseCancel: Requests.cancel_response,
}
