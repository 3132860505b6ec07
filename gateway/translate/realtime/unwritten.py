"""
What was said in turns that GLM may leave unwritten.

Its page shows transcripts only in flows with a response. Where the client wants none made, and acts by what was
said, a transcript that stays away is made by GLM's speech recognition.
"""

from collections.abc import Callable
from functools import partial

from msgspec import Struct

from gateway.errors import GatewayError
from gateway.openai.realtime.session import Transcription
from gateway.translate.realtime.effects import Brought, Ended, Words
from gateway.translate.realtime.recognition import recognition
from gateway.translate.realtime.sound import INPUT_BYTES_PER_SECOND
from gateway.translate.realtime.talk import Talk

PATIENCE_SECONDS = 2.0
BEFORE_BYTES = 2 * INPUT_BYTES_PER_SECOND
"""How much is kept while nobody is known to speak: GLM tells late that somebody does."""
MOST_BYTES = 60 * INPUT_BYTES_PER_SECOND


class Turn(Struct, kw_only=True):
    """A turn that has no transcript yet; ``errand_id`` is that of its making, None before."""

    pcm: bytes
    due: float
    errand_id: str | None = None
    text: str = ""


class Unwritten:
    """
    Keeps turns until they are written down, and has that done where GLM does not.

    ``tell`` is called with an item's id and its transcript, ``fail`` with the id and what went wrong.
    """

    def __init__(
        self, talk: Talk, *, tell: Callable[[str, str], None], fail: Callable[[str, GatewayError], None]
    ) -> None:
        self._talk = talk
        self._tell = tell
        self._fail = fail
        self._heard = bytearray()
        self._turns: dict[str, Turn] = {}

    @property
    def _wanted(self) -> bool:
        turns = self._talk.config.turn_detection
        return turns is not None and turns.create_response is False

    def hear(self, pcm: bytes, *, speaking: bool) -> None:
        """Keep what may be of a turn."""
        if not self._wanted:
            self._heard.clear()
            return
        self._heard += pcm
        most = MOST_BYTES if speaking else BEFORE_BYTES
        del self._heard[: max(0, len(self._heard) - most)]

    def take(self, item_id: str) -> None:
        """Take it that what was heard is an item now, and wait for its transcript."""
        if self._wanted and self._heard:
            self._turns[item_id] = Turn(pcm=bytes(self._heard), due=self._talk.now + PATIENCE_SECONDS)
            self._watch()
        self._heard.clear()

    def settle(self, item_id: str) -> None:
        """Take it that GLM has written a turn down."""
        turn = self._turns.pop(item_id, None)
        if turn is not None and turn.errand_id is not None:
            self._talk.forget(turn.errand_id)
        self._watch()

    def write_down(self) -> None:
        """Have written down what is overdue."""
        talk = self._talk
        for item_id, turn in self._turns.items():
            if turn.errand_id is None and turn.due <= talk.now:
                asked = recognition(
                    turn.pcm,
                    # Its model is OpenAI's, and GLM-Realtime's own has no name.
                    Transcription(prompt=getattr(talk.config.transcription, "prompt", None)),
                    model=talk.policy.transcription_model,
                )
                turn.errand_id = talk.send_out(asked, then=partial(self._hear_of, item_id))
        self._watch()

    def _hear_of(self, item_id: str, brought: Brought) -> None:
        turn = self._turns[item_id]
        match brought:
            case Words(text):
                turn.text += text
            case Ended(None):
                del self._turns[item_id]
                self._tell(item_id, turn.text)
            case Ended(GatewayError() as error):
                del self._turns[item_id]
                self._fail(item_id, error)
            case _:
                pass

    def _watch(self) -> None:
        due = min((turn.due for turn in self._turns.values() if turn.errand_id is None), default=None)
        if due is None:
            self._talk.rest("transcript")
        else:
            self._talk.wake("transcript", after_seconds=due - self._talk.now)
