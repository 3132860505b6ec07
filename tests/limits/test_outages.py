"""Replicas under load while Redis is harmed again and again: the limits hold, nobody hangs, nothing is left."""

import asyncio
import random
from collections import Counter

from gateway.errors import CapacityError
from gateway.limits.limiter import Limiter
from tests.limits.conftest import StartReplica
from tests.limits.requests import MODEL, scope, until
from tests.redis_server import RedisServer

TENANTS = {"a": 3, "b": 5, "c": 9}
ACCOUNTS = {"main": 5, "spare": 2}
LIMITS = {**TENANTS, **ACCOUNTS}
PATIENCE_SECONDS = 1.0


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
            self.hung += [waited] if waited > 2 * PATIENCE_SECONDS else []

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


async def test_limits_hold_when_redis_is_harmed_under_load(
    own_redis: RedisServer, start_replica: StartReplica
) -> None:
    """Never above a limit, no wait beyond the queue timeout, and all is free at the end."""
    replicas = [await start_replica(own_redis, lease_seconds=3, queue_size=50) for _ in range(3)]
    await until(lambda: all(replica.replicas == 3 for replica in replicas))
    callers = Callers()
    async with asyncio.TaskGroup() as tasks:
        for replica in replicas:
            for tenant in "aabbcc":
                tasks.create_task(callers.call(replica, tenant))
        await harm(own_redis)
        callers.over = True

    assert [] == callers.excesses
    assert [] == callers.hung
    assert callers.served > 100
    await until(lambda: not own_redis.ask("EXISTS", f"glm-gateway:{{{MODEL}}}:slots"))
