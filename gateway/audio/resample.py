"""Samples at another rate, and any frame of a decoder as pcm16; both remember where they stand."""

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, cast

from gateway.audio.pcm import SAMPLE_BYTES, samples_of

if TYPE_CHECKING:
    from av import AudioFrame


class Resampler:
    """
    Samples of pcm16 from one rate to another, piece by piece.

    What ``feed`` and ``finish`` return, joined, is to the sample what one piece would have become, however the
    input is cut. It is late by less than 2 ms of the input, which ``finish`` makes up.
    """

    def __init__(self, *, from_rate: int, to_rate: int) -> None:
        self._from_rate = from_rate
        self._same = from_rate == to_rate
        self._ratio = Fraction(to_rate, from_rate)
        self._to_rate = to_rate
        self._filter: Filter | None = None
        self._odd = b""
        self._taken = 0
        self._given = 0

    def feed(self, pcm: bytes) -> bytes:
        """Return the samples that these complete; half a sample at the end is kept for the next piece."""
        pcm = self._odd + pcm if self._odd else pcm
        whole = len(pcm) - len(pcm) % SAMPLE_BYTES
        pcm, self._odd = pcm[:whole], pcm[whole:]
        if self._same or not pcm:
            return pcm
        self._taken += len(pcm) // SAMPLE_BYTES
        frame = frame_of(pcm, sample_rate=self._from_rate)
        if self._filter is None:
            self._filter = Filter(frame, to_rate=self._to_rate)
        resampled = self._filter.feed(frame)
        self._given += len(resampled) // SAMPLE_BYTES
        return resampled

    def finish(self) -> bytes:
        """Return what is left, so that the whole lasts as long as the input, to the sample."""
        if self._filter is None:
            return b""
        rest = self._filter.finish()
        missing = round(self._taken * self._ratio) - self._given
        return rest[: missing * SAMPLE_BYTES].ljust(missing * SAMPLE_BYTES, b"\0")


class Mixdown:
    """A decoder's frames as pcm16 of one channel at one rate, even where the recording changes its own."""

    def __init__(self, *, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._kind: tuple[str, str, int] | None = None
        self._filter: Filter | None = None

    def feed(self, frame: "AudioFrame") -> bytes:
        """Return the samples that a frame completes."""
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        ended = self.finish() if kind != self._kind else b""
        if self._filter is None:
            self._kind = kind
            self._filter = Filter(frame, to_rate=self._sample_rate)
        # Times come from counting samples: a recording's own can jump.
        frame.pts = None
        return ended + self._filter.feed(frame)

    def finish(self) -> bytes:
        """Return what is left."""
        former, self._filter = self._filter, None
        return b"" if former is None else former.finish()


class Filter:
    """
    FFmpeg's own, from frames such as ``first`` to pcm16.

    PyAV's ``AudioResampler`` is the same, but starts threads, as many as there are processors, for each that is in
    use, though nothing here can be shared among them; and raises an error inside for every frame.
    """

    def __init__(self, first: "AudioFrame", *, to_rate: int) -> None:
        from av.filter import Graph  # noqa: PLC0415 - see gateway.audio

        self._graph = Graph()
        self._graph.threads = 1
        self._source = self._graph.add_abuffer(
            sample_rate=first.sample_rate, format=first.format.name, layout=first.layout.name
        )
        form = self._graph.add("aformat", sample_rates=str(to_rate), sample_fmts="s16", channel_layouts="mono")
        self._sink = self._graph.add("abuffersink")
        self._graph.link_nodes(self._source, form, self._sink).configure()

    def feed(self, frame: "AudioFrame") -> bytes:
        """Return the samples that a frame completes: as one, since FFmpeg makes at most one of each."""
        self._source.push(frame)
        try:
            return self._pull()
        except BlockingIOError:
            return b""

    def finish(self) -> bytes:
        """Return what is left."""
        self._source.push(None)
        return b"".join(self._rest())

    def _rest(self) -> Iterator[bytes]:
        with suppress(EOFError):
            while True:
                yield self._pull()

    def _pull(self) -> bytes:
        return samples_of(cast("AudioFrame", self._sink.pull()))


def frame_of(pcm: bytes, *, sample_rate: int) -> "AudioFrame":
    """Return samples as FFmpeg's frame."""
    from av import AudioFrame  # noqa: PLC0415 - see gateway.audio

    frame = AudioFrame(format="s16", layout="mono", samples=len(pcm) // SAMPLE_BYTES)
    frame.sample_rate = sample_rate
    frame.planes[0].update(pcm)
    return frame
