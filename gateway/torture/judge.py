"""
The judge: counts what the simulator has in flight, and knows what may be.

By account and model, as Zhipu counts, and by tenant and model, as the gateway has to. Called from the simulator's
thread and from the trial's.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from math import inf
from typing import NamedTuple

from msgspec import Struct

from gateway.simulator.book import Place


class Count(NamedTuple):
    """Whose requests are counted, "account main" or "tenant v0-a", for which model."""

    who: str
    model: str


class Call(NamedTuple):
    """What a request says of itself in ``user_id``: its tenant, the gateway that it was sent to, and a number."""

    tenant: str
    gateway: str
    number: str

    @classmethod
    def read(cls, user_id: str) -> "Call":
        """Read what ``str`` of a call wrote."""
        tenant, gateway, number = user_id.split("/")
        return cls(tenant, gateway, number)

    def __str__(self) -> str:
        return "/".join(self)


class Violation(Struct, frozen=True):
    """A promise that was broken, and when, in seconds since the trial began."""

    at_seconds: float
    what: str


class Judge:
    """
    Watches the simulator. ``limits`` are by the ``who`` of a count.

    What a process held when it was paused is left out of account until it has been awake for ``grace_seconds``:
    nobody can stop it, and its slots are given to others when its leases have ended.

    ``later`` calls back, in the simulator's thread, when the simulator has taken in all that had reached it by
    then: a request that was cut before another came must not count as under way beside it.
    """

    def __init__(
        self,
        limits: Mapping[str, int],
        *,
        grace_seconds: float,
        clock: Callable[[], float],
        later: Callable[[Callable[[], None]], None],
    ) -> None:
        self.limits = limits
        self.violations: list[Violation] = []
        self.peaks: Counter[Count] = Counter()
        self.excesses: list[float] = []
        self._grace_seconds = grace_seconds
        self._clock = clock
        self._later = later
        self._lock = threading.RLock()
        self._inside: dict[Count, Counter[Call]] = defaultdict(Counter)
        self._totals: Counter[Count] = Counter()
        self._frozen: set[Call] = set()
        self._over: set[Count] = set()
        self._over_until = -inf
        self._woke_at = 0.0

    @property
    def totals(self) -> Counter[Count]:
        """What is in flight now."""
        with self._lock:
            return self._totals.copy()

    def watch(self, place: Place, user_id: str, change: int) -> None:
        """Take note of a request that enters the simulator or leaves it."""
        call = Call.read(user_id)
        with self._lock:
            for who in (f"account {place.account}", f"tenant {call.tenant}"):
                count = Count(who, place.model)
                self._totals[count] += change
                self._inside[count][call] += change
                if change > 0:
                    self._entered(count)
                else:
                    self._left(count, call)

    def freeze(self, gateway: str) -> None:
        """Excuse what a gateway has under way; it was paused."""
        with self._lock:
            calls = (call for inside in self._inside.values() for call in inside)
            self._frozen = {call for call in calls if call.gateway == gateway}

    def wake(self) -> None:
        """Begin to count how long what was excused goes on; the process has been woken."""
        with self._lock:
            self._woke_at = self._clock()

    def settle(self) -> float | None:
        """Excuse nothing any more; return how long after the waking an excess ended, None if none did."""
        with self._lock:
            self._frozen.clear()
            for count in self._over:
                self.accuse(f"{self._describe(count)} still, {self._clock() - self._woke_at:.2f} s after a pause")
            if self._over or self._over_until < self._woke_at:
                return None
            seconds = self._over_until - self._woke_at
            self.excesses.append(seconds)
            if seconds > self._grace_seconds:
                self.accuse(f"an excess went on for {seconds * 1000:.0f} ms after a pause")
            return seconds

    def accuse(self, what: str) -> None:
        """Write down a broken promise."""
        self.violations.append(Violation(self._clock(), what))

    def _entered(self, count: Count) -> None:
        total = self._totals[count]
        self.peaks[count] = max(self.peaks[count], total)
        if total <= self.limits[count.who]:
            return
        self._over.add(count)
        self._later(lambda: self._look(count))

    def _look(self, count: Count) -> None:
        with self._lock:
            excused = sum(self._inside[count][call] for call in self._frozen)
            if self._totals[count] - excused > self.limits[count.who]:
                self.accuse(self._describe(count) + (f", {excused} of them paused" if excused else ""))

    def _left(self, count: Count, call: Call) -> None:
        if not self._inside[count][call]:
            del self._inside[count][call]
        if count in self._over and self._totals[count] <= self.limits[count.who]:
            self._over.discard(count)
            self._over_until = self._clock()

    def _describe(self, count: Count) -> str:
        total, limit = self._totals[count], self.limits[count.who]
        return f"{count.who} has {total} of {count.model} under way, and may have {limit}"
