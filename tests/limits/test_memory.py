"""Slots in this process, beside a model of them, while time stands still; test_limiters.py has the promises."""

import asyncio
from collections import Counter, deque

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.errors import RateLimited
from gateway.limits.limiter import Occupancy, Scope, Slot
from gateway.limits.lobby import Lobby
from gateway.limits.local import LocalBooks
from gateway.limits.memory import MemoryLimiter
from tests.fakes import Loop
from tests.limits.requests import scope


def is_empty(limiter: MemoryLimiter) -> bool:
    return all(is_idle(lobby) for lobby in limiter._lobbies.values())


def is_idle(lobby: Lobby) -> bool:
    assert isinstance(lobby.books, LocalBooks)
    ledger = lobby.books.ledger
    here = (lobby.held, lobby.waiting, lobby.tenants, lobby.accounts)
    there = (ledger.holders, ledger.lines, ledger.tenants, ledger.accounts)
    hidden = (ledger._waiting_for, ledger._tenant_of, ledger._rotation)
    return not any((*here, *there, *hidden))


@pytest.fixture
def limiter() -> MemoryLimiter:
    return MemoryLimiter(queue_size=3)


def test_turn_is_taken_when_it_comes_in_the_moment_of_the_timeout(limiter: MemoryLimiter) -> None:
    """A turn that was given is never wasted on a refusal."""
    loop = Loop()
    slot = loop.run_until_complete(limiter.acquire(scope(limit=1), timeout_seconds=0))
    waiting = loop.create_task(limiter.acquire(scope(limit=1), timeout_seconds=1))
    loop.run_on()

    loop.now = 1.0
    limiter.release(slot)
    loop.run_on()
    loop.close()

    assert "main" == waiting.result().account


class Request:
    """One request of the model, and the task that plays it."""

    def __init__(self, tenant: str, task: asyncio.Task[Slot], *, deadline: float) -> None:
        self.tenant = tenant
        self.task = task
        self.deadline = deadline


TENANT_LIMITS = {"a": 1, "b": 2, "c": 4}
ACCOUNT_LIMITS = {"main": 2, "spare": 1}
QUEUE_SIZE = 2


async def taken(limiter: MemoryLimiter, where: Scope) -> Slot:
    slot = limiter.take(where)
    if slot is None:
        raise RateLimited("Nothing is free.")
    return slot


