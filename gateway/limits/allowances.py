"""
How many slots of each account Zhipu was found to allow, where that is less than its tier says.

A limit falls when Zhipu finds that there is too much at once, and comes back with time.
"""

from collections.abc import Callable
from dataclasses import dataclass

DECREASE = 0.75
RECOVERY_SECONDS = 30.0
RECOVERY_STEPS = 20
"""In how many steps, at the slowest, a limit comes back from nothing; of one slot at least."""

Key = tuple[str, str]
"""An account and a model."""


@dataclass(slots=True, kw_only=True)
class Learned:
    """A limit that Zhipu was found to keep, and since when."""

    limit: int
    since: float


class Allowances:
    """
    What Zhipu was found to allow, by account and model. ``clock`` is monotonic, in seconds.

    ``learned`` holds those of less than their tiers say; empty: all may be used in full.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.learned: dict[Key, Learned] = {}
        self._full: dict[Key, int] = {}
        self._clock = clock

    def grant(self, key: Key, limit: int) -> None:
        """Take note of what the account's tier says."""
        self._full[key] = limit

    def lower(self, key: Key, *, in_use: int, asked_at: float) -> bool:
        """
        Allow less, because Zhipu found ``in_use`` too many. Returns whether that is news.

        Calls that were under way together are refused together, and count once.
        """
        learned = self.learned.get(key)
        if learned is not None and asked_at < learned.since:
            return False
        limit = self.of(key)
        lower = max(1, int(min(limit, in_use) * DECREASE))
        self.learned[key] = Learned(limit=lower, since=self._clock())
        return lower < limit

    def of(self, key: Key) -> int:
        """Return what is allowed now; 1 where nobody has said what the tier does."""
        limit, learned = self._full.get(key, 1), self.learned.get(key)
        if learned is None:
            return limit
        step = max(1, limit // RECOVERY_STEPS)
        regained = learned.limit + step * int((self._clock() - learned.since) / RECOVERY_SECONDS)
        if regained >= limit:
            del self.learned[key]
            return limit
        return regained
