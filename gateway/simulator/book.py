"""
What the platform counts: requests in flight by account and model, and what it has seen. No network.

The platform limits requests in flight, by account and model, and refuses above that at once, without a queue.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from gateway.simulator.accounts import Account, Tier
from gateway.simulator.connection import Request
from gateway.simulator.refusals import Refusal

Limits = Mapping[str, Sequence[int]]
"""Requests in flight by model, for V0, V1, V2 and V3."""

REQUEST_IDS = 10_000
"""Callers' own request ids that are kept, of all accounts together."""

_TIERS: tuple[Tier, ...] = ("V0", "V1", "V2", "V3")


class Place(NamedTuple):
    """Where a request counts."""

    account: str
    model: str


Watch = Callable[[Place, str, int], None]
"""Is told of every request that enters (1) or leaves (-1): where it counts, and its ``user_id``."""


class Book:
    """
    The platform's counters; each maps a Place to a number.

    ``in_flight`` now, ``peak`` at most, ``accepted`` in all, ``refused`` with 1302, ``cancelled`` because the
    client left. ``seen`` holds the latest requests, whatever came of them. All it keeps is bounded.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        remember: int = 100,
        remember_bytes: int = 32 * 1024 * 1024,
        watch: Watch | None = None,
    ) -> None:
        self._limits = limits
        self._watch = watch
        self._places: dict[Place, int] = {}
        self.in_flight: Counter[Place] = Counter()
        self.peak: Counter[Place] = Counter()
        self.accepted: Counter[Place] = Counter()
        self.refused: Counter[Place] = Counter()
        self.cancelled: Counter[Place] = Counter()
        self.seen: deque[Request] = deque(maxlen=remember)
        self._remember_bytes = remember_bytes
        self._request_ids: dict[tuple[str, str], None] = {}

    def see(self, request: Request) -> None:
        """Keep a request among the latest; where their bodies are too large together, only the newest of them."""
        self.seen.append(request)
        while len(self.seen) > 1 and sum(len(seen.body) for seen in self.seen) > self._remember_bytes:
            self.seen.popleft()

    def has_used(self, account: Account, request_id: str) -> bool:
        """Tell whether an id is among the latest of the account's own."""
        return (account.name, request_id) in self._request_ids

    def use(self, account: Account, request_id: str) -> None:
        """Keep an id that must not come again soon."""
        self._request_ids[account.name, request_id] = None
        if len(self._request_ids) > REQUEST_IDS:
            del self._request_ids[next(iter(self._request_ids))]

    @contextmanager
    def slot(self, account: Account, *, model: str, user_id: str = "") -> Iterator[None]:
        """Hold a request's place while it is under way; raise Refusal 1302 when the tier has no room."""
        place = Place(account.name, model)
        limit = self._places[place] = self._limits[model][_TIERS.index(account.tier)]
        if self.in_flight[place] >= limit:
            self.refused[place] += 1
            raise Refusal("1302")
        self.accepted[place] += 1
        self.in_flight[place] += 1
        self.peak[place] = max(self.peak[place], self.in_flight[place])
        self._tell(place, user_id, 1)
        try:
            yield
        except asyncio.CancelledError:
            self.cancelled[place] += 1
            raise
        finally:
            self.in_flight[place] -= 1
            self._tell(place, user_id, -1)

    def _tell(self, place: Place, user_id: str, change: int) -> None:
        if self._watch is not None:
            self._watch(place, user_id, change)

    def room(self, account: Account, *, model: str) -> tuple[int, int]:
        """Tell how many requests of a model an account may have in flight, and has."""
        limit = self._limits[model][_TIERS.index(account.tier)]
        return limit, self.in_flight[Place(account.name, model)]

    def reset(self) -> None:
        """Forget everything but what is in flight."""
        for counter in (self.accepted, self.refused, self.cancelled):
            counter.clear()
        self._places = {place: limit for place, limit in self._places.items() if self.in_flight[place]}
        self.peak = Counter(self.in_flight)
        self.seen.clear()
        self._request_ids.clear()

    def state(self) -> dict[str, Any]:
        """Show all counters as JSON values, one row for each place that was asked for."""
        counters = {
            "in_flight": self.in_flight,
            "peak": self.peak,
            "accepted": self.accepted,
            "refused": self.refused,
            "cancelled": self.cancelled,
        }
        rows = [
            place._asdict() | {"limit": limit} | {name: counter[place] for name, counter in counters.items()}
            for place, limit in sorted(self._places.items())
        ]
        totals = {name: counter.total() for name, counter in counters.items() if name != "peak"}
        return {"places": rows, "totals": totals, "seen": len(self.seen)}