class LimiterAndModel(RuleBasedStateMachine):
    """
    The limiter beside a model of it that has no loop, no futures and one list of tenants in turn.

    Rules may be played without letting the loop run in between, so that things happen in the same moment.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = Loop()
        self.limiter = MemoryLimiter(queue_size=QUEUE_SIZE)
        self.held: list[Request] = []
        self.lines: dict[str, deque[Request]] = {}
        self.refused: list[Request] = []

    @rule(tenant=st.sampled_from(sorted(TENANT_LIMITS)))
    def take(self, tenant: str) -> None:
        self.loop.run_on()
        task = self.loop.create_task(
            taken(self.limiter, scope(tenant, limit=TENANT_LIMITS[tenant], **ACCOUNT_LIMITS))
        )
        self.loop.run_on()
        is_free = self._fits(tenant) and tenant not in self.lines
        assert is_free == (task.exception() is None)
        if is_free:
            self.held.append(Request(tenant, task, deadline=self.loop.now))

    @rule(tenant=st.sampled_from(sorted(TENANT_LIMITS)), patience=st.sampled_from([0.0, 1.0, 5.0]))
    def arrive(self, tenant: str, patience: float) -> None:
        self.loop.run_on()
        where = scope(tenant, limit=TENANT_LIMITS[tenant], **ACCOUNT_LIMITS)
        task = self.loop.create_task(self.limiter.acquire(where, timeout_seconds=patience))
        request = Request(tenant, task, deadline=self.loop.now + patience)
        self.loop.run_on()
        if self._fits(tenant) and tenant not in self.lines:
            self.held.append(request)
        elif patience and len(self.lines.get(tenant, ())) < QUEUE_SIZE and not is_hopeless(task):
            self.lines.setdefault(tenant, deque()).append(request)
        else:
            self.refused.append(request)

    @precondition(lambda self: any(one.task.done() for one in self.held))
    @rule(data=st.data(), again=st.booleans(), run=st.booleans())
    def give_back(self, data: st.DataObject, *, again: bool, run: bool) -> None:
        request = data.draw(st.sampled_from([one for one in self.held if one.task.done()]))
        self.limiter.release(request.task.result())
        if again:
            self.limiter.release(request.task.result())
        self._end(request)
        if run:
            self.loop.run_on()

    @precondition(lambda self: self.lines)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from([one for line in self.lines.values() for one in line]))
        request.task.cancel()
        self._step_out(request)
        self.loop.run_on()

    @precondition(lambda self: any(not one.task.done() for one in self.held))
    @rule(data=st.data())
    def leave_in_the_moment_of_the_turn(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from([one for one in self.held if not one.task.done()]))
        request.task.cancel()
        self._end(request)
        self.loop.run_on()

    @rule(seconds=st.sampled_from([0.5, 1.0, 10.0]))
    def wait(self, seconds: float) -> None:
        self.loop.run_on()
        self.loop.now += seconds
        self.loop.run_on()
        for request in [one for line in self.lines.values() for one in line]:
            if request.deadline <= self.loop.now:
                self._step_out(request)
                self.refused.append(request)

    @invariant()
    def limits_hold(self) -> None:
        tenants, accounts = self.in_use("tenant"), self.in_use("account")
        assert all(count <= TENANT_LIMITS[tenant] for tenant, count in tenants.items())
        assert all(count <= ACCOUNT_LIMITS[account] for account, count in accounts.items())
        assert sum(tenants.values()) == sum(accounts.values())

    @invariant()
    def limiter_agrees_with_the_model(self) -> None:
        if self.loop._ready:  # type: ignore[attr-defined]
            return  # something is still to be noticed
        assert all(one.task.done() and one.task.exception() is None for one in self.held)
        assert all(isinstance(one.task.exception(), RateLimited) for one in self.refused)
        assert not any(one.task.done() for line in self.lines.values() for one in line)
        assert Counter(one.tenant for one in self.held) == self.in_use("tenant")
        assert Counter(one.task.result().account for one in self.held) == self.in_use("account")

    def teardown(self) -> None:
        """Nothing is left when everybody has gone."""
        for request in [one for line in self.lines.values() for one in line]:
            request.task.cancel()
        self.lines.clear()
        self.loop.run_on()
        for request in self.held:
            self.limiter.release(request.task.result())
        self.loop.run_on()
        self.loop.close()
        assert is_empty(self.limiter)

    def slots(self) -> set[Slot]:
        return {slot for lobby in self.limiter._lobbies.values() for slot in lobby.held.values()}

    def in_use(self, kind: str) -> dict[str, int]:
        return {row.name: row.here for row in self.usage(kind) if row.here}

    def usage(self, kind: str) -> list[Occupancy]:
        asyncio.events._set_running_loop(self.loop)
        try:
            return [row for row in self.limiter.snapshot() if row.kind == kind]
        finally:
            asyncio.events._set_running_loop(None)

    def _fits(self, tenant: str) -> bool:
        own = sum(one.tenant == tenant for one in self.held)
        return own < TENANT_LIMITS[tenant] and len(self.held) < sum(ACCOUNT_LIMITS.values())

    def _end(self, request: Request) -> None:
        self.held.remove(request)
        while served := next((tenant for tenant in self.lines if self._fits(tenant)), None):
            line = self.lines.pop(served)
            self.held.append(line.popleft())
            if line:
                self.lines[served] = line  # at the end: the others have their turn first

    def _step_out(self, request: Request) -> None:
        line = self.lines[request.tenant]
        line.remove(request)
        if not line:
            del self.lines[request.tenant]


def is_hopeless(task: asyncio.Task[Slot]) -> bool:
    """Tell whether a request was refused because it would wait in vain; test_pace.py says when it would."""
    refusal = task.exception() if task.done() else None
    return isinstance(refusal, RateLimited) and refusal.code == "wait_too_long"


TestLimiterAndModel = LimiterAndModel.TestCase
TestLimiterAndModel.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
