"""Telephone audio (ITU-T G.711), both ways: one byte a sample in mu-law or A-law, usually at 8 kHz."""

from array import array
from collections.abc import Sequence
from functools import cache

BIAS = 0x84
CLIP = 32635
A_LAW_TOGGLE = 0x55


def pcm_of_mu_law(code: int) -> int:
    """Return the sample that a byte of mu-law stands for."""
    code = ~code & 0xFF
    magnitude = ((code & 0x0F) << 3) + BIAS << (code >> 4 & 7)
    return BIAS - magnitude if code & 0x80 else magnitude - BIAS


def pcm_of_a_law(code: int) -> int:
    """Return the sample that a byte of A-law stands for."""
    code ^= A_LAW_TOGGLE
    exponent = code >> 4 & 7
    magnitude = (code & 0x0F) << 4 | 8
    if exponent:
        magnitude = magnitude + 0x100 << exponent - 1
    return magnitude if code & 0x80 else -magnitude


def mu_law_of_pcm(sample: int) -> int:
    """Return the byte of mu-law for a sample."""
    magnitude = min(abs(sample), CLIP) + BIAS
    exponent = magnitude.bit_length() - 8
    return ~((0x80 if sample < 0 else 0) | exponent << 4 | magnitude >> exponent + 3 & 0x0F) & 0xFF


def a_law_of_pcm(sample: int) -> int:
    """Return the byte of A-law for a sample."""
    magnitude = sample if sample >= 0 else -sample - 1
    exponent = max(magnitude.bit_length() - 8, 0)
    mantissa = magnitude >> (exponent + 3 if exponent else 4) & 0x0F
    return ((0x80 if sample >= 0 else 0) | exponent << 4 | mantissa) ^ A_LAW_TOGGLE


class Law:
    """One of the two laws, as tables."""

    def __init__(self, *, samples: Sequence[int], codes: Sequence[int]) -> None:
        self._samples = array("h", samples)
        self._codes = bytes(codes)

    def decode(self, codes: bytes) -> bytes:
        """Return pcm16 at the same rate, twice as long."""
        return array("h", map(self._samples.__getitem__, codes)).tobytes()

    def encode(self, pcm: bytes) -> bytes:
        """Return one byte for each sample of pcm16; whole samples only."""
        return bytes(map(self._codes.__getitem__, memoryview(pcm).cast("H")))


EVERY_SAMPLE = (*range(0x8000), *range(-0x8000, 0))
"""Samples in the order of their bits read as a number without a sign."""


@cache
def mu_law() -> Law:
    """Return mu-law, called pcmu in telephony; its tables are made at the first need."""
    return Law(samples=[*map(pcm_of_mu_law, range(256))], codes=[*map(mu_law_of_pcm, EVERY_SAMPLE)])


@cache
def a_law() -> Law:
    """Return A-law, called pcma in telephony; its tables are made at the first need."""
    return Law(samples=[*map(pcm_of_a_law, range(256))], codes=[*map(a_law_of_pcm, EVERY_SAMPLE)])
