"""One realtime session: the events of both sides in, what to do about them out."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.errors import GatewayError, InvalidRequest, UpstreamTimeout, UpstreamUnavailable
from gateway.glm import realtime as glm
from gateway.openai.realtime import client, server
from gateway.openai.realtime.session import SessionChange
from gateway.translate.realtime.asides import Asides
from gateway.translate.realtime.calls import Calls
from gateway.translate.realtime.config import changed, of_response
from gateway.translate.realtime.conversing import Conversing
from gateway.translate.realtime.effects import Brought, Effect
from gateway.translate.realtime.glm_errors import NOTHING_TO_STOP, error_of
from gateway.translate.realtime.microphone import Microphone
from gateway.translate.realtime.narrator import Narrator
from gateway.translate.realtime.pictures import Pictures
from gateway.translate.realtime.reading import UnreadableError, read_client, read_glm
from gateway.translate.realtime.responder import Plan, Responder
from gateway.translate.realtime.setup import Setup
from gateway.translate.realtime.talk import Talk
from gateway.translate.realtime.turns import Ear, Heard

LIMIT_NAMES = {"requests", "tokens"}
OTHER = "other"


class Translator:
    """
    A session between an OpenAI client and GLM-Realtime.

    Every call takes the moment, in seconds of any clock, and returns what is to be done, in order. ``due`` is when
    ``wake`` is to be called, None for never. ``read`` is the type of the event that came last, "other" if it could
    not be read.
    """

    def __init__(self, talk: Talk) -> None:
        self.read = OTHER
        self._talk = talk
        self._setup = Setup(talk)
        self._calls = Calls(talk)
        self._microphone = Microphone(talk)
        self._narrator = Narrator(talk, setup=self._setup, microphone=self._microphone)
        self._pictures = Pictures(talk, setup=self._setup)
        self._responder = Responder(
            talk, setup=self._setup, microphone=self._microphone, calls=self._calls, blocked=self._is_blocked
        )
        self._asides = Asides(talk, calls=self._calls)
        self._conversing = Conversing(
            talk,
            setup=self._setup,
            calls=self._calls,
            narrator=self._narrator,
            pictures=self._pictures,
            play=self._play,
        )
        self._asks: Mapping[type, Callable[[Any], None]] = {
            client.SessionUpdate: self._update_session,
            client.TranscriptionSessionUpdate: self._update_session,
            client.AudioAppend: self._append,
            client.VideoFrameAppend: lambda event: self._conversing.show(event.video_frame),
            client.AudioCommit: self._commit,
            client.AudioClear: self._clear,
            client.OutputAudioClear: self._clear_output,
            client.ItemCreate: self._conversing.create,
            client.ItemRetrieve: lambda event: self._conversing.retrieve(event.item_id),
            client.ItemDelete: lambda event: self._conversing.delete(event.item_id),
            client.ItemTruncate: self._conversing.truncate,
            client.ResponseCreate: self._create_response,
            client.ResponseCancel: self._cancel_response,
        }
        self._hears: Mapping[type, Callable[[Any], None]] = {
            glm.Error: self._take_error,
            glm.SessionUpdated: self._take_confirmation,
            glm.TranscriptionSessionUpdated: self._take_confirmation,
            glm.TranscriptionSessionUpdatedToo: self._take_confirmation,
            glm.ItemCreated: self._take_item,
            glm.ItemDeleted: self._take_deletion,
            glm.TranscriptionCompleted: self._take_transcript,
            glm.TranscriptionFailed: self._take_failed_transcript,
            glm.AudioCommitted: lambda event: self._microphone.confirm(event.item_id),
            glm.SpeechStarted: self._take_speech_start,
            glm.SpeechStopped: self._take_speech_stop,
            glm.ResponseCreated: self._take_response,
            glm.ResponseCancelled: lambda event: self._responder.end(event.response, cancelled=True),
            glm.ResponseDone: lambda event: self._responder.end(event.response, cancelled=False),
            glm.TextDelta: self._take_text,
            glm.TextDone: self._take_text_end,
            glm.TranscriptDelta: self._take_spoken_text,
            glm.TranscriptDone: self._take_spoken_text_end,
            glm.AudioDelta: self._take_audio,
            glm.ArgumentsDone: self._take_call,
            glm.RateLimitsUpdated: self._take_limits,
            glm.RateLimitsUpdatedToo: self._take_limits,
        }
        self._alarms: Mapping[str, Callable[[], None]] = {
            "frames": lambda: self._microphone.send_frames(tail=True),
            "update": self._setup.confirm_all,
            "commit": self._give_up_commit,
            "answer": self._responder.time_out,
            "stop": self._responder.stopped,
            "transcript": self._microphone.unwritten.write_down,
        }

    # --- What happens -------------------------------------------------------------------------------

    def start(self, change: SessionChange | None, *, now: float) -> list[Effect]:
        """
        Begin: tell both sides what holds.

        ``change`` is what the client's key brings with it, None for nothing. Raises InvalidRequest for it.
        """
        talk = self._talk
        talk.now = now
        if change is not None:
            talk.config = changed(talk.config, change)
        session = talk.shape.session(talk.config, session_id=talk.session_id, expires_at=talk.expires_at)
        talk.tell(server.SessionCreated(session=session))
        self._setup.begin()
        self._listen()
        return self._effects()

    def from_client(self, data: str | bytes, *, now: float) -> list[Effect]:
        """Deal with what the client sends; whatever is wrong with it becomes an error event."""
        self._talk.now = now
        event_id, self.read = None, OTHER
        try:
            event = read_client(data)
            event_id, self.read = event.event_id, str(event.__struct_config__.tag)
            self._asks[type(event)](event)
        except UnreadableError as unreadable:
            self._talk.refuse(unreadable.error, event_id=unreadable.event_id)
        except GatewayError as error:
            self._talk.refuse(error, event_id=event_id)
        return self._effects()

    def from_glm(self, data: str | bytes, *, now: float) -> list[Effect]:
        """Deal with what GLM sends; what is new or nobody's business is passed over."""
        self._talk.now = now
        event = read_glm(data)
        self.read = str(event.__struct_config__.tag) if event is not None else OTHER
        take = self._hears.get(type(event))
        if take is not None:
            take(event)
        return self._effects()

    def bring(self, errand_id: str, brought: Brought, *, now: float) -> list[Effect]:
        """Take what an errand brings."""
        self._talk.now = now
        self._talk.bring(errand_id, brought)
        return self._effects()

    def wake(self, *, now: float) -> list[Effect]:
        """Do what is due."""
        talk = self._talk
        talk.now = now
        for name in [name for name, at in talk.alarms.items() if at <= now]:
            if talk.alarms.pop(name, None) is not None:
                self._alarms[name]()
        return self._effects()

    @property
    def due(self) -> float | None:
        """When there is something to do, if nothing happens before."""
        return min(self._talk.alarms.values(), default=None)

    def end(self, error: GatewayError, *, code: int) -> list[Effect]:
        """End the session for a reason that the client is told; a response under way fails."""
        if not self._responder.fail(error):
            self._talk.refuse(error)
        self._talk.close(code=code, reason=error.code or error.type)
        return self._effects()

    def resume(self, *, now: float) -> list[Effect]:
        """Go on with a new connection to GLM, which knows nothing yet; what was written or said is told again."""
        talk = self._talk
        talk.now = now
        while (commit := self._microphone.give_up()) is not None:
            lost = UpstreamUnavailable("The connection to GLM was lost before it had taken this. Say it again.")
            talk.refuse(lost, event_id=commit.event_id)
        self._microphone.restart()
        self._setup.begin_anew()
        self._responder.abandon()
        self._conversing.replay()
        return self._effects()

    @property
    def resumable(self) -> bool:
        """Whether a new connection may go better than the one that was lost."""
        return self._setup.confirmed

    @property
    def responding(self) -> bool:
        """Whether a response is under way."""
        return self._responder.busy or self._asides.busy

    @property
    def heard_bytes(self) -> int:
        """How much of the user's voice there was, in bytes of 16 kHz s16le."""
        return self._microphone.heard_bytes

    @property
    def dropped_bytes(self) -> int:
        """How much of that GLM never took."""
        return self._microphone.dropped_bytes

    @property
    def full(self) -> bool:
        """Whether the client has to wait before it sends more."""
        return self._microphone.full

    @property
    def spoken_bytes(self) -> int:
        """How much GLM has spoken, in bytes of 24 kHz s16le."""
        return self._talk.spoken_bytes

    def _is_blocked(self) -> bool:
        return self._narrator.busy or self._pictures.busy

    def _effects(self) -> list[Effect]:
        self._narrator.advance()
        self._responder.advance()
        effects, self._talk.effects = self._talk.effects, []
        return effects

    # --- From the client ----------------------------------------------------------------------------

    def _update_session(self, event: client.SessionUpdate | client.TranscriptionSessionUpdate) -> None:
        flat = isinstance(event, client.TranscriptionSessionUpdate)
        self._setup.change(event.session, event_id=event.event_id, flat=flat)
        self._listen()

    def _listen(self) -> None:
        """Have the gateway's own ear listen, if it is to decide about turns."""
        turns, microphone = self._talk.config.turn_detection, self._microphone
        if turns is None or self._setup.hears_turns:
            microphone.ear = None
        elif microphone.ear is None or microphone.ear.turns != turns:
            microphone.ear = Ear(turns)

    def _append(self, event: client.AudioAppend) -> None:
        self._play(event.audio)

    def _play(self, audio: bytes) -> None:
        for heard in self._microphone.append(audio):
            self._take_turn(heard)

    def _take_turn(self, heard: Heard) -> None:
        """Do what GLM would do where it decides about turns."""
        microphone, responder = self._microphone, self._responder
        turns, ear = self._talk.config.turn_detection, microphone.ear
        if turns is None or ear is None:
            return
        if heard == "start":
            microphone.start_speech(ear.start_ms)
            if turns.interrupt_response is not False and responder.busy:
                responder.cancel(None, reason="turn_detected")
            return
        microphone.stop_speech(ear.end_ms)
        microphone.end_turn()
        if turns.create_response is not False and not responder.busy:
            responder.create(Plan())

    def _commit(self, event: client.AudioCommit) -> None:
        self._microphone.commit(event_id=event.event_id)

    def _clear(self, event: client.AudioClear) -> None:
        del event
        self._microphone.clear()
        self._talk.tell(server.AudioCleared())

    def _clear_output(self, event: client.OutputAudioClear) -> None:
        raise InvalidRequest(
            f"'{event.__struct_config__.tag}' is for WebRTC. Over a WebSocket, send 'response.cancel' and stop "
            "playing yourself.",
            param="type",
            code="unsupported_value",
        )

    def _create_response(self, event: client.ResponseCreate) -> None:
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

    def _cancel_response(self, event: client.ResponseCancel) -> None:
        if not self._asides.cancel(event.response_id):
            self._responder.cancel(event.response_id)

    # --- From GLM -----------------------------------------------------------------------------------

    def _take_error(self, event: glm.Error) -> None:
        """Find out whose error it is: GLM does not say which event it is about, but answers in their order."""
        if event.error.code == NOTHING_TO_STOP:
            self._responder.stopped()
            return
        error = error_of(event.error)
        if not self._setup.settled:
            self._setup.fail(error)
        elif self._microphone.commits:
            commit = self._microphone.give_up()
            self._talk.refuse(error, event_id=commit.event_id if commit is not None else None)
        elif not self._conversing.settle_deletion() and not self._responder.fail(error):
            self._talk.refuse(error)

    def _take_deletion(self, event: glm.ItemDeleted) -> None:
        del event
        self._conversing.settle_deletion()

    def _take_confirmation(self, event: object) -> None:
        del event
        self._setup.confirm()

    def _take_item(self, event: glm.ItemCreated) -> None:
        """Take an item that is the user's turn; all others are known."""
        content = event.item.content or [{}]
        spoken = event.item.role == "user" and content[0].get("type") == "input_audio"
        if spoken and self._microphone.awaits_item:
            self._microphone.confirm(event.item.id)

    def _take_transcript(self, event: glm.TranscriptionCompleted) -> None:
        self._microphone.transcribe(event.item_id, event.transcript or "")

    def _take_failed_transcript(self, event: glm.TranscriptionFailed) -> None:
        failure = event.error
        self._microphone.fail_transcription(
            event.item_id,
            server.TranscriptionError(
                type="server_error",
                code=str(failure.code) if failure.code is not None else None,
                message="GLM could not make out what was said.",
            ),
        )

    def _take_speech_start(self, event: glm.SpeechStarted) -> None:
        self._microphone.start_speech(round(event.audio_start_ms or 0))

    def _take_speech_stop(self, event: glm.SpeechStopped) -> None:
        self._microphone.stop_speech(round(event.audio_end_ms or 0))

    def _take_response(self, event: glm.ResponseCreated) -> None:
        self._responder.start(event.response.id)

    def _take_text(self, event: glm.TextDelta) -> None:
        if answer := self._responder.find(event.response_id):
            answer.add_text(event.delta or "")

    def _take_text_end(self, event: glm.TextDone) -> None:
        if answer := self._responder.find(event.response_id):
            answer.end_text(event.text)

    def _take_spoken_text(self, event: glm.TranscriptDelta) -> None:
        if answer := self._responder.find(event.response_id):
            answer.add_transcript(event.delta or "")

    def _take_spoken_text_end(self, event: glm.TranscriptDone) -> None:
        if answer := self._responder.find(event.response_id):
            answer.end_transcript(event.transcript)

    def _take_audio(self, event: glm.AudioDelta) -> None:
        if answer := self._responder.find(event.response_id):
            answer.add_audio(event.delta or "")

    def _take_call(self, event: glm.ArgumentsDone) -> None:
        self._responder.call(event.response_id, event.name or "", event.arguments or "")

    def _take_limits(self, event: glm.RateLimitsUpdated | glm.RateLimitsUpdatedToo) -> None:
        limits = tuple(
            server.RateLimit(
                name=limit.name or "",
                limit=limit.limit or 0,
                remaining=limit.remaining or 0,
                reset_seconds=limit.reset_seconds or 0.0,
            )
            for limit in event.rate_limits or ()
            if limit.name in LIMIT_NAMES
        )
        if limits:
            self._talk.tell(server.RateLimitsUpdated(rate_limits=limits))

    # --- When time is up ----------------------------------------------------------------------------

    def _give_up_commit(self) -> None:
        commit = self._microphone.give_up()
        if commit is not None:
            error = UpstreamTimeout("GLM did not take what was committed in time. Say it again.")
            self._talk.refuse(error, event_id=commit.event_id)
