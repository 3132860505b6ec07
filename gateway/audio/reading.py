"""
Recordings of any kind: what they are, and their samples.

FFmpeg is shown only the bytes it is given, may open nothing else, and is told what kind of file it is to read, so
that a playlist or a picture is never one.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import av
from av import AudioStream
from av.container import InputContainer
from msgspec import Struct

from gateway.audio.bounds import Bounds
from gateway.audio.claims import claimed_seconds
from gateway.audio.containers import DEMUXERS, Container, find_start
from gateway.audio.memory import bound_allocations
from gateway.audio.pcm import SAMPLE_BYTES
from gateway.audio.resample import Mixdown

MIN_RATE, MAX_RATE = 4_000, 384_000
MAX_CHANNELS = 64
CHUNK_SECONDS = 1
RIFF_HEAD_BYTES = 8

MISSING_SECONDS, MISSING_SHARE = 0.5, 0.01
"""How much less than it claims a recording may have: those who write heads round and count the codec's run-in."""

READ_FACTOR = 4
READ_EXTRA_BYTES = 64 * 1024 * 1024
"""How often a file may be read over: readers look at its end and come back, and a hostile one does so forever."""

OPTIONS = {"protocol_whitelist": "none"}
WAV_OPTIONS = {**OPTIONS, "probesize": "4096"}
"""FFmpeg looks through samples for films' sound that is written as such, which costs more than all the rest."""

FAILURES = (av.error.FFmpegError, OSError, MemoryError, ValueError, OverflowError, IndexError)
"""What PyAV raises for a file that is not what it claims."""


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


class Source(io.RawIOBase):
    """A file from ``start`` on, for FFmpeg; reading it ends when time is up or it goes round in circles."""

    def __init__(self, file: BinaryIO, *, start: int, bounds: Bounds) -> None:
        super().__init__()
        self._file = file
        self._start = start
        self._bounds = bounds
        self.size_bytes = file.seek(0, io.SEEK_END) - start
        self._allowance = READ_FACTOR * self.size_bytes + READ_EXTRA_BYTES
        file.seek(start)

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        self._bounds.check_time()
        data = self._file.read(size)
        self._allowance -= len(data)
        if self._allowance < 0:
            raise self._bounds.unreadable()
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go elsewhere in the part that is shown."""
        if whence == io.SEEK_SET:
            offset += self._start
        return self._file.seek(offset, whence) - self._start

    def tell(self) -> int:
        """Return the place in the part that is shown."""
        return self._file.tell() - self._start

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that any place can be gone to."""
        return True


class Opened(Struct, frozen=True):
    """A recording whose head was read."""

    file: InputContainer
    stream: AudioStream
    container: Container
    size_bytes: int


@contextmanager
def opened(file: BinaryIO, bounds: Bounds) -> Iterator[Opened]:
    """Open a recording; raise InvalidRequest for what is none, or fails anywhere inside the block."""
    bound_allocations()
    start, container = find_start(file)
    source = Source(file, start=start, bounds=bounds)
    if container is None:
        raise bounds.unknown()
    try:
        options = WAV_OPTIONS if container == "wav" else OPTIONS
        with av.open(source, "r", format=DEMUXERS.get(container, container), options=options) as read:
            stream = next(iter(read.streams.audio), None)
            if stream is None:
                raise bounds.refusal("The file has no sound in it. Send one with an audio track.")
            yield Opened(read, checked(stream, bounds), container, source.size_bytes)
    except FAILURES as error:
        raise bounds.unreadable() from error


def checked(stream: AudioStream, bounds: Bounds) -> AudioStream:
    """Return a stream that can be decoded within reason; raise InvalidRequest for any other."""
    # Where FFmpeg has no decoder it is None, whatever PyAV's types say.
    codec = getattr(stream, "codec_context", None)
    if codec is None or not MIN_RATE <= codec.sample_rate <= MAX_RATE or not 1 <= codec.channels <= MAX_CHANNELS:
        raise bounds.unreadable()
    # One recording has one core: callers are many.
    codec.thread_count = 1
    return stream


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
            claimed_seconds=claimed_seconds(
                file, recording.stream, recording.container, seconds=seconds, size_bytes=recording.size_bytes
            ),
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


def decode(file: BinaryIO, bounds: Bounds, *, sample_rate: int) -> Iterator[bytes]:
    """
    Yield a recording's samples as pcm16 of this rate, about a second at a time.

    Parts that cannot be decoded are left out, unless they are the most of it. Raises InvalidRequest, the caller's
    fault, also after some has been yielded.
    """
    with opened(file, bounds) as recording:
        mixdown = Mixdown(sample_rate=sample_rate)
        waiting = bytearray()
        given = 0
        for samples in chunks(recording, mixdown, bounds):
            given += len(samples)
            bounds.check_seconds(given / SAMPLE_BYTES / sample_rate)
            waiting += samples
            if len(waiting) >= CHUNK_SECONDS * sample_rate * SAMPLE_BYTES:
                yield bytes(waiting)
                waiting.clear()
        if waiting:
            yield bytes(waiting)
        if not given:
            raise bounds.refusal("There is no sound in the file. Send a recording that is not empty.")


def chunks(recording: Opened, mixdown: Mixdown, bounds: Bounds) -> Iterator[bytes]:
    decoded_bytes = good = damaged = 0
    for packet in recording.file.demux(recording.stream):
        bounds.check_time()
        try:
            frames = packet.decode()
        except FAILURES:
            damaged += 1
            continue
        good += 1
        for frame in frames:
            decoded_bytes += frame.samples * frame.format.bytes * len(frame.layout.channels)
            if decoded_bytes > bounds.max_decoded_bytes or not MIN_RATE <= frame.sample_rate <= MAX_RATE:
                raise bounds.unreadable()
            yield mixdown.feed(frame)
    if damaged > good:
        raise bounds.unreadable()
    yield mixdown.finish()
