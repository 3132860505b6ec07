"""
How long a recording is by its own head: where less is there, it was not sent whole.

Only heads count that are written when a recording is complete. Those of a stream say nothing, and FFmpeg guesses
the length of mp3, aac and MPEG from the first bytes.
"""

from typing import BinaryIO

from gateway.audio.containers import Container
from gateway.audio.opening import Opened

TELLING: frozenset[Container] = frozenset({"flac", "mp4", "aiff"})
"""Of these FFmpeg reads the length that the head says."""

RIFF_HEAD_BYTES = 28
UNKNOWN_FROM_BYTES = 0x7FFF0000
"""What programs that write into a pipe put down is about 2 or 4 GiB, or nothing."""


def claimed_seconds(file: BinaryIO, recording: Opened, *, seconds: float) -> float | None:
    """Return how long a recording is by its head, None where that does not say; ``seconds`` of it are there."""
    if recording.container == "wav":
        claimed_bytes = riff_bytes(file)
        return None if claimed_bytes is None else seconds * claimed_bytes / recording.size_bytes
    stream = recording.stream
    if recording.container not in TELLING or stream.duration is None or stream.time_base is None:
        return None
    return float(stream.duration * stream.time_base)


def riff_bytes(file: BinaryIO) -> int | None:
    """Return how long a wav file says it is, None where it does not."""
    file.seek(0)
    head = file.read(RIFF_HEAD_BYTES)
    if head[:4] == b"RF64":
        # The size of four bytes says nothing; the first chunk, without which it is no such file, has one of eight.
        return int.from_bytes(head[20:28], "little") + 8
    if head[:4] not in (b"RIFF", b"RIFX"):
        return None
    claimed = int.from_bytes(head[4:8], "big" if head[:4] == b"RIFX" else "little")
    return claimed + 8 if 0 < claimed < UNKNOWN_FROM_BYTES else None
