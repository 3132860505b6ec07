"""Pieces of sound side by side without a click: each begins and ends in silence, within milliseconds."""

from array import array

from gateway.audio.pcm import SAMPLE_BYTES

FADE_SAMPLES = 120
"""5 ms at 24 kHz; too short to be heard, long enough that no jump is."""

FADE_BYTES = FADE_SAMPLES * SAMPLE_BYTES


class Joint:
    """
    One piece on its way, in whole samples.

    Where it has a neighbour, its first samples rise from silence and its last fall to it. The last are held back
    until it is known that they are.
    """

    def __init__(self, *, rises: bool, falls: bool) -> None:
        self._rising = FADE_SAMPLES if rises else 0
        self._falls = falls
        self._held = b""

    def feed(self, pcm: bytes) -> bytes:
        """Return what is certain not to be the end."""
        if self._rising and pcm:
            pcm = self._risen(pcm)
        if not self._falls:
            return pcm
        pcm = self._held + pcm
        at = max(0, len(pcm) - FADE_BYTES)
        self._held = pcm[at:]
        return pcm[:at]

    def finish(self) -> bytes:
        """Return the end."""
        samples = array("h", self._held)
        count = len(samples)
        return array("h", (sample * (count - at) // (count + 1) for at, sample in enumerate(samples))).tobytes()

    def _risen(self, pcm: bytes) -> bytes:
        samples = array("h", pcm[: self._rising * SAMPLE_BYTES])
        first = FADE_SAMPLES - self._rising
        self._rising -= len(samples)
        risen = array("h", (sample * (first + at) // FADE_SAMPLES for at, sample in enumerate(samples)))
        return risen.tobytes() + pcm[len(samples) * SAMPLE_BYTES :]
