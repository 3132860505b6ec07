"""
Hearing when somebody begins to speak and ends, by how loud it is. No clock: time is how much sound there was.

Source: docs.bigmodel.cn, GLM-Realtime: a start includes the padding before it, an end the silence after it.
"""

from array import array
from typing import Literal, NamedTuple

from gateway.simulator.realtime.session import Turns
from gateway.simulator.speech.sound import SAMPLE_BYTES

FRAME_MS = 20
_LOUD_FRAMES = 3
_LOUDEST_FLOOR = 3000
"""The amplitude that counts as speech at a threshold of 1."""


class Boundary(NamedTuple):
    """Where speech starts or stops, in milliseconds from the beginning of the call."""

    kind: Literal["started", "stopped"]
    at_ms: int


class Detector:
    """Listens to sound as it comes; ``speaking`` tells whether somebody speaks."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.speaking = False
        self._heard_ms = 0
        self._loud_frames = 0
        self._quiet_ms = 0
        self._rest = b""

    def feed(self, pcm: bytes, *, rate_hz: int) -> list[Boundary]:
        """Return what is heard in more sound."""
        frame_bytes = rate_hz * FRAME_MS // 1000 * SAMPLE_BYTES
        pcm = self._rest + pcm
        ends = range(frame_bytes, len(pcm) + 1, frame_bytes)
        self._rest = pcm[len(ends) * frame_bytes :]
        found = (self._hear(pcm[end - frame_bytes : end]) for end in ends)
        return [boundary for boundary in found if boundary is not None]

    def forget(self) -> None:
        """Take it that nobody speaks."""
        self.speaking, self._loud_frames, self._quiet_ms = False, 0, 0

    def _hear(self, frame: bytes) -> Boundary | None:
        self._heard_ms += FRAME_MS
        samples = array("h", frame)
        highest, lowest = max(samples), min(samples)
        loud = max(highest, -lowest) >= self.turns.threshold * _LOUDEST_FLOOR
        if self.speaking:
            self._quiet_ms = 0 if loud else self._quiet_ms + FRAME_MS
            if self._quiet_ms < self.turns.silence_duration_ms:
                return None
            self.forget()
            return Boundary("stopped", self._heard_ms)
        self._loud_frames = self._loud_frames + 1 if loud else 0
        if self._loud_frames < _LOUD_FRAMES:
            return None
        self.speaking, self._quiet_ms = True, 0
        began_ms = self._heard_ms - _LOUD_FRAMES * FRAME_MS
        return Boundary("started", max(0, began_ms - self.turns.prefix_padding_ms))
