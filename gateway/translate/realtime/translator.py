"""A call between an OpenAI client and GLM-Realtime: the events of both sides in, what to do about them out."""

from collections.abc import Callable, Mapping

from gateway.errors import GatewayError, UpstreamUnavailable
from gateway.openai.realtime import client
from gateway.translate.realtime.asides import Asides
from gateway.translate.realtime.calls import Calls
from gateway.translate.realtime.conversing import Conversing
from gateway.translate.realtime.effects import Effect
from gateway.translate.realtime.interpreter import OTHER, Interpreter
from gateway.translate.realtime.microphone import Microphone
from gateway.translate.realtime.narrator import Narrator
from gateway.translate.realtime.pictures import Pictures
from gateway.translate.realtime.reading import GLM_NAMES, read_glm
from gateway.translate.realtime.recordings import Recordings
from gateway.translate.realtime.reports import Reports
from gateway.translate.realtime.requests import Requests
from gateway.translate.realtime.responder import Responder
from gateway.translate.realtime.setup import Setup
from gateway.translate.realtime.taking_turns import TurnTaking
from gateway.translate.realtime.talk import Talk


class Translator(Interpreter):
    """Puts the parts of a call together, and gives each what it is there for."""

    def __init__(self, talk: Talk) -> None:
        super().__init__(talk)
        self._calls = calls = Calls(talk)
        self._setup = setup = Setup(talk)
        self._microphone = microphone = Microphone(talk)
        self._narrator = narrator = Narrator(talk, setup=setup, microphone=microphone)
        self._pictures = pictures = Pictures(talk, setup=setup)
        self._responder = responder = Responder(
            talk, setup=setup, microphone=microphone, calls=calls, blocked=self._is_blocked
        )
        self._asides = Asides(talk, calls=calls)
        self._turns = TurnTaking(talk, setup=setup, microphone=microphone, responder=responder)
        self._conversing = conversing = Conversing(
            talk,
            setup=setup,
            calls=calls,
            narrator=narrator,
            pictures=pictures,
            recordings=Recordings(talk, setup=setup, microphone=microphone),
        )
        self._requests = Requests(
            talk,
            setup=setup,
            microphone=microphone,
            turns=self._turns,
            responder=responder,
            asides=self._asides,
            conversing=conversing,
        )
        self._reports = Reports(
            talk,
            setup=setup,
            microphone=microphone,
            turns=self._turns,
            responder=responder,
            conversing=conversing,
        )
        self._alarms: Mapping[str, Callable[[], None]] = {
            "frames": lambda: microphone.send_frames(tail=True),
            "update": setup.confirm_all,
            "commit": microphone.commits.presume,
            "answer": responder.time_out,
            "outputs": responder.hurry,
            "stop": responder.wait_no_longer,
            "transcript": microphone.transcripts.unwritten.write_down,
        }

    def _begin(self) -> None:
        self._setup.begin()
        self._turns.follow()

    def _ask(self, event: client.ClientEvent) -> None:
        self._requests.take(event)

    def from_glm(self, data: str | bytes, *, now: float) -> list[Effect]:
        """Deal with what GLM sends; what is new or nobody's business is passed over."""
        self._talk.now = now
        event = read_glm(data)
        self.read = OTHER if event is None else GLM_NAMES[type(event)]
        self._reports.take(event)
        return self._effects()

    def refused(self, error: GatewayError, *, now: float) -> list[Effect]:
        """Tell whose error it is."""
        self._talk.now = now
        self._reports.blame(error)
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
        while (commit := self._microphone.commits.give_up()) is not None:
            lost = UpstreamUnavailable("The connection to GLM was lost before it had taken this. Say it again.")
            talk.refuse(lost, event_id=commit.event_id)
        self._microphone.restart()
        self._setup.begin_anew()
        self._calls.lose()
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

    def _is_blocked(self) -> bool:
        return self._narrator.busy or self._pictures.busy

    def _effects(self) -> list[Effect]:
        self._narrator.advance()
        self._responder.advance()
        return super()._effects()
