"""A client's audio as turns, where the gateway hears them and keeps them until they are written down."""

from collections.abc import Iterator

from gateway.errors import InvalidRequest
from gateway.translate.realtime.config import Config
from gateway.translate.realtime.decoding import bounded
from gateway.translate.realtime.sound import INPUT_BYTES_PER_SECOND, Sound
from gateway.translate.realtime.turns import Ear, Heard, hearing

MAX_TURN_SECONDS = 600


class Recorder:
    """
    Keeps what was appended since the last turn, as 16 kHz mono s16le.

    ``ear`` decides when a turn begins and ends; None: the client does. ``heard_bytes`` is how much there was.
    """

    def __init__(self, sound: Sound, config: Config) -> None:
        self.ear: Ear | None = None
        self.heard_bytes = 0
        self._sound = sound
        self._turn = bytearray()
        self._form = config.input_format
        self._converter = sound.to_glm(self._form)
        self.follow(config)

    def follow(self, config: Config) -> None:
        """Take audio in the format, and hear turns by the rules, that hold from now on."""
        if self._form != config.input_format:
            self._form = config.input_format
            self._converter = self._sound.to_glm(self._form)
        heard_ms = self.heard_bytes * 1000 // INPUT_BYTES_PER_SECOND
        self.ear = hearing(self.ear, config.turn_detection, heard_ms=heard_ms)

    def append(self, audio: bytes) -> Iterator[Heard]:
        """Take audio; give each turn that begins or ends in it. Raises InvalidRequest."""
        pcm = self._converter.feed(bounded(audio))
        self.heard_bytes += len(pcm)
        for kept, heard in self.ear.listen(pcm) if self.ear is not None else ((pcm, None),):
            self._turn += kept
            if heard is not None:
                yield heard
        if len(self._turn) > MAX_TURN_SECONDS * INPUT_BYTES_PER_SECOND:
            self.clear()
            raise InvalidRequest(
                f"More than {MAX_TURN_SECONDS} s were appended without a commit, and were dropped.",
                code="input_audio_buffer_too_long",
            )

    def take(self) -> bytes:
        """Return the turn that has ended, and begin the next."""
        pcm = bytes(self._turn)
        self._turn.clear()
        return pcm

    def take_all(self) -> bytes:
        """Return everything up to now, where the client ends a turn; raise InvalidRequest when that is nothing."""
        self._turn += self._converter.finish()
        self._converter = self._sound.to_glm(self._form)
        if self.ear is not None:
            self.ear.forget()
        if not self._turn:
            raise InvalidRequest(
                "Error committing input audio buffer: the buffer is empty. Append audio first.",
                code="input_audio_buffer_commit_empty",
            )
        return self.take()

    def clear(self) -> None:
        """Drop what was appended."""
        self._turn.clear()
        self._converter = self._sound.to_glm(self._form)
        if self.ear is not None:
            self.ear.forget()
