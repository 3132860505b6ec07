"""
Vectors of texts: the same for the same text everywhere, and the closer the more words and letters two texts share.

Every word and every three letters have a direction of their own, made by hashing; a text's is their sum. Fewer
dimensions are the first of more. No model, no learning: synonyms are strangers.
"""

import math
import re
import struct
from collections import Counter
from functools import lru_cache
from hashlib import shake_128

_SPACE_DIMENSIONS = 2048
_MEAN = 127.5
_BYTES_PER_SUM = 4
_LARGEST_WEIGHT = 12
_WORD_WEIGHT = 3
_DIGITS = 9

_WORD = re.compile(r"[^\W\d_\u4e00-\u9fff]+|\d+|[\u4e00-\u9fff]")
_COMMON = frozenset(
    {"a", "an", "and", "are", "at", "for", "in", "is", "it", "of", "on", "or", "that", "the", "this", "to"}
)


def embed(text: str, *, dimensions: int) -> list[float]:
    """Return the vector of a text, at length 1."""
    features = _features(text)
    # Sums of 2048 bytes each, side by side in one large integer: an addition instead of 2048.
    total = sum(_direction(feature) * weight for feature, weight in features.items())
    sums = struct.unpack(f"<{_SPACE_DIMENSIONS}I", total.to_bytes(_SPACE_DIMENSIONS * _BYTES_PER_SUM, "little"))
    centre = _MEAN * features.total()
    values = [value - centre for value in sums[:dimensions]]
    length = math.hypot(*values)
    return [round(value / length, _DIGITS) for value in values]


def _features(text: str) -> Counter[str]:
    """Return what a text consists of, and how much each part says."""
    features: Counter[str] = Counter()
    for word, times in Counter(_WORD.findall(text.casefold())).items():
        weight = min(times * _WORD_WEIGHT, _LARGEST_WEIGHT)
        features[word] += weight if word not in _COMMON else 1
        features.update({f"{word}~"[at : at + 3]: 1 for at in range(len(word) - 1)})
    return features or Counter({text: 1})


@lru_cache(maxsize=2048)
def _direction(feature: str) -> int:
    """Return 2048 bytes by chance, each in the lowest byte of a sum's place."""
    places = bytearray(_SPACE_DIMENSIONS * _BYTES_PER_SUM)
    places[::_BYTES_PER_SUM] = shake_128(feature.encode()).digest(_SPACE_DIMENSIONS)
    return int.from_bytes(places, "little")
