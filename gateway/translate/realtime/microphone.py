"""The user's voice on its way to GLM: converted, cut into frames, never more often than GLM listens."""

from collections.abc import Iterator

from gateway.errors import InvalidRequest
from gateway.glm.realtime import client as glm
from gateway.openai.realtime import server
from gateway.openai.realtime.session import FormatType
from gateway.translate.realtime.commits import Commits, Turn
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
SILENT_BYTES = 5 * INPUT_BYTES_PER_SECOND


class Microphone:
    """
    Takes a client's audio, and tells GLM where the turns in it end.

    ``ear`` decides when a turn ends where GLM does not; None: GLM does, or the client. ``commits`` makes items of
    the turns that GLM takes, ``transcripts`` tells what was said in them. ``dropped_bytes`` is how much was
    heard that GLM never took.
    """

    def __init__(self, talk: Talk) -> None:
        self.ear: Ear | None = None
        self.speaking = False
        self.heard_bytes = 0
        self.dropped_bytes = 0
        self._missed_bytes = 0
        self._turn = Turn()
        self.transcripts = Transcripts(talk)
        self.commits = Commits(talk, turn=self._turn, transcripts=self.transcripts)
        self._talk = talk
        self._form: FormatType = talk.config.input_format
        self._converter = talk.sound.to_glm(self._form)
        self._pending = bytearray()
        self._sent_at = float("-inf")

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
        if self._turn.size_bytes == 0:
            raise InvalidRequest(
                "Error committing input audio buffer: the buffer is empty. Append audio first.",
                code="input_audio_buffer_commit_empty",
            )
        if self._turn.size_bytes > MAX_COMMIT_SECONDS * INPUT_BYTES_PER_SECOND:
            self.dropped_bytes += self._turn.size_bytes
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
        self.commits.add(event_id=event_id)

    def speak(self, pcm: bytes, *, item_id: str, seconds: float | None = None) -> None:
        """
        Have GLM hear what is an item of the client's already; 16 kHz mono s16le.

        ``seconds`` is how long somebody has spoken there, None: it is known what is said.
        """
        self._flush()
        self._send(pcm)
        self._missed_bytes -= len(pcm)
        self._talk.ask(glm.AudioCommit())
        self._turn.size_bytes = 0
        if seconds is not None:
            self.transcripts.unwritten.hear(pcm, speaking=True)
        self.commits.add_given(item_id, seconds=seconds)

    def clear(self) -> None:
        """Drop what was appended, here and at GLM."""
        self._missed_bytes += len(self._pending)
        self._pending.clear()
        self._turn.drop()
        self.speaking = False
        self._converter = self._talk.sound.to_glm(self._form)
        if self.ear is not None:
            self.ear.forget()
        self._talk.rest("frames")
        self._talk.ask(glm.AudioClear())

    def drop_silence(self) -> None:
        """Drop what GLM has listened to for long and not taken for speech: it would begin the next turn."""
        sent_bytes = self._turn.size_bytes - len(self._pending)
        if not self.speaking and sent_bytes > SILENT_BYTES and len(self._pending) < FRAME_BYTES:
            self._turn.size_bytes = len(self._pending)
            self._talk.ask(glm.AudioClear())

    def restart(self) -> None:
        """Go on with a GLM that has heard nothing of the turn under way."""
        self._missed_bytes = self.heard_bytes - len(self._pending)
        self.dropped_bytes += self._turn.size_bytes - len(self._pending)
        self._turn.size_bytes = len(self._pending)
        if self.speaking and self.ear is None:
            self.stop_speech(self.heard_ms)
            self._turn.end_ms = None

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
        item_id = self._talk.id_of("item")
        self._turn.begin(item_id=item_id, start_ms=start_ms)
        self._talk.tell(server.SpeechStarted(audio_start_ms=start_ms, item_id=item_id))

    def stop_speech(self, end_ms: int) -> None:
        """Tell that the user has ended."""
        self.speaking = False
        item_id = self._turn.item_id = self._turn.item_id or self._talk.id_of("item")
        self._turn.end_ms = end_ms
        self._talk.tell(server.SpeechStopped(audio_end_ms=end_ms, item_id=item_id))

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

    def _take(self, pcm: bytes) -> Iterator[Heard]:
        self.heard_bytes += len(pcm)
        self._missed_bytes += len(pcm)
        for kept, heard in self.ear.listen(pcm) if self.ear is not None else ((pcm, None),):
            self._pending += kept
            self._turn.size_bytes += len(kept)
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
