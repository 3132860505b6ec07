"""Who decides that a turn of the user's has begun or ended; and what follows where the gateway does."""

from gateway.translate.realtime.microphone import Microphone
from gateway.translate.realtime.plan import Plan
from gateway.translate.realtime.responder import Responder
from gateway.translate.realtime.setup import Setup
from gateway.translate.realtime.talk import Talk
from gateway.translate.realtime.turns import Heard, hearing


class TurnTaking:
    """Does what GLM would do, where it does not decide about turns."""

    def __init__(self, talk: Talk, *, setup: Setup, microphone: Microphone, responder: Responder) -> None:
        self._talk = talk
        self._setup = setup
        self._microphone = microphone
        self._responder = responder
        self._glm_hears = False

    def follow(self) -> None:
        """Have the gateway's own ear listen by the rules that hold from now on, if it is to decide."""
        turns, microphone = self._talk.config.turn_detection, self._microphone
        rules = None if self._setup.hears_turns else turns
        microphone.ear = hearing(microphone.ear, rules, heard_ms=microphone.heard_ms)
        heard, self._glm_hears = self._glm_hears, turns is not None and self._setup.hears_turns
        if heard and not self._glm_hears:
            microphone.drop_silence()

    def play(self, audio: bytes) -> None:
        """Take what the client has recorded; raise InvalidRequest."""
        for heard in self._microphone.append(audio):
            self._take(heard)

    def _take(self, heard: Heard) -> None:
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
