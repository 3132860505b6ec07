"""Slots in this process: never above a limit, fair, bounded, and nothing left behind."""

import asyncio
from collections import Counter, deque

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.errors import RateLimited
from gateway.limits.limiter import AccountLimit, Scope, Slot, Usage
from gateway.limits.lobby import Lobby
from gateway.limits.local import LocalBooks
from gateway.limits.memory import MemoryLimiter

MODEL = "glm-4.7"
LONG = 3600.0


def scope(tenant: str = "a", *, limit: int = 2, **accounts: int) -> Scope:
    limits = [AccountLimit(name, most) for name, most in (accounts or {"main": 10}).items()]
    return Scope(tenant=tenant, model=MODEL, limit=limit, accounts=limits)


def is_empty(limiter: MemoryLimiter) -> bool:
    return all(is_idle(lobby) for lobby in limiter._lobbies.values())


def is_idle(lobby: Lobby) -> bool:
    assert isinstance(lobby.books, LocalBooks)
    ledger = lobby.books.ledger
    here = (lobby.held, lobby.waiting, lobby.tenants, lobby.accounts)
    there = (ledger.holders, ledger.lines, ledger.tenants, ledger.accounts)
    hidden = (ledger._waiting_for, ledger._tenant_of, ledger._rotation)
    return not any((*here, *there, *hidden))


class Queue:
    """Requests in line, in the order in which they joined, and the order in which they were served."""

    def __init__(self, limiter: MemoryLimiter) -> None:
        self.served: list[str] = []
        self.slots: dict[str, Slot] = {}
        self._limiter = limiter

    async def join(self, name: str, where: Scope, *, timeout_seconds: float = LONG) -> asyncio.Task[None]:
        """Let a request take its slot or its place in the line."""

        async def wait() -> None:
            self.slots[name] = await self._limiter.acquire(where, timeout_seconds=timeout_seconds)
            self.served.append(name)

        task = asyncio.get_running_loop().create_task(wait())
        await asyncio.sleep(0)
        return task

    async def free(self, name: str) -> None:
        self._limiter.release(self.slots.pop(name))
        await asyncio.sleep(0)


@pytest.fixture
def limiter() -> MemoryLimiter:
    return MemoryLimiter(queue_size=3)


@pytest.fixture
def queue(limiter: MemoryLimiter) -> Queue:
    return Queue(limiter)


async def test_slot_is_handed_to_the_next_when_it_is_given_back(queue: Queue) -> None:
    """First come, first served within a tenant."""
    tasks = [await queue.join(name, scope(limit=1)) for name in ("first", "second", "third")]

    await queue.free("first")
    await queue.free("second")
    await asyncio.gather(*tasks)

    assert ["first", "second", "third"] == queue.served


async def test_tenants_are_served_in_turn_when_they_wait_for_the_same_account(queue: Queue) -> None:
    """One caller's flood does not starve another."""
    tasks = [await queue.join("holder", scope("z", main=1))]
    for name, tenant in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("c1", "c")):
        tasks.append(await queue.join(name, scope(tenant, main=1)))

    for _ in range(5):
        await queue.free(queue.served[-1])
    await asyncio.gather(*tasks)

    assert ["holder", "a1", "b1", "c1", "a2", "a3"] == queue.served


async def test_other_tenant_enters_when_only_the_first_is_full(queue: Queue) -> None:
    """A line of one tenant's own making is nobody else's."""
    waiting = [await queue.join(name, scope("a", limit=1)) for name in ("a1", "a2")]

    await queue.join("b1", scope("b", limit=1))

    assert ["a1", "b1"] == queue.served
    waiting[1].cancel()


async def test_newcomer_waits_behind_the_line_when_its_limit_was_raised(queue: Queue) -> None:
    """A changed limit does not let later requests of a tenant pass earlier ones."""
    for name in ("holder", "waiting"):
        await queue.join(name, scope(limit=1))

    later = await queue.join("later", scope(limit=5))
    await queue.free("holder")

    assert ["holder", "waiting", "later"] == queue.served
    assert later.done()


async def test_least_loaded_account_is_taken_when_there_are_several(limiter: MemoryLimiter) -> None:
    """Load is what is held in proportion to the account's limit."""
    where = scope(limit=10, small=2, large=4)

    taken = [(await limiter.acquire(where, timeout_seconds=0)).account for _ in range(6)]

    assert ["small", "large", "large", "small", "large", "large"] == taken
    with pytest.raises(RateLimited):
        await limiter.acquire(where, timeout_seconds=0)


async def test_caller_is_refused_when_its_wait_is_over(limiter: MemoryLimiter) -> None:
    slot = await limiter.acquire(scope(limit=1), timeout_seconds=0)

    with pytest.raises(RateLimited, match=r"allows 1 requests at once for glm-4.7") as refused:
        await limiter.acquire(scope(limit=1), timeout_seconds=0.001)

    assert 1 == refused.value.retry_after_seconds
    limiter.release(slot)
    assert is_empty(limiter)


async def test_caller_is_refused_at_once_when_the_line_is_full(limiter: MemoryLimiter, queue: Queue) -> None:
    """The bound is on the waiters of one tenant for one model."""
    tasks = [await queue.join(f"{number}", scope(limit=1)) for number in range(4)]

    with pytest.raises(RateLimited, match="3 of your requests are waiting"):
        await limiter.acquire(scope(limit=1), timeout_seconds=LONG)

    for task in tasks[1:]:
        task.cancel()
    await asyncio.wait(tasks)


async def test_nothing_happens_when_a_slot_is_given_back_twice(limiter: MemoryLimiter) -> None:
    kept = await limiter.acquire(scope(limit=2), timeout_seconds=0)
    slot = await limiter.acquire(scope(limit=2), timeout_seconds=0)

    limiter.release(slot)
    limiter.release(slot)

    assert 1 == limiter.remaining(scope(limit=2))
    limiter.release(kept)
    assert is_empty(limiter)


async def test_turn_is_passed_on_when_its_owner_is_cancelled_in_that_moment(queue: Queue) -> None:
    """Given and cancelled in one tick of the loop: the slot goes to the next, not to nobody."""
    await queue.join("holder", scope(limit=1))
    leaving = await queue.join("leaving", scope(limit=1))
    staying = await queue.join("staying", scope(limit=1))

    queue._limiter.release(queue.slots["holder"])
    leaving.cancel()
    await staying

    assert ["holder", "staying"] == queue.served


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still until it is told otherwise."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def run_on(self) -> None:
        """Run until nothing is left to do at this time."""
        for _ in range(8):
            self.call_soon(self.stop)
            self.run_forever()


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

    def usage(self, kind: str) -> list[Usage]:
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
