"""
The port of admission: slots, what they are counted per, and what every adapter promises.

A slot is one request under way, counted twice: against the caller's tier and against the tier of the Zhipu account
that serves it. Both are taken together or not at all.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, Protocol

from msgspec import Struct


class AccountLimit(Struct, frozen=True, array_like=True):
    """How many requests one Zhipu account may have under way for a model."""

    name: str
    limit: int


class Scope(Struct, frozen=True, kw_only=True):
    """
    What a slot is counted per.

    ``limit`` is what the tenant's tier gives for the model. Any of ``accounts`` will do; the least loaded is
    taken, and one with limit 0 is left alone. The sequence may change while a request waits: it is read again
    every second, and when it is said to have changed. When all limits are 0, whoever waits is refused.
    """

    tenant: str
    model: str
    limit: int
    accounts: Sequence[AccountLimit]


def serves(scope: Scope) -> bool:
    """Tell whether any account is not left alone."""
    for account in scope.accounts:  # noqa: SIM110 - a generator costs more than the loop
        if account.limit:
            return True
    return False


def limit_of(accounts: Iterable[AccountLimit], account: str) -> int:
    """Return what is allowed of an account; 1 of one that was just left alone, or is gone."""
    for one in accounts:
        if one.name == account:
            return one.limit or 1
    return 1


class Slot(Struct, eq=False):
    """
    One admitted request, and the account that serves it.

    ``position`` is the place in line it had on arrival, 0 when it did not wait. ``account_limit`` is what was
    allowed of the account when the slot was taken, and ``since`` when that was, by the loop's clock. ``lost``
    turns true when the slot may be somebody else's by now, so that the request should end.
    """

    number: int
    scope: Scope
    account: str
    position: int = 0
    account_limit: int = 1
    since: float = 0.0
    lost: bool = False
    _on_lost: Callable[[], None] | None = None

    def on_lost(self, tell: Callable[[], None] | None) -> None:
        """Have ``tell`` called when the slot is lost, at once if it is already; None: nobody has to know."""
        self._on_lost = tell
        if self.lost and tell is not None:
            tell()

    def lose(self) -> None:
        """Tell the holder that the slot is gone; for limiters."""
        self.lost = True
        if self._on_lost is not None:
            self._on_lost()


class Occupancy(Struct, frozen=True, kw_only=True):
    """
    What is under way for one tenant or account and model.

    ``here`` is in this process, ``everywhere`` in all that share the limits, as last heard. ``waiting`` and
    ``oldest_wait_seconds`` are of this process, and of tenants only, as accounts have no line.
    """

    model: str
    kind: Literal["tenant", "account"]
    name: str
    limit: int
    here: int
    everywhere: int
    waiting: int = 0
    oldest_wait_seconds: float = 0.0


class Limiter(Protocol):
    """
    Admits requests.

    Never more than the limits, at any instant. First come, first served within a tenant; round robin among
    tenants that wait for the same model. A slot that is given back goes straight to the next in line.
    """

    @property
    def leases(self) -> bool:
        """Whether slots are leased, so that they can be lost."""

    @property
    def degraded(self) -> bool:
        """Whether shared slots are counted alone for the moment, because the others cannot be reached."""

    @property
    def leases_expired(self) -> int:
        """How many slots came back because nobody renewed them, since the start and as far as is known here."""

    def take(self, scope: Scope) -> Slot | None:
        """
        Return a slot if one is free, nobody is in line for it and all that is known here; else None.

        None says nothing but that ``acquire`` has to be asked, which costs more. Whoever got the slot releases it.
        """

    async def acquire(self, scope: Scope, *, timeout_seconds: float) -> Slot:
        """
        Return a slot, waiting for at most ``timeout_seconds``; 0 does not wait.

        Raises RateLimited when the wait is over, or is likely to be too long, or the line is full; NoAccount when
        all accounts have limit 0. Cancelling the call leaves the line at once. Whoever got the slot releases it.
        """

    def release(self, slot: Slot, *, after_seconds: float = 0.0) -> None:
        """
        Give a slot back, or keep it for ``after_seconds`` first; giving it back again has no effect.

        Not a coroutine, so that nothing can cancel it half-way. An adapter that has to tell somebody else does so
        in a task of its own.
        """

    def recheck(self, model: str) -> None:
        """Read again what everybody who waits for a model asks for, because it has changed; empty: any model."""

    def remaining(self, scope: Scope) -> int:
        """Return how many more of its tenant's requests could start now, as far as is known here."""

    def snapshot(self) -> list[Occupancy]:
        """Return who uses how much of what, for every tenant, account and model seen here."""

    async def start(self) -> None:
        """Begin; called once, in the loop that everything else is called in."""

    async def aclose(self) -> None:
        """End: tell others what they have to know. What is still held is not waited for."""
