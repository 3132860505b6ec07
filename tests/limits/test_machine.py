"""
Limiters in any order of events: arrivals, releases, callers that leave, renewals, changed limits, killed replicas.

The memory adapter has one replica, the Redis adapter two that share a real Redis, in real time.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from gateway.limits.limiter import AccountLimit, Limiter, Occupancy, Scope, Slot
from gateway.limits.link import end
from gateway.limits.memory import MemoryLimiter
from gateway.limits.redis import RedisLimiter
from tests.limits.requests import MODEL, until
from tests.redis_server import RedisServer

TENANT_LIMITS = {"a": 1, "b": 2, "c": 4}
LEASE_SECONDS = 1.2


class Request:
    """One request: who asks where, the how many-th it is, and the task that plays it."""

    def __init__(self, number: int, tenant: str, replica: Limiter, task: asyncio.Task[Slot]) -> None:
        self.number = number
        self.tenant = tenant
        self.replica = replica
        self.task = task

    @property
    def held(self) -> bool:
        return self.served and not self.lost

    @property
    def lost(self) -> bool:
        return self.served and self.task.result().lost

    @property
    def served(self) -> bool:
        return self.task.done() and not self.task.cancelled() and self.task.exception() is None


class Machine(RuleBasedStateMachine):
    """
    Replicas, and what is known of their requests, in the order of arrival.

    After each step it waits until nobody is in line for whom there is room, which never comes when a slot or a
    turn is lost. In between, whoever was served is checked: nobody beyond a limit, nobody before one earlier of
    the same tenant, no tenant twice while another waits that could be served.
    """

    size = 1
    settle_seconds = 2.0

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.numbers = count()
        self.before: Counter[str] = Counter()
        self.accounts = [AccountLimit("main", 2), AccountLimit("spare", 1)]
        self.waiting: list[Request] = []
        self.holding: list[Request] = []
        self.passed: dict[str, Counter[str]] = {}
        self.dead: list[Limiter] = []
        self.replicas = [self.run(self.start()) for _ in range(self.size)]

    async def start(self) -> Limiter:
        return MemoryLimiter(queue_size=100)

    def run(self, work: Awaitable[Any]) -> Any:
        async def bounded() -> Any:
            async with asyncio.timeout(20):
                return await work

        return self.loop.run_until_complete(bounded())

    def tell(self, say: Callable[..., object], *words: Any, **more: Any) -> None:
        """Call something inside the loop, and let it run no further."""

        async def call() -> None:
            say(*words, **more)

        self.run(call())

    @initialize()
    def open_the_books(self) -> None:
        """Wait until the roll was called, as new books line up whoever comes meanwhile."""
        for replica in self.replicas:
            scope = Scope(tenant="first", model=MODEL, limit=1, accounts=self.accounts)
            self.tell(replica.release, self.run(replica.acquire(scope, timeout_seconds=10)))

    @rule(tenant=st.sampled_from(sorted(TENANT_LIMITS)), index=st.integers(0, 1), times=st.integers(1, 4))
    def arrive(self, tenant: str, index: int, times: int) -> None:
        replica = self.replicas[index % len(self.replicas)]
        scope = Scope(tenant=tenant, model=MODEL, limit=TENANT_LIMITS[tenant], accounts=self.accounts)
        for _ in range(times):
            task = self.loop.create_task(replica.acquire(scope, timeout_seconds=60))
            self.waiting.append(Request(next(self.numbers), tenant, replica, task))
            self.settle()

    @precondition(lambda self: self.holding)
    @rule(data=st.data(), again=st.booleans())
    def give_back(self, data: st.DataObject, *, again: bool) -> None:
        request = data.draw(st.sampled_from(self.holding))
        self.free(request)
        if again:
            self.tell(request.replica.release, request.task.result())
        self.settle()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        self.cancel(data.draw(st.sampled_from(self.waiting)))
        self.settle()

    @precondition(lambda self: self.waiting and self.holding)
    @rule(data=st.data())
    def leave_in_the_moment_of_a_turn(self, data: st.DataObject) -> None:
        leaving = data.draw(st.sampled_from(self.waiting))
        freed = data.draw(st.sampled_from(self.holding))
        self.holding.remove(freed)
        self.waiting.remove(leaving)

        async def both() -> None:
            freed.replica.release(freed.task.result())
            leaving.task.cancel()
            await asyncio.wait([leaving.task])

        self.run(both())
        self.passed.clear()  # whose turn it was is nobody's knowledge
        self.settle()

    @rule(main=st.integers(1, 3), spare=st.integers(0, 2))
    def change_limits(self, main: int, spare: int) -> None:
        self.accounts[:] = [AccountLimit("main", main), AccountLimit("spare", spare)]
        for replica in self.replicas:
            self.tell(replica.recheck, MODEL)
        self.passed.clear()  # several may have been served at once
        self.settle(several=True)

    @rule()
    def renew(self) -> None:
        for replica in self.replicas:
            if isinstance(replica, RedisLimiter):
                self.tell(replica._renew, at_once=True)
        self.settle()

    @precondition(lambda self: len(self.replicas) > 1 and not self.dead)
    @rule(index=st.integers(0, 1))
    def kill(self, index: int) -> None:
        """End a replica without a word; what it held comes back with its lease."""
        replica = self.replicas[index]
        self.dead.append(replica)
        assert isinstance(replica, RedisLimiter)
        self.run(end(replica._tasks))
        for _, books in replica._models.values():
            books._closed = True
        for request in [one for one in self.waiting if one.replica is replica]:
            self.cancel(request)
        self.holding = [one for one in self.holding if one.replica is not replica]
        self.replicas[index] = self.run(self.start())
        self.passed.clear()
        self.settle(several=True)

    def settle(self, *, several: bool = False) -> None:
        self.run(self.settled())
        if any(one.lost for one in (*self.holding, *self.waiting)):  # The machine was so busy that leases ended.
            self.holding = [one for one in self.holding if not one.lost]
            self.waiting = [one for one in self.waiting if not one.lost]
            self.passed.clear()
            several = True
        served = [request for request in self.waiting if request.held]
        for request in served:
            self.waiting.remove(request)
            self.holding.append(request)
        self.check_order(served, several=several)
        self.check_limits()

    async def settled(self) -> None:
        await asyncio.sleep(0)
        await until(self.is_settled, seconds=self.settle_seconds)

    def is_settled(self) -> bool:
        """Tell whether all was said and heard, and nobody is in line for whom there is room."""
        requests = (*self.holding, *self.waiting)
        held = Counter(one.tenant for one in requests if one.held)
        accounts = Counter(one.task.result().account for one in requests if one.held)
        room = any(accounts[account.name] < account.limit for account in self.accounts)
        in_line = {one.tenant for one in self.waiting if not one.served}
        hopeful = any(room and held[tenant] < TENANT_LIMITS[tenant] for tenant in in_line)
        return not hopeful and all(map(is_quiet, self.replicas))

    def check_order(self, served: list[Request], *, several: bool) -> None:
        in_line = {one.tenant for one in self.waiting}
        assert not any(
            one.tenant == late.tenant and one.number < late.number for late in served for one in self.waiting
        )
        for request in [] if several else served:
            for tenant, passed in self.passed.items():
                passed[request.tenant] += tenant != request.tenant
                assert passed[request.tenant] <= 1
            self.passed.pop(request.tenant, None)
        held = Counter(one.tenant for one in self.holding)
        for tenant in in_line:
            if held[tenant] < TENANT_LIMITS[tenant]:
                self.passed.setdefault(tenant, Counter())
        self.passed = {tenant: one for tenant, one in self.passed.items() if tenant in in_line}

    def check_limits(self) -> None:
        held = Counter(one.tenant for one in self.holding)
        assert all(held[tenant] <= most for tenant, most in TENANT_LIMITS.items())
        accounts = Counter(one.task.result().account for one in self.holding)
        for account in self.accounts:
            # What was held when a limit shrank is held on; nothing is added to it.
            most = max(account.limit, self.before.get(account.name, 0))
            assert accounts[account.name] <= most
        self.before = accounts

    def free(self, request: Request) -> None:
        self.holding.remove(request)
        self.tell(request.replica.release, request.task.result())

    def cancel(self, request: Request) -> None:
        self.waiting.remove(request)
        request.task.cancel()
        self.run(gone(request.task))

    def teardown(self) -> None:
        """All is free when all have gone."""
        for request in list(self.waiting):
            self.cancel(request)
        for request in list(self.holding):
            self.free(request)
        wide = Scope(tenant="last", model=MODEL, limit=9, accounts=[AccountLimit("main", 3)])
        slots = [self.run(self.replicas[0].acquire(wide, timeout_seconds=10)) for _ in range(3)]
        for slot in slots:
            self.tell(self.replicas[0].release, slot)
        assert all(row.here == 0 for replica in self.replicas for row in self.run(told(replica)))
        for replica in (*self.replicas, *self.dead):
            self.run(replica.aclose())
        self.loop.close()


class RedisMachine(Machine):
    """The same for two replicas that share ``server``."""

    size = 2
    settle_seconds = 8.0
    server: RedisServer

    def __init__(self) -> None:
        self.server.ask("FLUSHALL")
        super().__init__()

    async def start(self) -> Limiter:
        limiter = RedisLimiter.create(
            self.server.url, queue_size=100, lease_seconds=LEASE_SECONDS, on_outage="refuse"
        )
        await limiter.start()
        return limiter


def is_quiet(replica: Limiter) -> bool:
    """Tell whether all that a replica wants of its books has been said, and answered."""
    if not isinstance(replica, RedisLimiter):
        return True
    lobby, books = replica._model(MODEL)
    return books._talking is None and all(waiter.position for waiter in lobby.waiting.values())


async def gone(task: asyncio.Task[Slot]) -> None:
    await asyncio.wait([task])


async def told(replica: Limiter) -> list[Occupancy]:
    return replica.snapshot()


def play(machine: type[Machine], *, examples: int, steps: int) -> None:
    """Play a machine. What it fails by is told as it came, as waits in vain take too long to be made shorter."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],
        ),
    )


def test_memory_keeps_its_promises_in_any_order() -> None:
    play(Machine, examples=50, steps=40)


@pytest.mark.timeout(180)
def test_redis_keeps_its_promises_in_any_order(one_redis: RedisServer) -> None:
    RedisMachine.server = one_redis
    play(RedisMachine, examples=12, steps=25)
