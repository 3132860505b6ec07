"""
A long recording in pieces, cut where nobody speaks.

How loud it is, is looked at in frames of 20 ms, by the mean of the samples' magnitudes. Never more than one piece
is held.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from gateway.audio.pcm import SAMPLE_BYTES

FRAMES_PER_SECOND = 50
QUIET_FRAMES = 15
"""How long the quietest stretch is that a piece is cut in: 300 ms."""

SMOOTH_FRAMES = 3
SILENCE_LEVEL = 16
"""The magnitude below which nothing can be heard: some 65 dB below the loudest there can be."""

PAUSE_SHARE = 0.08
"""The share of speech's own loudness below which nobody is speaking."""

LOUD_SHARE = 0.9
"""Where among its frames, sorted, the loudness of speech is found."""


class Cut(Struct, frozen=True, kw_only=True):
    """
    How a recording is cut.

    No piece is longer than ``max_seconds``, none but the last shorter than ``min_seconds``. From
    ``pause_after_seconds`` on, every pause of ``pause_seconds`` ends one; None waits for the quietest moment.
    """

    max_seconds: float = 25.0
    min_seconds: float = 15.0
    pause_after_seconds: float | None = None
    pause_seconds: float = 0.5


class Piece(Struct, frozen=True, kw_only=True):
    """
    A part of a recording; times in seconds from its beginning.

    ``speech_start`` and ``speech_end`` leave out the silence at its ends; both are None when it is all silent.
    """

    start: float
    end: float
    pcm: bytes
    speech_start: float | None = None
    speech_end: float | None = None


def cut(samples: Iterable[bytes], how: Cut, *, sample_rate: int) -> Iterator[Piece]:
    """Yield the pieces of a recording of pcm16, in order and without gaps; none for no samples."""
    cutter = Cutter(how, sample_rate=sample_rate)
    for more in samples:
        yield from cutter.feed(more)
    yield from cutter.finish()


class Cutter:
    """Where a recording stands that is being cut."""

    def __init__(self, how: Cut, *, sample_rate: int) -> None:
        self._how = how
        self._sample_rate = sample_rate
        self._frame_bytes = sample_rate // FRAMES_PER_SECOND * SAMPLE_BYTES
        self._frame_seconds = self._frame_bytes / SAMPLE_BYTES / sample_rate
        self._max_frames = int(how.max_seconds / self._frame_seconds)
        self._min_frames = int(how.min_seconds / self._frame_seconds)
        self._pcm = bytearray()
        self._levels: list[float] = []
        self._start_bytes = 0

    def feed(self, pcm: bytes) -> Iterator[Piece]:
        """Yield the pieces that these samples complete."""
        self._pcm += pcm
        self._measure()
        while (frames := self._end()) is not None:
            yield self._take(frames)

    def finish(self) -> Iterator[Piece]:
        """Yield what is left."""
        while (frames := self._end()) is not None:
            yield self._take(frames)
        if self._pcm:
            yield self._take(len(self._levels) + 1)

    def _measure(self) -> None:
        size = self._frame_bytes
        whole = len(self._pcm) // size
        if whole > len(self._levels):
            with memoryview(self._pcm) as view, view[: whole * size].cast("h") as samples:
                step = size // SAMPLE_BYTES
                for at in range(len(self._levels) * step, len(samples), step):
                    # Every second sample tells as much, at half the cost.
                    self._levels.append(sum(map(abs, samples[at : at + step : 2])) * 2 / step)

    def _end(self) -> int | None:
        """Return how many frames the next piece has, None when more is needed to know."""
        if self._how.pause_after_seconds is not None:
            first = int(self._how.pause_after_seconds / self._frame_seconds)
            pause = find_pause(
                self._levels[: self._max_frames],
                first=first,
                frames=int(self._how.pause_seconds / self._frame_seconds),
            )
            if pause is not None:
                return pause
        if len(self._levels) <= self._max_frames:
            return None
        return quietest(self._levels, first=self._min_frames, last=self._max_frames)

    def _take(self, frames: int) -> Piece:
        end = min(frames * self._frame_bytes, len(self._pcm))
        pcm = bytes(self._pcm[:end])
        levels = self._levels[:frames]
        del self._pcm[:end], self._levels[:frames]
        start = self._seconds(self._start_bytes)
        self._start_bytes += end
        spoken = speech(levels)
        return Piece(
            start=start,
            end=self._seconds(self._start_bytes),
            pcm=pcm,
            speech_start=None if spoken is None else start + spoken[0] * self._frame_seconds,
            speech_end=None if spoken is None else start + spoken[1] * self._frame_seconds,
        )

    def _seconds(self, position: int) -> float:
        return position / SAMPLE_BYTES / self._sample_rate


def quietest(levels: Sequence[float], *, first: int, last: int) -> int:
    """Return the frame in the middle of the quietest stretch between two frames, the latest of equal ones."""
    stretch = min(QUIET_FRAMES, last - first)
    loudness = sum(levels[first : first + stretch])
    least, found = loudness, first
    for start in range(first + 1, last - stretch + 1):
        loudness += levels[start + stretch - 1] - levels[start - 1]
        if loudness <= least:
            least, found = loudness, start
    return found + stretch // 2


def find_pause(levels: Sequence[float], *, first: int, frames: int) -> int | None:
    """Return the middle of the first pause of so many ``frames`` that begins at ``first`` or later."""
    if len(levels) < first + frames:
        return None
    threshold = threshold_of(levels)
    quiet = 0
    for at in range(first, len(levels)):
        quiet = quiet + 1 if levels[at] < threshold else 0
        if quiet == frames:
            return at + 1 - frames // 2
    return None


def speech(levels: Sequence[float]) -> tuple[int, int] | None:
    """Return the first frame that is not silent and the one after the last such, None when all are silent."""
    threshold = threshold_of(levels)
    sums = [sum(levels[at : at + SMOOTH_FRAMES]) / SMOOTH_FRAMES for at in range(len(levels) - SMOOTH_FRAMES + 1)]
    loud = [at for at, level in enumerate(sums or levels) if level >= threshold]
    return (loud[0], min(loud[-1] + SMOOTH_FRAMES, len(levels))) if loud else None


def threshold_of(levels: Sequence[float]) -> float:
    """Return the level below which nobody speaks, judged by how loud these frames are."""
    if not levels:
        return SILENCE_LEVEL
    return max(SILENCE_LEVEL, PAUSE_SHARE * sorted(levels)[int(LOUD_SHARE * (len(levels) - 1))])
