"""
The port of admission: slots, what they are counted per, and what every adapter promises.

A slot is one request under way, counted twice: against the caller's tier and against the tier of the Zhipu account
that serves it. Both are taken together or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct


class AccountLimit(Struct, frozen=True):
    """How many requests one Zhipu account may have under way for a model."""

    name: str
    limit: int


class Scope(Struct, frozen=True, kw_only=True):
    """
    What a slot is counted per.

    ``limit`` is what the tenant's tier gives for the model. Any of ``accounts`` will do; the least loaded is
    taken.
    """

    tenant: str
    model: str
    limit: int
    accounts: Sequence[AccountLimit]


@dataclass(slots=True, eq=False, kw_only=True)
class Slot:
    """One admitted request: the account that serves it, and how long it waited for its turn."""

    scope: Scope
    account: str
    waited_seconds: float


class Limiter(Protocol):
    """
    Admits requests.

    Never more than the limits, at any instant. First come, first served within a tenant; round robin among
    tenants that wait for the same model. A slot that is given back goes straight to the next in line.
    """

    async def acquire(self, scope: Scope, *, timeout_seconds: float) -> Slot:
        """
        Return a slot, waiting for at most ``timeout_seconds``.

        Raises RateLimited when the wait is over or the queue is full. Cancelling the call leaves the queue at
        once.
        """

    async def release(self, slot: Slot) -> None:
        """Give a slot back; giving it back again has no effect."""

    def remaining(self, scope: Scope) -> int:
        """Return how many more of its tenant's requests could start now, as far as is known here."""
