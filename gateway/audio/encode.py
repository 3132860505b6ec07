"""Samples as a file: wav, mp3, flac, opus, aac or nothing around them, whole or piece by piece."""

import io
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, Protocol

from msgspec import Struct

from gateway.audio.pcm import SAMPLE_BYTES, wav, wav_header
from gateway.audio.resample import frame_of

AudioFormat = Literal["wav", "mp3", "flac", "opus", "aac", "pcm16"]
"""``opus`` is in Ogg, ``aac`` in ADTS, ``pcm16`` is samples alone."""

MEDIA_TYPES: Mapping[AudioFormat, str] = MappingProxyType(
    {
        "wav": "audio/wav",
        "mp3": "audio/mpeg",
        "flac": "audio/flac",
        "opus": "audio/ogg",
        "aac": "audio/aac",
        "pcm16": "audio/pcm",
    }
)


class Encoder(Protocol):
    """Turns samples into a file from its first byte to its last."""

    def feed(self, pcm: bytes) -> bytes:
        """Return the bytes of the file that these samples complete; whole samples only."""

    def finish(self) -> bytes:
        """Return the end of the file."""


class Recipe(Struct, frozen=True, kw_only=True):
    """How FFmpeg makes a file; ``streaming`` is what differs when its head cannot be written again at the end."""

    muxer: str
    codec: str
    bit_rate: int | None = None
    options: Mapping[str, str] = {}
    streaming: Mapping[str, str] = {}


RECIPES: Mapping[AudioFormat, Recipe] = MappingProxyType(
    {
        "mp3": Recipe(muxer="mp3", codec="libmp3lame", bit_rate=96_000, streaming={"write_xing": "0"}),
        "flac": Recipe(muxer="flac", codec="flac"),
        # Pages of 100 ms, so that what is spoken can be heard at once.
        "opus": Recipe(muxer="ogg", codec="libopus", bit_rate=48_000, options={"page_duration": "100000"}),
        "aac": Recipe(muxer="adts", codec="aac", bit_rate=96_000),
    }
)


def encoder(kind: AudioFormat, *, sample_rate: int) -> Encoder:
    """
    Return an encoder whose bytes can be sent as they come; their head does not tell the length.

    ``sample_rate`` is one that the format has: 8, 12, 16, 24 and 48 kHz are in all of them.
    """
    if kind == "pcm16":
        return Bare()
    if kind == "wav":
        return Wav(sample_rate=sample_rate)
    return Muxed(RECIPES[kind], Spout(), sample_rate=sample_rate)


def encode(pcm: bytes, kind: AudioFormat, *, sample_rate: int) -> bytes:
    """Return a whole file, whose head tells its length where the format can."""
    if kind == "pcm16":
        return pcm
    if kind == "wav":
        return wav(pcm, sample_rate=sample_rate)
    file = io.BytesIO()
    muxed = Muxed(RECIPES[kind], file, sample_rate=sample_rate)
    for start in range(0, len(pcm), PIECE_BYTES):
        muxed.feed(pcm[start : start + PIECE_BYTES])
    muxed.finish()
    return file.getvalue()


PIECE_BYTES = 64 * 1024


class Bare:
    """Samples and nothing else."""

    def feed(self, pcm: bytes) -> bytes:
        """Return the samples."""
        return pcm

    def finish(self) -> bytes:
        """Return nothing."""
        return b""


class Wav:
    """A wav file of a length that is not known when it begins."""

    def __init__(self, *, sample_rate: int) -> None:
        self._head = wav_header(sample_rate=sample_rate, data_bytes=None)

    def feed(self, pcm: bytes) -> bytes:
        """Return the samples, the first with the head before them."""
        head, self._head = self._head, b""
        return head + pcm

    def finish(self) -> bytes:
        """Return the head if nothing was fed."""
        return self.feed(b"")


class Spout(io.RawIOBase):
    """A file that is only written, and gives away what was."""

    def __init__(self) -> None:
        super().__init__()
        self._written: list[bytes] = []

    def write(self, data: object) -> int:
        """Keep what FFmpeg writes."""
        written = bytes(memoryview(data))  # type: ignore[arg-type]
        self._written.append(written)
        return len(written)

    def writable(self) -> bool:
        """Return that it can be written."""
        return True

    def take(self) -> bytes:
        """Return what was written since the last time."""
        written, self._written = b"".join(self._written), []
        return written


class Muxed:
    """A file that FFmpeg makes."""

    def __init__(self, recipe: Recipe, sink: io.BytesIO | Spout, *, sample_rate: int) -> None:
        import av  # noqa: PLC0415 - see gateway.audio

        self._sink = sink
        self._sample_rate = sample_rate
        self._samples = 0
        streaming = recipe.streaming if isinstance(sink, Spout) else {}
        options = {"fflags": "+bitexact", **recipe.options, **streaming}
        self._file = av.open(sink, "w", format=recipe.muxer, container_options=options)
        stream = self._file.add_stream(recipe.codec, rate=sample_rate, layout="mono")
        assert isinstance(stream, av.AudioStream)  # noqa: S101 - every recipe's codec is one of sound
        if recipe.bit_rate is not None:
            stream.bit_rate = recipe.bit_rate
        self._stream = stream

    def feed(self, pcm: bytes) -> bytes:
        """Return the bytes that these samples complete; they stay in the file where that is kept whole."""
        if pcm:
            frame = frame_of(pcm, sample_rate=self._sample_rate)
            frame.pts = self._samples
            self._samples += len(pcm) // SAMPLE_BYTES
            self._file.mux(self._stream.encode(frame))
        return self._take()

    def finish(self) -> bytes:
        """Return the end of the file."""
        self._file.mux(self._stream.encode(None))
        self._file.close()
        return self._take()

    def _take(self) -> bytes:
        return self._sink.take() if isinstance(self._sink, Spout) else b""
