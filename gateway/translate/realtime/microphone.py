"""The user's voice on its way to GLM: converted, cut into frames, never more often than GLM listens."""

from collections.abc import Iterator
from typing import Literal

from gateway.errors import InvalidRequest
from gateway.glm.realtime import client as glm
from gateway.openai.realtime import server
from gateway.openai.realtime.items import Content, Item
from gateway.openai.realtime.session import FormatType
from gateway.translate.realtime.decoding import bounded
from gateway.translate.realtime.sound import FRAME_BYTES, INPUT_BYTES_PER_SECOND
from gateway.translate.realtime.talk import Talk
from gateway.translate.realtime.transcripts import Transcripts
from gateway.translate.realtime.turns import Ear, Heard

LEAST_FRAME_BYTES = FRAME_BYTES * 9 // 10
"""Converting keeps back some 2 ms: a client's frame of 100 ms must not wait for the next because of that."""
MAX_MESSAGE_BYTES = INPUT_BYTES_PER_SECOND
PAUSE_SECONDS = 0.025
"""Between two messages, so that there are never 50 in a second: GLM drops what is more."""
MAX_COMMIT_SECONDS = 30
MAX_PENDING_BYTES = MAX_COMMIT_SECONDS * INPUT_BYTES_PER_SECOND
COMMIT_PATIENCE_SECONDS = 3.0
SILENT_BYTES = 5 * INPUT_BYTES_PER_SECOND

Telling = Literal["commit", "item"]
"""The two events by which GLM tells that it has taken a turn, in either order."""


class Commit:
    """
    A turn that GLM was told has ended.

    ``event_id`` is that of the client's commit, None when it made none; ``seconds`` is how long it was, None where
    nobody has to write down what is said in it. ``given``: its item is there already. ``number`` is which of all
    events to GLM it is.
    """

    def __init__(
        self,
        *,
        number: int,
        event_id: str | None = None,
        item_id: str | None = None,
        seconds: float | None = 0.0,
        given: bool = False,
    ) -> None:
        self.number = number
        self.event_id = event_id
        self.item_id = item_id
        self.seconds = seconds
        self.given = given


