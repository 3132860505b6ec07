"""Collectors without locks, which cost more than counting does: one thread counts, and is scraped."""

from bisect import bisect_left

from prometheus_client import Counter, Histogram


class Count(Counter):
    """A counter that takes no locks."""

    def inc(self, amount: float = 1, exemplar: dict[str, str] | None = None) -> None:
        """Add to it."""
        if exemplar is not None or amount < 0:
            super().inc(amount, exemplar)
            return
        self._value._value += amount  # noqa: SLF001 - see above


class Seconds(Histogram):
    """A histogram that finds its bucket by halving, where the library's own tries one after the other."""

    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        """Count one more."""
        if exemplar is not None:
            super().observe(amount, exemplar)
            return
        self._sum._value += amount  # noqa: SLF001 - see above
        self._buckets[bisect_left(self._upper_bounds, amount)]._value += 1  # noqa: SLF001
