"""
Plain samples: pcm16 is signed 16 bit, little-endian, one channel, at a rate that whoever has it knows.

The bytes are the processor's own, which are little-endian wherever PyAV has wheels.
"""

import struct

from av import AudioFrame
from msgspec import Struct

SAMPLE_BYTES = 2

WAV_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
UNKNOWN_BYTES = 0xFFFFFFFF


class Sound(Struct, frozen=True):
    """Samples of pcm16 and their rate."""

    pcm: bytes
    sample_rate: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.pcm) / SAMPLE_BYTES / self.sample_rate


def samples_of(frame: AudioFrame) -> bytes:
    """Return a frame's samples; its buffer can be longer than they are."""
    return memoryview(frame.planes[0])[: frame.samples * SAMPLE_BYTES].tobytes()


def wav_header(*, sample_rate: int, data_bytes: int | None) -> bytes:
    """Return what makes samples of pcm16 a wav file; None is said as a length that is not known yet."""
    size = UNKNOWN_BYTES if data_bytes is None else data_bytes
    return WAV_HEADER.pack(
        b"RIFF", min(size + WAV_HEADER.size - 8, UNKNOWN_BYTES), b"WAVE", b"fmt ", 16, 1, 1,
        sample_rate, sample_rate * SAMPLE_BYTES, SAMPLE_BYTES, 8 * SAMPLE_BYTES, b"data", size,
    )  # fmt: skip


def wav(pcm: bytes, *, sample_rate: int) -> bytes:
    """Return samples of pcm16 as a wav file."""
    return wav_header(sample_rate=sample_rate, data_bytes=len(pcm)) + pcm
