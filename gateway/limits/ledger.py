"""
One model's books: who holds a slot, who waits, who is next. No clock, no tasks, no replicas, no I/O.

What every request writes into them holds no cycles, and is not looked through for any.
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeVar

from msgspec import Struct

from gateway.limits.limiter import AccountLimit, Scope

Key = TypeVar("Key")
Pool = tuple[AccountLimit, ...]
Counts = dict[Key, int]
"""How many there are of each; what is not there is zero. A ``Counter`` is slower, as half of it is Python."""


class Wish(Struct, frozen=True, gc=False):
    """What is asked for: a slot of ``tenant``, which may have ``limit`` of them, on any account of ``pool``."""

    tenant: str
    limit: int
    pool: Pool


def wish_of(scope: Scope) -> Wish:
    """Return what a request asks for, by the limits of this moment."""
    return Wish(scope.tenant, scope.limit, tuple(scope.accounts))


class Granted(Struct, frozen=True, array_like=True, tag="granted", gc=False):
    """A slot, on ``account``."""

    account: str


class Waiting(Struct, frozen=True, array_like=True, tag="waiting"):
    """A place in the tenant's line, the first being 1. The tenant has ``held`` slots."""

    position: int
    held: int


class Full(Struct, frozen=True, array_like=True, tag="full"):
    """Neither, because ``waiting`` of the tenant are in line already. The tenant has ``held`` slots."""

    waiting: int
    held: int


class Turn(Struct, frozen=True, array_like=True):
    """One that waited has a slot on ``account`` now."""

    number: int
    account: str


class Holder(Struct, frozen=True, gc=False):
    """Whose slot it is, and on which account."""

    tenant: str
    account: str


@dataclass(slots=True, eq=False)
class Line:
    """
    A tenant's waiters, first come, first served; never empty.

    Of several lines the one with the lowest ``turn`` is served. A ``parked`` one stands aside until its tenant,
    which has all it may have, gives something back.
    """

    turn: int
    parked: bool
    waiters: OrderedDict[int, Wish]