class Microphone:
    """
    Takes a client's audio, and makes items of the turns in it.

    ``ear`` decides when a turn ends where GLM does not; None: GLM does, or the client. ``commits`` are those that
    GLM has not confirmed yet. ``dropped_bytes`` is how much of what was heard GLM never took. ``transcripts``
    tells what was said in the turns.
    """

    def __init__(self, talk: Talk) -> None:
        self.commits: list[Commit] = []
        self.ear: Ear | None = None
        self.speaking = False
        self.heard_bytes = 0
        self.dropped_bytes = 0
        self._missed_bytes = 0
        self.transcripts = Transcripts(talk)
        self._talk = talk
        self._form: FormatType = talk.config.input_format
        self._converter = talk.sound.to_glm(self._form)
        self._pending = bytearray()
        self._turn_bytes = 0
        self._sent_at = float("-inf")
        self._next_id: str | None = None
        self._start_ms = 0
        self._end_ms: int | None = None
        self._presumed: list[str] = []
        self._told_by: dict[str, set[Telling]] = {}

    # --- From the client ----------------------------------------------------------------------------

    def append(self, audio: bytes) -> Iterator[Heard]:
        """
        Take audio; give each turn that begins or ends in it, as far as the gateway's own ear hears it.

        Raises InvalidRequest.
        """
        if self._form != self._talk.config.input_format:
            self._form = self._talk.config.input_format
            self._converter = self._talk.sound.to_glm(self._form)
        yield from self._take(self._converter.feed(bounded(audio)))

    def complete(self) -> None:
        """Take all of a turn that the client ends; raise InvalidRequest when it is empty or too long."""
        for _ in self._take(self._converter.finish()):
            pass  # the client ends the turn itself
        self._converter = self._talk.sound.to_glm(self._form)
        if self._turn_bytes == 0:
            raise InvalidRequest(
                "Error committing input audio buffer: the buffer is empty. Append audio first.",
                code="input_audio_buffer_commit_empty",
            )
        if self._turn_bytes > MAX_COMMIT_SECONDS * INPUT_BYTES_PER_SECOND:
            self.dropped_bytes += self._turn_bytes
            self.clear()
            raise InvalidRequest(
                f"The turn is longer than the {MAX_COMMIT_SECONDS} s that GLM hears at once, and was dropped. "
                "Commit more often, or let the server detect turns.",
                code="input_audio_buffer_too_long",
            )

    def commit(self, *, event_id: str | None) -> None:
        """End a turn that is complete for the client."""
        self.speaking = False
        if self.ear is not None:
            self.ear.forget()
        self.end_turn(event_id=event_id)

    def end_turn(self, *, event_id: str | None = None) -> None:
        """Have GLM take what was appended as a turn."""
        self._flush()
        self._talk.ask(glm.AudioCommit())
        self.commits.append(
            Commit(number=self._talk.asked, event_id=event_id, item_id=self._take_id(), seconds=self._seconds())
        )
        self._talk.wake("commit", after_seconds=COMMIT_PATIENCE_SECONDS)

    def speak(self, pcm: bytes, *, item_id: str, seconds: float | None = None) -> None:
        """
        Have GLM hear what is an item of the client's already; 16 kHz mono s16le.

        ``seconds`` is how long somebody has spoken there, None: it is known what is said.
        """
        self._flush()
        self._send(pcm)
        self._missed_bytes -= len(pcm)
        self._talk.ask(glm.AudioCommit())
        self._turn_bytes = 0
        if seconds is not None:
            self.transcripts.unwritten.hear(pcm, speaking=True)
        self.commits.append(Commit(number=self._talk.asked, item_id=item_id, seconds=seconds, given=True))
        self._talk.wake("commit", after_seconds=COMMIT_PATIENCE_SECONDS)

    def clear(self) -> None:
        """Drop what was appended, here and at GLM."""
        self._missed_bytes += len(self._pending)
        self._pending.clear()
        self._turn_bytes = 0
        self._next_id = None
        self.speaking = False
        self._converter = self._talk.sound.to_glm(self._form)
        if self.ear is not None:
            self.ear.forget()
        self._talk.rest("frames")
        self._talk.ask(glm.AudioClear())

    def drop_silence(self) -> None:
        """Drop what GLM has listened to for long and not taken for speech: it would begin the next turn."""
        sent_bytes = self._turn_bytes - len(self._pending)
        if not self.speaking and sent_bytes > SILENT_BYTES and len(self._pending) < FRAME_BYTES:
            self._turn_bytes = len(self._pending)
            self._talk.ask(glm.AudioClear())

    def restart(self) -> None:
        """Go on with a GLM that has heard nothing of the turn under way."""
        self._missed_bytes = self.heard_bytes - len(self._pending)
        self.dropped_bytes += self._turn_bytes - len(self._pending)
        self._turn_bytes = len(self._pending)
        if self.speaking and self.ear is None:
            self.stop_speech(self.heard_ms)
            self._end_ms = None

    @property
    def full(self) -> bool:
        """Whether there is as much to be sent as may wait."""
        return len(self._pending) > MAX_PENDING_BYTES

    @property
    def heard_ms(self) -> int:
        """How much was appended since the session began."""
        return self.heard_bytes * 1000 // INPUT_BYTES_PER_SECOND

    # --- From GLM -----------------------------------------------------------------------------------

    def moment_ms(self, glm_ms: float | None) -> int:
        """Return a moment of GLM's, which counts what this connection was sent, as one of the session's."""
        return max(0, round(glm_ms or 0) + self._missed_bytes * 1000 // INPUT_BYTES_PER_SECOND)

    def start_speech(self, start_ms: int) -> None:
        """Tell that the user begins to speak, and which item it will be."""
        self.speaking = True
        self._next_id = self._talk.id_of("item")
        self._start_ms, self._end_ms = start_ms, None
        self._talk.tell(server.SpeechStarted(audio_start_ms=start_ms, item_id=self._next_id))

    def stop_speech(self, end_ms: int) -> None:
        """Tell that the user has ended."""
        self.speaking = False
        if self._next_id is None:
            self._next_id = self._talk.id_of("item")
        self._end_ms = end_ms
        self._talk.tell(server.SpeechStopped(audio_end_ms=end_ms, item_id=self._next_id))

    @property
    def awaits_item(self) -> bool:
        """Whether a turn has ended that is no item yet."""
        return bool(self.commits) or self._end_ms is not None

    def confirm(self, glm_id: str | None, *, by: Telling) -> None:
        """Make an item of a turn that GLM has taken, unless it was made already."""
        if self._is_made(glm_id, by=by):
            return
        self._make_item(glm_id)

    def presume(self) -> None:
        """Take it that GLM has taken the oldest turn of which it says nothing: it tells of what it cannot take."""
        if self.commits:
            item_id = self.commits[0].item_id
            self._make_item(None)
            if taken := item_id or self._talk.history.last:
                self._presumed.append(taken)

    def give_up(self) -> Commit | None:
        """Return the oldest commit that GLM has not taken, which it will not take any more."""
        return self._next_commit()

    # --- Within -------------------------------------------------------------------------------------

    def send_frames(self, *, tail: bool = False) -> None:
        """Send what is a frame by now, if GLM may be sent something; ``tail``: also what is less than one."""
        talk, pending = self._talk, self._pending
        wait_seconds = self._sent_at + PAUSE_SECONDS - talk.now
        if wait_seconds <= 0 and (len(pending) >= LEAST_FRAME_BYTES or (tail and pending)):
            self._send(bytes(pending[:MAX_MESSAGE_BYTES]))
            del pending[:MAX_MESSAGE_BYTES]
            wait_seconds = PAUSE_SECONDS
        if len(pending) >= LEAST_FRAME_BYTES:
            talk.wake("frames", after_seconds=wait_seconds)
        elif pending:
            talk.wake("frames", after_seconds=0.1)
        else:
            talk.rest("frames")

    def _is_made(self, glm_id: str | None, *, by: Telling) -> bool:
        """Whether what GLM tells is of a turn that is an item, and not of another that it calls the same."""
        if glm_id is None:
            return False
        told_by = self._told_by.setdefault(glm_id, set())
        made = self._talk.history.linked(glm_id) is not None and not (by in told_by and self.awaits_item)
        if not made:
            told_by.clear()
        told_by.add(by)
        return made

    def _make_item(self, glm_id: str | None) -> None:
        talk = self._talk
        if self._presumed and not self.awaits_item:
            talk.history.link(glm_id, self._presumed.pop(0))
            return
        commit = self._next_commit() or Commit(number=talk.asked, item_id=self._take_id(), seconds=self._seconds())
        item_id = commit.item_id or talk.id_of("item")
        if not commit.given:
            talk.tell(server.AudioCommitted(previous_item_id=talk.history.last, item_id=item_id))
            heard = Content(type="input_audio", transcript=None)
            item = Item(id=item_id, type="message", status="completed", role="user", content=(heard,))
            talk.add(item)
            talk.finish(item)
        talk.history.link(glm_id, item_id)
        if commit.seconds is None:
            self.transcripts.skip()
        else:
            self.transcripts.expect(item_id, seconds=commit.seconds)

    def _take(self, pcm: bytes) -> Iterator[Heard]:
        self.heard_bytes += len(pcm)
        self._missed_bytes += len(pcm)
        for kept, heard in self.ear.listen(pcm) if self.ear is not None else ((pcm, None),):
            self._pending += kept
            self._turn_bytes += len(kept)
            self._missed_bytes -= len(kept)
            self.transcripts.unwritten.hear(kept, speaking=self.speaking)
            self.send_frames()
            if heard is not None:
                yield heard

    def _flush(self) -> None:
        if self._pending:
            self._send(bytes(self._pending))
            self._pending.clear()
        self._talk.rest("frames")

    def _send(self, pcm: bytes) -> None:
        self._sent_at = self._talk.now
        self._talk.ask(glm.AudioAppend(audio=pcm))

    def _next_commit(self) -> Commit | None:
        commit = self.commits.pop(0) if self.commits else None
        if self.commits:
            self._talk.wake("commit", after_seconds=COMMIT_PATIENCE_SECONDS)
        else:
            self._talk.rest("commit")
        return commit

    def _take_id(self) -> str | None:
        item_id, self._next_id = self._next_id, None
        return item_id

    def _seconds(self) -> float:
        """Return how long the turn was that has just ended, and begin to count the next."""
        seconds = self._turn_bytes / INPUT_BYTES_PER_SECOND
        if self._end_ms is not None:
            seconds = max(0, self._end_ms - self._start_ms) / 1000
        self._turn_bytes, self._end_ms = 0, None
        return seconds
