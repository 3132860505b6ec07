"""Samples at another rate, and any frame of a decoder as pcm16; both remember where they stand."""

from fractions import Fraction
from typing import TYPE_CHECKING

from gateway.audio.pcm import SAMPLE_BYTES, samples_of

if TYPE_CHECKING:
    from av import AudioFrame
    from av.audio.resampler import AudioResampler


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
        self._resampler = resampler_to(to_rate)
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
        resampled = resampled_by(self._resampler, frame_of(pcm, sample_rate=self._from_rate))
        self._given += len(resampled) // SAMPLE_BYTES
        return resampled

    def finish(self) -> bytes:
        """Return what is left, so that the whole lasts as long as the input, to the sample."""
        if self._same or not self._taken:
            return b""
        rest = resampled_by(self._resampler, None)
        missing = round(self._taken * self._ratio) - self._given
        return rest[: missing * SAMPLE_BYTES].ljust(missing * SAMPLE_BYTES, b"\0")


class Mixdown:
    """A decoder's frames as pcm16 of one channel at one rate, even where the recording changes its own."""

    def __init__(self, *, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._kind: tuple[str, str, int] | None = None
        self._resampler: AudioResampler | None = None

    def feed(self, frame: "AudioFrame") -> bytes:
        """Return the samples that a frame completes."""
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        ended = self.finish() if kind != self._kind else b""
        if self._resampler is None:
            self._kind = kind
            self._resampler = resampler_to(self._sample_rate)
        # Times come from counting samples: a recording's own can jump.
        frame.pts = None
        return ended + resampled_by(self._resampler, frame)

    def finish(self) -> bytes:
        """Return what is left."""
        resampler, self._resampler = self._resampler, None
        return b"" if resampler is None else resampled_by(resampler, None)


def resampler_to(sample_rate: int) -> "AudioResampler":
    from av.audio.resampler import AudioResampler  # noqa: PLC0415 - see gateway.audio

    return AudioResampler(format="s16", layout="mono", rate=sample_rate)


def frame_of(pcm: bytes, *, sample_rate: int) -> "AudioFrame":
    """Return samples as FFmpeg's frame."""
    from av import AudioFrame  # noqa: PLC0415 - see gateway.audio

    frame = AudioFrame(format="s16", layout="mono", samples=len(pcm) // SAMPLE_BYTES)
    frame.sample_rate = sample_rate
    frame.planes[0].update(pcm)
    return frame


def resampled_by(resampler: "AudioResampler", frame: "AudioFrame | None") -> bytes:
    return b"".join(map(samples_of, resampler.resample(frame)))