class Ledger:
    """
    The books of one model.

    Every method leaves them settled: nobody is in line whose turn it could be. While they are ``closed``, whoever
    comes is lined up. What an operation costs does not grow with the waiters.
    """

    def __init__(self) -> None:
        self.closed = False
        self.holders: dict[int, Holder] = {}
        self.lines: dict[str, Line] = {}
        self.tenants: Counts[str] = {}
        self.accounts: Counts[str] = {}
        self._waiting_for: Counts[Pool] = {}
        self._tenant_of: dict[int, str] = {}
        self._rotation: list[tuple[int, str]] = []
        self._turns = 0

    def acquire(self, number: int, wish: Wish, *, queue_size: int) -> Granted | Waiting | Full:
        """Give ``number`` a slot, or a place in line if fewer than ``queue_size`` of its tenant are in line."""
        line = self.lines.get(wish.tenant)
        if line is None and (account := self._room(wish)) is not None:
            self._take(number, wish.tenant, account)
            return Granted(account)
        waiting = len(line.waiters) if line is not None else 0
        if waiting >= queue_size:
            return Full(waiting, self.tenants.get(wish.tenant, 0))
        self._join(number, wish)
        return Waiting(waiting + 1, self.tenants.get(wish.tenant, 0))

    def restate(self, number: int, wish: Wish) -> list[Turn]:
        """Let other limits hold for a waiter from now on; return whose turn it is because of them."""
        line = self.lines[wish.tenant]
        subtract(self._waiting_for, line.waiters[number].pool)
        line.waiters[number] = wish
        add(self._waiting_for, wish.pool)
        self._unpark(wish.tenant)
        return self._hand_off()

    def release(self, number: int) -> list[Turn]:
        """Take back the slot or the place in line of ``number``, if it has one; return whose turn it is now."""
        self._let_go(number)
        return self._hand_off() if self.lines else []

    def enter(self, number: int, holder: Holder) -> list[Turn]:
        """Write down what ``number`` holds already, even beyond the limits; return whose turn it is now."""
        self._let_go(number)
        self._take(number, holder.tenant, holder.account)
        return self._hand_off()

    def open(self) -> list[Turn]:
        """Admit from now on; return whose turn it is."""
        self.closed = False
        return self._hand_off()

    def _room(self, wish: Wish) -> str | None:
        """Return the least loaded account, the first of equals; None when it or the tenant has no room."""
        if self.closed or self.tenants.get(wish.tenant, 0) >= wish.limit:
            return None
        best, least = None, 1.0
        for account in wish.pool:
            held = self.accounts.get(account.name, 0)
            if held < account.limit and held / account.limit < least:
                best, least = account.name, held / account.limit
        return best

    def _take(self, number: int, tenant: str, account: str) -> None:
        self.holders[number] = Holder(tenant, account)
        add(self.tenants, tenant)
        add(self.accounts, account)

    def _let_go(self, number: int) -> None:
        if (holder := self.holders.pop(number, None)) is not None:
            subtract(self.tenants, holder.tenant)
            subtract(self.accounts, holder.account)
            if self.lines:
                self._unpark(holder.tenant)
        elif (tenant := self._tenant_of.get(number)) is not None:
            self._leave(number, tenant)
            self._unpark(tenant)

    def _join(self, number: int, wish: Wish) -> None:
        line = self.lines.get(wish.tenant)
        if line is None:
            line = self.lines[wish.tenant] = Line(self._next_turn(), parked=False, waiters=OrderedDict())
            self._rotation.append((line.turn, wish.tenant))
        line.waiters[number] = wish
        self._tenant_of[number] = wish.tenant
        add(self._waiting_for, wish.pool)

    def _leave(self, number: int, tenant: str) -> None:
        line = self.lines[tenant]
        subtract(self._waiting_for, line.waiters.pop(number).pool)
        del self._tenant_of[number]
        if not line.waiters:
            del self.lines[tenant]
            if not line.parked:
                self._step_aside(line.turn, tenant)

    def _hand_off(self) -> list[Turn]:
        """Serve line after line until nobody is left whom the accounts have room for."""
        turns: list[Turn] = []
        full: set[Pool] = set()
        passed = 0
        while not self.closed and passed < len(self._rotation) and len(full) < len(self._waiting_for):
            turn, tenant = self._rotation[passed]
            line = self.lines[tenant]
            number, wish = next(iter(line.waiters.items()))
            if self.tenants.get(tenant, 0) >= wish.limit:
                line.parked = True
                self._step_aside(turn, tenant)
            elif (account := self._room(wish)) is None:
                full.add(wish.pool)
                passed += 1
            else:
                self._serve(number, tenant, account)
                turns.append(Turn(number, account))
        return turns

    def _serve(self, number: int, tenant: str, account: str) -> None:
        line = self.lines[tenant]
        self._leave(number, tenant)
        self._take(number, tenant, account)
        if line.waiters:
            self._step_aside(line.turn, tenant)
            line.turn = self._next_turn()
            self._rotation.append((line.turn, tenant))

    def _next_turn(self) -> int:
        self._turns += 1
        return self._turns

    def _step_aside(self, turn: int, tenant: str) -> None:
        del self._rotation[bisect_left(self._rotation, (turn, tenant))]

    def _unpark(self, tenant: str) -> None:
        line = self.lines.get(tenant)
        if line is not None and line.parked:
            line.parked = False
            insort(self._rotation, (line.turn, tenant))


def add(counts: Counts[Key], key: Key) -> None:
    """Count one more."""
    counts[key] = counts.get(key, 0) + 1


def subtract(counts: Counts[Key], key: Key) -> None:
    """Count one less, and nothing at all instead of zero."""
    left = counts[key] - 1
    if left:
        counts[key] = left
    else:
        del counts[key]
