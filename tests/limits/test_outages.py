"""Replicas under load while Redis is harmed again and again: the limits hold, nobody hangs, nothing is left."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.errors import CapacityError
from gateway.limits.limiter import Limiter
from gateway.limits.redis import RedisLimiter
from gateway.torture.cluster import SLOTS, RedisCluster
from gateway.torture.redis import RedisServer as Server
from gateway.torture.sentinel import RedisSentinel
from tests.limits.conftest import Stand, StartReplica
from tests.limits.redis_proxy import RedisProxy
from tests.limits.requests import MODEL, scope, until
from tests.redis_server import RedisServer

TENANTS = {"a": 3, "b": 5, "c": 9}
ACCOUNTS = {"main": 5, "spare": 2}
LIMITS = {**TENANTS, **ACCOUNTS}
PATIENCE_SECONDS = 1.0
HUNG_SECONDS = 20.0  # not by a busy machine, but as what nobody ends

REFUSALS = (
    "READONLY You can't write against a read only replica.",
    "LOADING Redis is loading the dataset in memory",
    "OOM command not allowed when used memory > 'maxmemory'.",
)


class Callers:
    """Callers that come, go, hold and leave at random. ``excesses`` and ``hung`` stay empty."""

    def __init__(self) -> None:
        self.excesses: list[str] = []
        self.hung: list[float] = []
        self.served = 0
        self.over = False
        self._held: Counter[str] = Counter()
        self._random = random.Random(5)  # noqa: S311 - nobody has to guess

    async def call(self, limiter: Limiter, tenant: str) -> None:
        """Call until it is over."""
        while not self.over:
            started = asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(self._random.choice([0.02, 60])):
                    await self._call_once(limiter, tenant)
            except (CapacityError, TimeoutError):
                await asyncio.sleep(0.01)
            waited = asyncio.get_running_loop().time() - started
            self.hung += [waited] if waited > HUNG_SECONDS else []

    async def _call_once(self, limiter: Limiter, tenant: str) -> None:
        slot = await limiter.acquire(
            scope(tenant, limit=TENANTS[tenant], **ACCOUNTS), timeout_seconds=PATIENCE_SECONDS
        )
        counted = (tenant, slot.account)
        self._held.update(counted)
        self.excesses += [f"{one}: {self._held[one]}" for one in counted if self._held[one] > LIMITS[one]]
        try:
            await asyncio.sleep(self._random.random() * 0.05)
        finally:
            self._held.subtract(counted)
            limiter.release(slot)
        self.served += 1


async def harm(server: RedisServer) -> None:
    """Do to a Redis what may happen to one."""
    for command in (
        ("FLUSHALL",),
        ("SCRIPT", "FLUSH"),
        ("REPLICAOF", "127.0.0.1", "1"),
        ("REPLICAOF", "NO", "ONE"),
    ):
        server.ask(*command)
        await asyncio.sleep(0.7)
    server.stall()
    await asyncio.sleep(1.5)
    server.resume()
    await asyncio.sleep(0.7)
    server.kill()
    await asyncio.sleep(0.7)
    server.start()
    await asyncio.sleep(0.7)


class Load:
    """Three replicas under load. While it goes on anything may be done to their Redis."""

    def __init__(self, start_replica: StartReplica) -> None:
        self.replicas: list[RedisLimiter] = []
        self.callers = Callers()
        self._start_replica = start_replica

    @asynccontextmanager
    async def on(self, redis: Stand) -> AsyncIterator[None]:
        """Call until the block ends; then there was no excess, and nobody has hung."""
        self.replicas = [await self._start_replica(redis, lease_seconds=3, queue_size=50) for _ in range(3)]
        await until(lambda: all(replica.replicas == 3 for replica in self.replicas))
        async with asyncio.TaskGroup() as tasks:
            for replica in self.replicas:
                for tenant in "aabbcc":
                    tasks.create_task(self.callers.call(replica, tenant))
            yield
            self.callers.over = True
        assert [] == self.callers.excesses
        assert [] == self.callers.hung

    async def until_alone(self) -> None:
        """Wait until every replica counts for itself."""
        await until(lambda: all(replica.degraded for replica in self.replicas))

    async def until_shared(self) -> None:
        """Wait until all count together, and have served some more."""
        await until(lambda: not any(replica.degraded for replica in self.replicas))
        enough = self.callers.served + 30
        await until(lambda: self.callers.served > enough)


@pytest.fixture
def load(start_replica: StartReplica) -> Load:
    return Load(start_replica)


async def until_free(server: Server) -> None:
    """Wait until nobody holds anything, nor waits."""
    await until(lambda: not server.ask("EXISTS", f"glm-gateway:{{{MODEL}}}:slots"))


async def test_limits_hold_when_redis_is_harmed_under_load(own_redis: RedisServer, load: Load) -> None:
    """Never above a limit, no wait beyond the queue timeout, and all is free at the end."""
    async with load.on(own_redis):
        await harm(own_redis)

    assert load.callers.served > 100
    await until_free(own_redis)


async def test_limits_hold_when_redis_refuses_to_work(redis: RedisServer, load: Load) -> None:
    """As a replica, while it loads, when its memory is full: each counts its share, until Redis works again."""
    proxy = RedisProxy(redis)
    async with proxy.listening():
        async with load.on(proxy):
            for error in REFUSALS:
                proxy.refuse(error)
                await load.until_alone()
                proxy.obey()
                await load.until_shared()

        await until_free(redis)


async def test_limits_hold_when_redis_knows_no_script(redis: RedisServer, load: Load) -> None:
    """It is told the script again, every time if it has to be, and nobody counts alone because of that."""
    proxy = RedisProxy(redis)
    async with proxy.listening():
        async with load.on(proxy):
            proxy.refuse("NOSCRIPT No matching script.", scripts=(b"EVALSHA",))
            await until(lambda: proxy.calls > 20)
            assert not any(replica.degraded for replica in load.replicas)
            proxy.obey()
            await load.until_shared()

        await until_free(redis)


async def test_limits_hold_when_answers_are_lost(redis: RedisServer, load: Load) -> None:
    """What Redis has done without anybody's hearing of it is neither done twice nor kept for ever."""
    proxy = RedisProxy(redis)
    async with proxy.listening():
        async with load.on(proxy):
            for _ in range(2):
                proxy.lose()
                await load.until_alone()
                proxy.obey()
                await load.until_shared()

        await until_free(redis)


async def test_limits_hold_when_a_primary_fails_over(sentinel: RedisSentinel, load: Load) -> None:
    """Sentinel puts a replica in the place of the primary, which comes back as one."""
    async with load.on(sentinel):
        await asyncio.to_thread(sentinel.fail_over)
        await load.until_shared()

    await until_free(sentinel.primary)


async def test_limits_hold_when_a_node_of_a_cluster_comes_back_empty(cluster: RedisCluster, load: Load) -> None:
    """The node with the books of the model."""
    slot = int(cluster.servers[0].ask("CLUSTER", "KEYSLOT", f"{{{MODEL}}}"))
    node = cluster.servers[slot * len(cluster.servers) // SLOTS]
    async with load.on(cluster):
        await load.until_shared()
        node.kill()
        await load.until_alone()
        await asyncio.to_thread(node.start)
        await load.until_shared()

    await until_free(node)
