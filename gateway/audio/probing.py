"""What a recording is, and whether all of it is there, without decoding it."""

from collections.abc import Iterator
from typing import BinaryIO

from msgspec import Struct

from gateway.audio.bounds import Bounds
from gateway.audio.claims import claimed_seconds
from gateway.audio.containers import Container
from gateway.audio.opening import Opened, opened

RIFF_HEAD_BYTES = 8

MISSING_SECONDS, MISSING_SHARE = 0.5, 0.01
"""How much less than it claims a recording may have: those who write heads round and count the codec's run-in."""


class Probe(Struct, frozen=True, kw_only=True):
    """
    What a recording is.

    ``seconds`` is counted from its parts, whatever its head claims, which is ``claimed_seconds``; None where that
    says nothing. No second of it has more bits than ``peak_bit_rate``. ``plain``: a wav file of one or two
    channels of pcm16 whose head tells its length, or MPEG layer 3: what any other program reads too.
    """

    container: Container
    codec: str
    sample_rate: int
    channels: int
    seconds: float
    claimed_seconds: float | None
    peak_bit_rate: float
    size_bytes: int
    plain: bool

    def check_whole(self, bounds: Bounds) -> None:
        """Raise InvalidRequest when the recording ends before its head says."""
        if self.claimed_seconds is None:
            return
        if self.claimed_seconds - self.seconds > max(MISSING_SECONDS, MISSING_SHARE * self.claimed_seconds):
            raise bounds.refusal(
                f"The recording breaks off: its head tells of {self.claimed_seconds:.1f} s, "
                f"and {self.seconds:.1f} s are there. Send all of it.",
                code="truncated_audio",
            )


def probe(file: BinaryIO, bounds: Bounds) -> Probe:
    """
    Return what a recording is, without decoding it.

    Raises InvalidRequest, the caller's fault: it is no recording, damaged from the start, or longer than allowed.
    """
    with opened(file, bounds) as recording:
        codec = recording.stream.codec_context
        seconds, peak_bit_rate = measure(recording, bounds)
        return Probe(
            container=recording.container,
            codec=codec.name,
            sample_rate=codec.sample_rate,
            channels=codec.channels,
            seconds=seconds,
            claimed_seconds=claimed_seconds(file, recording, seconds=seconds),
            peak_bit_rate=peak_bit_rate,
            size_bytes=recording.size_bytes,
            plain=is_plain(file, recording),
        )


def is_plain(file: BinaryIO, recording: Opened) -> bool:
    codec = recording.stream.codec_context
    if recording.container == "mp3":
        return codec.name in ("mp3", "mp3float")
    if recording.container != "wav" or codec.name != "pcm_s16le" or codec.channels > 2:
        return False
    file.seek(0)
    head = file.read(RIFF_HEAD_BYTES)
    return head[:4] == b"RIFF" and int.from_bytes(head[4:8], "little") + RIFF_HEAD_BYTES == recording.size_bytes


def measure(recording: Opened, bounds: Bounds) -> tuple[float, float]:
    """Return how long the parts of a recording are together, and the most bits that any second of it has."""
    tick_seconds = float(recording.stream.time_base or 0)
    ticks = second_from = second_bytes = 0
    peak_bytes = 0.0
    for size_bytes, more in parts(recording, bounds):
        ticks += more
        second_bytes += size_bytes
        bounds.check_seconds(ticks * tick_seconds)
        if (lasted := (ticks - second_from) * tick_seconds) >= 1:
            peak_bytes = max(peak_bytes, second_bytes / lasted)
            second_from, second_bytes = ticks, 0
    return ticks * tick_seconds, 8 * max(peak_bytes, second_bytes)


def parts(recording: Opened, bounds: Bounds) -> Iterator[tuple[int, int]]:
    """Yield the size in bytes and the length in ticks of every part; one that does not tell has the distance."""
    last = None
    for packet in recording.file.demux(recording.stream):
        bounds.check_time()
        if not packet.size:
            continue
        distance = packet.pts - last if packet.pts is not None and last is not None else 0
        yield packet.size, packet.duration or max(distance, 0)
        last = packet.pts
