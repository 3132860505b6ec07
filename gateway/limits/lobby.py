"""The requests of this process for one model: who holds a slot, who waits. Who is next is for the books to say."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from typing import Protocol

from gateway.errors import CapacityError
from gateway.limits.ledger import Counts, Full, Granted, Waiting, Wish, add, subtract, wish_of
from gateway.limits.limiter import AccountLimit, Scope, Slot, limit_of, serves
from gateway.limits.pace import Pace
from gateway.limits.refusals import full, nobody_serves, too_late, too_long

NOBODY = 0
"""The size of a queue in which nobody waits."""

MAX_IDLE_TENANTS = 1000
"""Of whom is told that they use nothing."""


@dataclass(slots=True, eq=False)
class Waiter:
    """
    A request without a slot. ``turn`` becomes the slot, or why there is none.

    ``position`` is its place in line when it joined, 0 while that is not known; ``held`` is how many slots its
    tenant has, as last heard. By the loop's clock, ``since`` is when it joined, ``until`` when it gives up, and
    ``told_at`` when the books were last told that it waits.
    """

    number: int
    scope: Scope
    queue_size: int
    since: float
    until: float
    turn: asyncio.Future[Slot | CapacityError]
    position: int = 0
    held: int = 0
    told_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.told_at = self.since


class Books(Protocol):
    """Where slots are counted: in this process, or where all replicas share them."""

    def ask(self, number: int, wish: Wish, *, queue_size: int) -> Granted | Waiting | Full | None:
        """Ask for a slot; None when the answer is told to the lobby later. Raises CapacityError."""

    def ask_again(self, waiter: Waiter) -> None:
        """Ask for what somebody waits for, lest the answer was lost or the limits have changed."""

    def give_back(self, number: int) -> None:
        """Take back a slot, or a place in line, or a question that was not answered yet."""


class Lobby:
    """
    Where the requests of one model meet its books.

    ``books`` may be others from one moment to the next. ``tenants`` and ``accounts`` count what is under way, not
    what is ``held`` only to be given back soon. ``check_seconds`` is how often the books are asked again for those
    who wait. Numbers are never used twice. ``scopes`` has what tenants asked for last; of those that hold nothing,
    the early ones are forgotten when there are many.
    """

    numbers = count(1)

    def __init__(self, model: str, *, queue_size: int, check_seconds: float) -> None:
        self.model = model
        self.books: Books
        self.held: dict[int, Slot] = {}
        self.waiting: dict[int, Waiter] = {}
        self.scopes: dict[str, Scope] = {}
        self.tenants: Counts[str] = {}
        self.accounts: Counts[str] = {}
        self.pace = Pace()
        self._forget_at = MAX_IDLE_TENANTS
        self._kept: dict[int, asyncio.TimerHandle] = {}
        self._queue_size = queue_size
        self._check_seconds = check_seconds
        self._check: asyncio.TimerHandle | None = None
        self._now = monotonic

    def take(self, scope: Scope) -> Slot | None:
        """Return a slot if one is free, None when the books do not say so at once; see the port."""
        if self.scopes.get(scope.tenant) is not scope:
            self._remember(scope)
        number = next(self.numbers)
        wish = wish_of(scope)
        answer = self.books.ask(number, wish, queue_size=NOBODY)
        return self._hold(number, scope, answer.account, wish.pool) if isinstance(answer, Granted) else None

    async def acquire(self, scope: Scope, *, timeout_seconds: float) -> Slot:
        """Return a slot; see the port."""
        if self.scopes.get(scope.tenant) is not scope:
            self._remember(scope)
        if not serves(scope):
            raise nobody_serves(scope)
        number = next(self.numbers)
        queue_size = self._queue_size if timeout_seconds > 0 else NOBODY
        wish = wish_of(scope)
        answer = self.books.ask(number, wish, queue_size=queue_size)
        if isinstance(answer, Granted):
            return self._hold(number, scope, answer.account, wish.pool)
        waiter = self._join(number, scope, queue_size, timeout_seconds=timeout_seconds)
        if answer is not None:
            self._place(waiter, answer)
        return await self._wait(waiter, timeout_seconds)

    def release(self, slot: Slot, *, after_seconds: float = 0.0) -> None:
        """Give a slot back; see the port."""
        if after_seconds > 0 and slot.number in self.held:
            if slot.number not in self._kept:
                self._discount(slot)
                loop = asyncio.get_running_loop()
                self._kept[slot.number] = loop.call_later(after_seconds, self.release, slot)
        elif self._let_go(slot.number) is not None:
            now = self._now()
            self.pace.note(slot.scope.tenant, now - slot.since, now=now)
            self.books.give_back(slot.number)

    def answer(self, number: int, answer: Waiting | Full) -> None:
        """Tell a request, if it is there, of its place in line, or that there is none."""
        waiter = self.waiting.get(number)
        if waiter is not None:
            self._place(waiter, answer)

    def grant(self, number: int, account: str) -> bool:
        """Give a slot to who waits for it; False when nobody does, and nobody has it."""
        waiter = self.waiting.pop(number, None)
        if waiter is None or waiter.turn.done():
            return number in self.held
        scope = waiter.scope
        waiter.turn.set_result(self._hold(number, scope, account, scope.accounts, waiter.position))
        return True

    def refuse(self, waiter: Waiter, reason: CapacityError) -> None:
        """End a wait without a slot."""
        self.waiting.pop(waiter.number, None)
        if not waiter.turn.done():
            waiter.turn.set_result(reason)

    def recheck(self) -> None:
        """Ask again for all who wait, because their limits have changed; whom nobody serves any more is told."""
        for waiter in list(self.waiting.values()):
            if waiter.number in self.waiting:
                self._check_on(waiter)

    def lose(self, number: int) -> None:
        """Tell whoever holds a slot that it is gone."""
        if (slot := self._let_go(number)) is not None:
            slot.lose()

    def close(self, reason: CapacityError) -> None:
        """End all waits, and give back at once what was to be given back soon."""
        for number in list(self._kept):
            self.release(self.held[number])
        for waiter in list(self.waiting.values()):
            self.refuse(waiter, reason)
            self.books.give_back(waiter.number)
        if self._check is not None:
            self._check.cancel()

    def _hold(
        self, number: int, scope: Scope, account: str, accounts: Iterable[AccountLimit], position: int = 0
    ) -> Slot:
        slot = self.held[number] = Slot(number, scope, account, position, limit_of(accounts, account), self._now())
        add(self.tenants, scope.tenant)
        add(self.accounts, account)
        return slot

    def _let_go(self, number: int) -> Slot | None:
        slot = self.held.pop(number, None)
        if self._kept and (timer := self._kept.pop(number, None)) is not None:
            timer.cancel()
        elif slot is not None:
            self._discount(slot)
        return slot

    def _discount(self, slot: Slot) -> None:
        subtract(self.tenants, slot.scope.tenant)
        subtract(self.accounts, slot.account)

    def _remember(self, scope: Scope) -> None:
        """
        Note what a tenant asks for, and go by the clock of the loop it is in.

        Tokens can bring any number of tenants, so the idle ones are forgotten.
        """
        # Not every time, as to ask for the loop is a system call on Python 3.11.
        self._now = asyncio.get_running_loop().time
        if scope.tenant not in self.scopes and len(self.scopes) >= self._forget_at:
            busy = {*self.tenants, *(waiter.scope.tenant for waiter in self.waiting.values())}
            self.scopes = {tenant: one for tenant, one in self.scopes.items() if tenant in busy}
            self.pace.tenants = {tenant: one for tenant, one in self.pace.tenants.items() if tenant in busy}
            self._forget_at = MAX_IDLE_TENANTS + len(busy)
        self.scopes[scope.tenant] = scope

    def _join(self, number: int, scope: Scope, queue_size: int, *, timeout_seconds: float) -> Waiter:
        loop = asyncio.get_running_loop()
        now = loop.time()
        waiter = self.waiting[number] = Waiter(
            number, scope, queue_size, now, now + timeout_seconds, loop.create_future()
        )
        if self._check is None:
            self._check = loop.call_later(self._check_seconds, self._ask_again)
        return waiter

    def _place(self, waiter: Waiter, answer: Waiting | Full) -> None:
        """Note a place in line, or refuse one who has none, or would stand there for longer than it can."""
        waiter.held = answer.held
        if isinstance(answer, Full):
            wait_seconds = self._expected(waiter, answer.waiting + 1)
            may_wait = waiter.queue_size > NOBODY
            self.refuse(waiter, full(waiter.scope, answer, may_wait=may_wait, wait_seconds=wait_seconds))
        elif not waiter.position:
            waiter.position = answer.position
            expected_seconds = self._expected(waiter, answer.position)
            if expected_seconds is not None and self._now() + expected_seconds > waiter.until:
                self.refuse(waiter, too_long(waiter.scope, answer, wait_seconds=expected_seconds))
                self.books.give_back(waiter.number)

    def _expected(self, waiter: Waiter, position: int) -> float | None:
        return self.pace.wait_seconds(waiter.scope, position=position, now=self._now())

    async def _wait(self, waiter: Waiter, timeout_seconds: float) -> Slot:
        loop = asyncio.get_running_loop()
        timer = (
            loop.call_later(timeout_seconds, self._give_up, waiter, timeout_seconds)
            if timeout_seconds > 0
            else None
        )
        try:
            outcome = await waiter.turn
        except asyncio.CancelledError:
            self._leave(waiter)
            raise
        finally:
            if timer is not None:
                timer.cancel()
        if isinstance(outcome, Slot):
            return outcome
        raise outcome

    def _give_up(self, waiter: Waiter, timeout_seconds: float) -> None:
        """End a wait that is over, unless its turn has come or its task was cancelled."""
        if not waiter.turn.done():
            refusal = too_late(
                waiter.scope,
                timeout_seconds,
                position=waiter.position,
                held=max(waiter.held, self.tenants.get(waiter.scope.tenant, 0)),
                wait_seconds=self._expected(waiter, 1),
            )
            self.refuse(waiter, refusal)
            self.books.give_back(waiter.number)

    def _leave(self, waiter: Waiter) -> None:
        """Leave the line, or pass on a turn that came at the very moment of leaving."""
        if self.waiting.pop(waiter.number, None) is not None:
            self.books.give_back(waiter.number)
        elif (slot := self.held.get(waiter.number)) is not None:
            self.release(slot)

    def _ask_again(self) -> None:
        self._check = None
        loop = asyncio.get_running_loop()
        for waiter in list(self.waiting.values()):
            if waiter.since <= loop.time() - self._check_seconds and waiter.number in self.waiting:
                self._check_on(waiter)
        if self.waiting:
            self._check = loop.call_later(self._check_seconds, self._ask_again)

    def _check_on(self, waiter: Waiter) -> None:
        if serves(waiter.scope):
            self.books.ask_again(waiter)
        else:
            self.refuse(waiter, nobody_serves(waiter.scope))
            self.books.give_back(waiter.number)
