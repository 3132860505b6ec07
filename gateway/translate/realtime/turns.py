"""
When a user's turn begins and ends, by how loud it is, where GLM does not decide that.

Simple on purpose: it stands in where GLM's own detection hangs, as it does with tools.
"""

from array import array
from collections.abc import Iterator
from operator import mul
from typing import Literal

from gateway.openai.realtime.session import TurnDetection
from gateway.translate.realtime.config import silence_ms
from gateway.translate.realtime.sound import INPUT_BYTES_PER_SECOND

Heard = Literal["start", "stop"]

BLOCK_MS = 20
BLOCK_BYTES = INPUT_BYTES_PER_SECOND * BLOCK_MS // 1000
START_BLOCKS = 3
"""Blocks in a row that are speech before a turn begins: a click is shorter."""
MAX_TURN_MS = 29_000
"""GLM hears 30 s at once; what is longer becomes several turns."""
QUIETEST_LEVEL = 120.0
LEVELS_PER_THRESHOLD = 600.0
NOISE_FACTOR = 3.0
NOISE_SHARE = 0.05


class Ear:
    """
    Listens to 16 kHz mono s16le, and gives back what belongs to turns.

    What is louder than the threshold and than three times the noise of the place is speech. A turn begins
    ``prefix_padding_ms`` before that and ends after a silence. ``heard_ms`` is how much the session has heard
    before: moments are told from its beginning.
    """

    def __init__(self, turns: TurnDetection, *, heard_ms: int = 0) -> None:
        self.obey(turns)
        self._partial = b""
        self._before = bytearray()
        self._noise = 0.0
        self._loud_blocks = 0
        self._quiet_blocks = 0
        self._turn_ms = 0
        self._heard_ms = heard_ms
        self.speaking = False
        self.start_ms = 0
        self.end_ms = 0

    def obey(self, turns: TurnDetection) -> None:
        """Go by other rules from now on, also in a turn that has begun."""
        threshold = 0.5 if turns.threshold is None else turns.threshold
        prefix_ms = 300 if turns.prefix_padding_ms is None else turns.prefix_padding_ms
        self._least = max(QUIETEST_LEVEL, threshold * LEVELS_PER_THRESHOLD)
        self._prefix_bytes = (prefix_ms // BLOCK_MS + START_BLOCKS) * BLOCK_BYTES
        self._silence_blocks = max(1, silence_ms(turns) // BLOCK_MS)

    def listen(self, pcm: bytes) -> Iterator[tuple[bytes, Heard | None]]:
        """Give what of this, and of just before it, belongs to turns, and each beginning and end where it is."""
        data = self._partial + pcm
        whole = len(data) - len(data) % BLOCK_BYTES
        self._partial = data[whole:]
        kept = bytearray()
        for position in range(0, whole, BLOCK_BYTES):
            block = data[position : position + BLOCK_BYTES]
            was_speaking = self.speaking
            self._hear(block)
            if was_speaking:
                kept += block
            elif self.speaking:
                kept += self._before
                self._before.clear()
            if was_speaking != self.speaking:
                yield bytes(kept), "start" if self.speaking else "stop"
                kept.clear()
        yield bytes(kept), None

    def forget(self) -> None:
        """Drop a turn that has begun."""
        self.speaking = False
        self._before.clear()
        self._partial = b""
        self._loud_blocks = self._quiet_blocks = self._turn_ms = 0

    def _hear(self, block: bytes) -> None:
        self._heard_ms += BLOCK_MS
        level = level_of(block)
        loud = level > max(self._least, self._noise * NOISE_FACTOR)
        if not loud:
            self._noise += (level - self._noise) * NOISE_SHARE
        if self.speaking:
            self._turn_ms += BLOCK_MS
            self._quiet_blocks = 0 if loud else self._quiet_blocks + 1
            if self._quiet_blocks >= self._silence_blocks or self._turn_ms >= MAX_TURN_MS:
                self._stop()
            return
        self._before += block
        del self._before[: max(0, len(self._before) - self._prefix_bytes)]
        self._loud_blocks = self._loud_blocks + 1 if loud else 0
        if self._loud_blocks >= START_BLOCKS:
            self.speaking = True
            self.start_ms = max(0, self._heard_ms - len(self._before) * 1000 // INPUT_BYTES_PER_SECOND)
            self._turn_ms = self._heard_ms - self.start_ms
            self._quiet_blocks = 0

    def _stop(self) -> None:
        self.speaking = False
        self.end_ms = self._heard_ms
        self._loud_blocks = 0


def hearing(ear: Ear | None, turns: TurnDetection | None, *, heard_ms: int) -> Ear | None:
    """Return who hears turns by these rules from now on: the ear there is, else a new one; None without rules."""
    if turns is None:
        return None
    if ear is None:
        return Ear(turns, heard_ms=heard_ms)
    ear.obey(turns)
    return ear


def level_of(block: bytes) -> float:
    """Return the mean power of samples as an amplitude, 0 to 32767."""
    samples = array("h", block)[::2]  # Every other one tells as much, at half the cost.
    return float((sum(map(mul, samples, samples)) / len(samples)) ** 0.5)
