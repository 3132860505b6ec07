"""What the translator needs of audio: a port, since the conversions are not its own."""

from typing import Protocol

from gateway.openai.realtime.session import FormatType

GLM_INPUT_HERTZ = 16_000
GLM_OUTPUT_HERTZ = 24_000
SAMPLE_BYTES = 2
INPUT_BYTES_PER_SECOND = GLM_INPUT_HERTZ * SAMPLE_BYTES
FRAME_BYTES = INPUT_BYTES_PER_SECOND // 10
"""100 ms, which is what GLM recommends for a message."""
OUTPUT_BYTES_PER_SECOND = GLM_OUTPUT_HERTZ * SAMPLE_BYTES


class Converter(Protocol):
    """A stream of audio from one form to another, piece by piece, however it is cut."""

    def feed(self, audio: bytes) -> bytes:
        """Return what this piece completes."""

    def finish(self) -> bytes:
        """Return what is left; nothing is fed after that."""


class Sound(Protocol):
    """Makes converters."""

    def to_glm(self, form: FormatType) -> Converter:
        """Return what turns a client's audio into 16 kHz mono s16le."""

    def to_client(self, form: FormatType) -> Converter | None:
        """Return what turns GLM's 24 kHz mono s16le into a client's form; None where that is the same."""


class WholeSamples:
    """A converter that changes nothing but where the pieces end: never within a sample."""

    def __init__(self) -> None:
        self._half = b""

    def feed(self, audio: bytes) -> bytes:
        """Return the samples that this piece completes."""
        audio = self._half + audio
        whole = len(audio) - len(audio) % SAMPLE_BYTES
        self._half = audio[whole:]
        return audio[:whole]

    def finish(self) -> bytes:
        """Return nothing: what is left is no sample."""
        return b""
