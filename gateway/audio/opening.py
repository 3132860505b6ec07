"""
Recordings opened by FFmpeg, whatever they are.

It is shown only the bytes it is given, may open nothing else, and is told what kind of file it is to read, so that
a playlist or a picture is never one.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, BinaryIO

from msgspec import Struct

from gateway.audio.bounds import Bounds
from gateway.audio.containers import DEMUXERS, Container, find_start
from gateway.audio.memory import bound_allocations
from gateway.audio.pcm import MAX_RATE, MIN_RATE

if TYPE_CHECKING:
    from av import AudioStream
    from av.container import InputContainer

MAX_CHANNELS = 64

READ_FACTOR = 4
READ_EXTRA_BYTES = 64 * 1024 * 1024
"""How often a file may be read over: readers look at its end and come back, and a hostile one does so forever."""

OPTIONS = {"protocol_whitelist": "none"}
WAV_OPTIONS = {**OPTIONS, "probesize": "4096"}
"""FFmpeg looks through samples for films' sound that is written as such, which costs more than all the rest."""


@cache
def failures() -> tuple[type[Exception], ...]:
    """Return what PyAV raises for a file that is not what it claims."""
    from av.error import FFmpegError  # noqa: PLC0415 - see gateway.audio

    return FFmpegError, OSError, MemoryError, ValueError, OverflowError, IndexError


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
        """Go elsewhere in the part that is shown, and return where that is; -1 for where no place can be."""
        if whence == io.SEEK_SET:
            offset += self._start
        try:
            return self._file.seek(offset, whence) - self._start
        except (OSError, ValueError):
            return -1  # What is raised here PyAV may write to the log, as bare text.

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

    file: "InputContainer"
    stream: "AudioStream"
    container: Container
    size_bytes: int


@contextmanager
def opened(file: BinaryIO, bounds: Bounds) -> Iterator[Opened]:
    """Open a recording; raise InvalidRequest for what is none, or fails anywhere inside the block."""
    import av  # noqa: PLC0415 - see gateway.audio

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
    except failures() as error:
        raise bounds.unreadable() from error


def checked(stream: "AudioStream", bounds: Bounds) -> "AudioStream":
    """Return a stream that can be decoded within reason; raise InvalidRequest for any other."""
    # Where FFmpeg has no decoder it is None, whatever PyAV's types say.
    codec = getattr(stream, "codec_context", None)
    if codec is None or not MIN_RATE <= codec.sample_rate <= MAX_RATE or not 1 <= codec.channels <= MAX_CHANNELS:
        raise bounds.unreadable()
    # One recording has one core: callers are many.
    codec.thread_count = 1
    return stream
