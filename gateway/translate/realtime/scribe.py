"""A session that only writes down: turns are heard here, and GLM's speech recognition makes them out."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from msgspec import Struct

from gateway.errors import GatewayError, InvalidRequest
from gateway.openai.realtime import client, server
from gateway.openai.realtime.items import Content, Item
from gateway.openai.realtime.session import Transcription
from gateway.translate.realtime.changes import changed
from gateway.translate.realtime.effects import Brought, Ended, Words
from gateway.translate.realtime.interpreter import Interpreter
from gateway.translate.realtime.recognition import recognition, transcription_error
from gateway.translate.realtime.recorder import Recorder
from gateway.translate.realtime.setup import check_kind
from gateway.translate.realtime.sound import INPUT_BYTES_PER_SECOND
from gateway.translate.realtime.talk import Talk
from gateway.translate.realtime.turns import Heard


class Writing(Struct):
    """A turn that is being written down."""

    seconds: float
    text: str = ""


class Scribe(Interpreter):
    """A transcription session. ``model`` is what writes down where the client names none."""

    def __init__(self, talk: Talk, *, model: str) -> None:
        super().__init__(talk)
        self._model = model
        self._recorder = Recorder(talk.sound, talk.config)
        self._item_id: str | None = None
        self._waiting: dict[str, Writing] = {}
        self._asks: Mapping[type, Callable[[Any], None]] = {
            client.SessionUpdate: self._update_session,
            client.TranscriptionSessionUpdate: self._update_session,
            client.AudioAppend: self._append,
            client.AudioCommit: self._commit,
            client.AudioClear: self._clear,
            client.ItemRetrieve: self._retrieve,
        }

    @property
    def responding(self) -> bool:
        """Whether something is still to be told."""
        return bool(self._waiting)

    @property
    def heard_bytes(self) -> int:
        """How much of the user's voice there was, in bytes of 16 kHz s16le."""
        return self._recorder.heard_bytes

    def _begin(self) -> None:
        self._recorder.follow(self._talk.config)

    def _ask(self, event: client.ClientEvent) -> None:
        self._asks.get(type(event), self._refuse)(event)

    # --- From the client ----------------------------------------------------------------------------

    def _update_session(self, event: client.SessionUpdate | client.TranscriptionSessionUpdate) -> None:
        talk = self._talk
        config = changed(talk.config, event.session)
        check_kind(talk.config, config, event.session)
        if config.transcription is not None and config.transcription.model:
            talk.check_transcriber(config.transcription.model)
        talk.config = config
        self._recorder.follow(config)
        flat = isinstance(event, client.TranscriptionSessionUpdate)
        kind = server.TranscriptionSessionUpdated if flat else server.SessionUpdated
        talk.tell(kind(session=self._session()))

    def _append(self, event: client.AudioAppend) -> None:
        for heard in self._recorder.append(event.audio):
            self._take_turn(heard)

    def _take_turn(self, heard: Heard) -> None:
        ear, talk = self._recorder.ear, self._talk
        if ear is None:
            return
        if heard == "start":
            self._item_id = talk.id_of("item")
            talk.tell(server.SpeechStarted(audio_start_ms=ear.start_ms, item_id=self._item_id))
            return
        self._item_id = self._item_id or talk.id_of("item")
        talk.tell(server.SpeechStopped(audio_end_ms=ear.end_ms, item_id=self._item_id))
        self._write_down(self._recorder.take())

    def _commit(self, event: client.AudioCommit) -> None:
        del event
        self._write_down(self._recorder.take_all())

    def _write_down(self, pcm: bytes) -> None:
        """Make an item of a turn, and have it written down."""
        talk = self._talk
        item_id, self._item_id = self._item_id or talk.id_of("item"), None
        talk.tell(server.AudioCommitted(previous_item_id=talk.history.last, item_id=item_id))
        heard = Content(type="input_audio", transcript=None)
        item = Item(id=item_id, type="message", status="completed", role="user", content=(heard,))
        talk.add(item)
        talk.finish(item)
        self._waiting[item_id] = Writing(len(pcm) / INPUT_BYTES_PER_SECOND)
        asked = talk.config.transcription or Transcription()
        talk.send_out(recognition(pcm, asked, model=self._model), then=partial(self._hear, item_id))

    def _hear(self, item_id: str, brought: Brought) -> None:
        """Tell what was made out of a turn, or that it could not be."""
        match brought:
            case Words(text):
                self._waiting[item_id].text += text
                self._talk.tell(server.TranscriptionDelta(item_id=item_id, content_index=0, delta=text))
            case Ended(None):
                self._finish(item_id, self._waiting.pop(item_id))
            case Ended(GatewayError() as error):
                self._waiting.pop(item_id)
                self._talk.tell(
                    server.TranscriptionFailed(item_id=item_id, content_index=0, error=transcription_error(error))
                )
            case _:
                pass

    def _finish(self, item_id: str, writing: Writing) -> None:
        talk = self._talk
        talk.history.hear(item_id, writing.text)
        talk.tell(
            server.TranscriptionCompleted(
                item_id=item_id,
                content_index=0,
                transcript=writing.text,
                usage=server.DurationUsage(seconds=round(writing.seconds, 3)),
            )
        )

    def _clear(self, event: client.AudioClear) -> None:
        del event
        self._recorder.clear()
        self._item_id = None
        self._talk.tell(server.AudioCleared())

    def _retrieve(self, event: client.ItemRetrieve) -> None:
        item = self._talk.history.get(event.item_id)
        if item is None:
            raise InvalidRequest(
                "There is no item of this id in the conversation.",
                param="item_id",
                code="item_retrieve_invalid_item_id",
            )
        self._talk.tell(server.ItemRetrieved(item=self._talk.shape.item(item)))

    def _refuse(self, event: client.Event) -> None:
        raise InvalidRequest(
            f"'{event.__struct_config__.tag}' has no place in a transcription session, which only writes down.",
            param="type",
            code="unsupported_value",
        )
