"""What GLM speaks, in the format that somebody asked for: bytes of either kind to samples, samples to a file."""

import io

from gateway.audio.bounds import Bounds
from gateway.audio.encode import AudioFormat, encode, encoder
from gateway.audio.pcm import Sound, plain_sound
from gateway.audio.probing import probe
from gateway.audio.reading import decode
from gateway.audio.resample import Resampler

SPEECH_RATE = 24_000
"""The rate of what OpenAI's models speak, in Hz."""


def sound_of(data: bytes, *, headerless_rate: int, bounds: Bounds) -> Sound:
    """
    Return the samples of what GLM sent: a wav file, or samples of pcm16 alone, which do not tell their rate.

    Raises InvalidRequest when it is a wav file that cannot be read.
    """
    if data[:4] != b"RIFF":
        return Sound(data[: len(data) & ~1], headerless_rate)
    if (plain := plain_sound(data)) is not None and plain.pcm:
        return Sound(plain.pcm[: len(plain.pcm) & ~1], plain.sample_rate)
    return read_sound(data, bounds=bounds, sample_rate=None)


def read_sound(data: bytes, *, bounds: Bounds, sample_rate: int | None) -> Sound:
    """
    Return the samples of a whole recording of any kind; None leaves them at the rate that it has.

    Raises InvalidRequest, the fault of whoever sent it.
    """
    rate = sample_rate or probe(io.BytesIO(data), bounds).sample_rate
    return Sound(b"".join(decode(io.BytesIO(data), bounds, sample_rate=rate)), rate)


def convert(sound: Sound, kind: AudioFormat, *, sample_rate: int = SPEECH_RATE) -> bytes:
    """Return a whole file of this kind and rate."""
    resampler = Resampler(from_rate=sound.sample_rate, to_rate=sample_rate)
    return encode(resampler.feed(sound.pcm) + resampler.finish(), kind, sample_rate=sample_rate)


class Converter:
    """A file of one kind and rate, made piece by piece from samples of another rate."""

    def __init__(self, kind: AudioFormat, *, from_rate: int, sample_rate: int = SPEECH_RATE) -> None:
        self._resampler = Resampler(from_rate=from_rate, to_rate=sample_rate)
        self._encoder = encoder(kind, sample_rate=sample_rate)

    def feed(self, pcm: bytes) -> bytes:
        """Return the bytes of the file that these samples complete, empty when none yet."""
        return self._encoder.feed(self._resampler.feed(pcm))

    def finish(self) -> bytes:
        """Return the end of the file."""
        return self._encoder.feed(self._resampler.finish()) + self._encoder.finish()
