"""How long slots have been held lately, and so how long a place in line is likely to last. No clock, no I/O."""

from dataclasses import dataclass

from gateway.limits.limiter import Scope

ENOUGH = 8
"""Fewer times than these say nothing."""

WEIGHT = 0.2
"""What the latest time counts for in the mean."""

FRESH_SECONDS = 300.0
"""After which what was seen says nothing about now."""


@dataclass(slots=True)
class Mean:
    """A mean that follows what it is told; ``seen`` says how often that was, ``at`` when it was last."""

    seconds: float = 0.0
    seen: int = 0
    at: float = 0.0

    def note(self, seconds: float, now: float) -> None:
        """Take another time into the mean."""
        self.seen = self.seen + 1 if now - self.at <= FRESH_SECONDS else 1
        self.seconds += (seconds - self.seconds) * (WEIGHT if self.seen * WEIGHT > 1 else 1 / self.seen)
        self.at = now

    def counts(self, *, now: float) -> bool:
        """Tell whether the mean says anything about now."""
        return self.seen >= ENOUGH and now - self.at <= FRESH_SECONDS


class Pace:
    """The service times of one model, by tenant and of all together; times by a monotonic clock in seconds."""

    def __init__(self) -> None:
        self.tenants: dict[str, Mean] = {}
        self._all = Mean()

    def note(self, tenant: str, seconds: float, *, now: float) -> None:
        """Note for how long a slot was held."""
        self._all.note(seconds, now)
        own = self.tenants.get(tenant)
        if own is None:
            own = self.tenants[tenant] = Mean()
        own.note(seconds, now)

    def wait_seconds(self, scope: Scope, *, position: int, now: float) -> float | None:
        """
        Return how long the one at ``position`` in its tenant's line is likely to wait; None when nobody can know.

        It is what those up to there take, side by side as far as the limits go. That others wait for the same
        accounts is not counted, so that it is rather too short than too long.
        """
        mean = self.tenants.get(scope.tenant, self._all)
        if not mean.counts(now=now):
            mean = self._all
        if not mean.counts(now=now):
            return None
        slots = min(scope.limit, sum(account.limit for account in scope.accounts))
        return mean.seconds * position / max(1, slots)
