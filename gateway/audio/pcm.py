"""
Plain samples: pcm16 is signed 16 bit, little-endian, one channel, at a rate that whoever has it knows.

The bytes are the processor's own, which are little-endian wherever PyAV has wheels.
"""

import struct
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from av import AudioFrame

SAMPLE_BYTES = 2
MIN_RATE, MAX_RATE = 4_000, 384_000
"""Between which a rate is one of sound, in Hz."""

WAV_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
WAV_FORM = struct.Struct("<HHIIHH")
CHUNK_HEADER = struct.Struct("<4sI")
UNKNOWN_BYTES = 0xFFFFFFFF


class Sound(Struct, frozen=True):
    """Samples of pcm16 and their rate."""

    pcm: bytes
    sample_rate: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.pcm) / SAMPLE_BYTES / self.sample_rate


def samples_of(frame: "AudioFrame") -> bytes:
    """Return a frame's samples; its buffer can be longer than they are."""
    return memoryview(frame.planes[0])[: frame.samples * SAMPLE_BYTES].tobytes()


def wav_header(*, sample_rate: int, data_bytes: int | None) -> bytes:
    """Return what makes samples of pcm16 a wav file; None is said as a length that is not known yet."""
    size = UNKNOWN_BYTES if data_bytes is None else data_bytes
    return WAV_HEADER.pack(
        b"RIFF", min(size + WAV_HEADER.size - 8, UNKNOWN_BYTES), b"WAVE", b"fmt ", 16, 1, 1,
        sample_rate, sample_rate * SAMPLE_BYTES, SAMPLE_BYTES, 8 * SAMPLE_BYTES, b"data", size,
    )  # fmt: skip


def plain_sound(data: bytes) -> Sound | None:
    """
    Return the samples of a wav file of pcm16, as far as they are there, to the last byte; None for any other.

    A length that the file does not have, as of one that is still being made, counts as its end.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return None
    at, sample_rate = 12, None
    while at + CHUNK_HEADER.size <= len(data):
        name, size = CHUNK_HEADER.unpack_from(data, at)
        at += CHUNK_HEADER.size
        if name == b"data":
            return None if sample_rate is None else Sound(data[at : at + (size or len(data))], sample_rate)
        if name == b"fmt ":
            sample_rate = plain_rate(data[at : at + size])
        at += size + size % 2
    return None


def plain_rate(form: bytes) -> int | None:
    """Return the rate that a wav file's form says, None for anything but one channel of pcm16."""
    if len(form) < WAV_FORM.size:
        return None
    kind, channels, sample_rate, _, _, bits = WAV_FORM.unpack_from(form)
    is_plain = (kind, channels, bits) == (1, 1, 8 * SAMPLE_BYTES) and MIN_RATE <= sample_rate <= MAX_RATE
    return sample_rate if is_plain else None


def wav(pcm: bytes, *, sample_rate: int) -> bytes:
    """Return samples of pcm16 as a wav file."""
    return wav_header(sample_rate=sample_rate, data_bytes=len(pcm)) + pcm
