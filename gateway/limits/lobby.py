"""The requests of this process for one model: who holds a slot, who waits. Who is next is for the books to say."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from gateway.errors import CapacityError, RateLimited
from gateway.limits.ledger import Full, Held, Waiting, subtract
from gateway.limits.limiter import Scope, Slot

RETRY_AFTER_SECONDS = 1.0
NOBODY = 0
"""The size of a queue in which nobody waits."""


@dataclass(slots=True, eq=False)
class Waiter:
    """
    A request without a slot. ``turn`` becomes the slot, or why there is none.

    ``position`` is its place in line when it joined, 0 while that is not known; ``since`` is by the loop's clock.
    """

    number: int
    scope: Scope
    queue_size: int
    since: float
    turn: asyncio.Future[Slot | CapacityError]
    position: int = 0


class Books(Protocol):
    """Where slots are counted: in this process, or where all replicas share them."""

    def ask(self, number: int, scope: Scope, *, queue_size: int) -> Held | Waiting | Full | None:
        """Ask for a slot; None when the answer is told to the lobby later. Raises CapacityError."""

    def ask_again(self, waiter: Waiter) -> None:
        """Ask for what somebody waits for, lest the answer was lost or the limits have changed."""

    def give_back(self, number: int) -> None:
        """Take back a slot, or a place in line, or a question that was not answered yet."""


class Lobby:
    """
    Where the requests of one model meet its books.

    ``books`` may be others from one moment to the next. ``check_seconds`` is how often they are asked again for
    those who wait. Numbers are never used twice.
    """

    numbers = count(1)

    def __init__(self, model: str, *, queue_size: int, check_seconds: float) -> None:
        self.model = model
        self.books: Books
        self.held: dict[int, Slot] = {}
        self.waiting: dict[int, Waiter] = {}
        self.scopes: dict[str, Scope] = {}
        self.tenants: Counter[str] = Counter()
        self.accounts: Counter[str] = Counter()
        self._queue_size = queue_size
        self._check_seconds = check_seconds
        self._check: asyncio.TimerHandle | None = None

    async def acquire(self, scope: Scope, *, timeout_seconds: float) -> Slot:
        """Return a slot; see the port."""
        self.scopes[scope.tenant] = scope
        number = next(self.numbers)
        queue_size = self._queue_size if timeout_seconds > 0 else NOBODY
        answer = self.books.ask(number, scope, queue_size=queue_size)
        if isinstance(answer, Held):
            return self._hold(number, scope, answer.account)
        if isinstance(answer, Full):
            raise full(scope, answer)
        waiter = self._join(number, scope, queue_size)
        if answer is not None:
            waiter.position = answer.position
        return await self._wait(waiter, timeout_seconds)

    def release(self, slot: Slot) -> None:
        """Give a slot back; see the port."""
        if self._let_go(slot.number) is not None:
            self.books.give_back(slot.number)

    def answer(self, number: int, answer: Held | Waiting | Full) -> bool:
        """Tell a request what the books say; False when it is not there to take the slot it was given."""
        if isinstance(answer, Held):
            return self.grant(number, answer.account)
        waiter = self.waiting.get(number)
        if waiter is not None:
            if isinstance(answer, Full):
                self.refuse(waiter, full(waiter.scope, answer))
            else:
                waiter.position = waiter.position or answer.position
        return True

    def grant(self, number: int, account: str) -> bool:
        """Give a slot to who waits for it; False when nobody does, and nobody has it."""
        waiter = self.waiting.pop(number, None)
        if waiter is None or waiter.turn.done():
            return number in self.held
        waiter.turn.set_result(self._hold(number, waiter.scope, account, position=waiter.position))
        return True

    def refuse(self, waiter: Waiter, reason: CapacityError) -> None:
        """End a wait without a slot."""
        self.waiting.pop(waiter.number, None)
        if not waiter.turn.done():
            waiter.turn.set_result(reason)

    def lose(self, number: int) -> None:
        """Tell whoever holds a slot that it is gone."""
        if (slot := self._let_go(number)) is not None:
            slot.lose()

    def close(self, reason: CapacityError) -> None:
        """End all waits."""
        for waiter in list(self.waiting.values()):
            self.refuse(waiter, reason)
            self.books.give_back(waiter.number)
        if self._check is not None:
            self._check.cancel()

    def _hold(self, number: int, scope: Scope, account: str, *, position: int = 0) -> Slot:
        slot = self.held[number] = Slot(number, scope, account, position)
        self.tenants[scope.tenant] += 1
        self.accounts[account] += 1
        return slot

    def _let_go(self, number: int) -> Slot | None:
        slot = self.held.pop(number, None)
        if slot is not None:
            subtract(self.tenants, slot.scope.tenant)
            subtract(self.accounts, slot.account)
        return slot

    def _join(self, number: int, scope: Scope, queue_size: int) -> Waiter:
        loop = asyncio.get_running_loop()
        waiter = self.waiting[number] = Waiter(number, scope, queue_size, loop.time(), loop.create_future())
        if self._check is None:
            self._check = loop.call_later(self._check_seconds, self._ask_again)
        return waiter

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
            self.refuse(waiter, too_late(waiter.scope, timeout_seconds))
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
                self.books.ask_again(waiter)
        if self.waiting:
            self._check = loop.call_later(self._check_seconds, self._ask_again)


def full(scope: Scope, answer: Full) -> RateLimited:
    if answer.waiting:
        return refusal(scope, f"{answer.waiting} of your requests are waiting already.")
    return refusal(scope, "None is free now.")


def too_late(scope: Scope, timeout_seconds: float) -> RateLimited:
    return refusal(scope, f"None became free within {timeout_seconds:.3g} s.")


def refusal(scope: Scope, reason: str) -> RateLimited:
    return RateLimited(
        f"Your tier allows {scope.limit} requests at once for {scope.model}. {reason} Try again shortly.",
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )
