"""Limiters for tests: in memory, and replicas that share a real Redis."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from gateway.limits.limiter import Limiter
from gateway.limits.memory import MemoryLimiter
from gateway.limits.redis import RedisLimiter
from gateway.torture.cluster import RedisCluster
from gateway.torture.sentinel import RedisSentinel
from tests.limits.requests import Requests
from tests.redis_server import need_redis

LEASE_SECONDS = 1.2
QUEUE_SIZE = 3

StartReplica = Callable[..., Awaitable[RedisLimiter]]


class Stand(Protocol):
    """Whatever answers as a Redis."""

    @property
    def url(self) -> str:
        """Where it answers."""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RedisCluster]:
    """Give a Cluster to be harmed."""
    need_redis()
    stand = RedisCluster(tmp_path)
    try:
        yield stand.start()
    finally:
        stand.kill()


@pytest.fixture
def sentinel(tmp_path: Path) -> Iterator[RedisSentinel]:
    """Give a primary with a replica and Sentinels, to be harmed."""
    need_redis()
    stand = RedisSentinel(tmp_path)
    try:
        yield stand.start()
    finally:
        stand.kill()


@pytest.fixture
async def start_replica() -> AsyncIterator[StartReplica]:
    """Start replicas on a Redis; they end with the test."""
    started: list[RedisLimiter] = []

    async def start(server: Stand, **options: Any) -> RedisLimiter:
        defaults: dict[str, Any] = {"queue_size": QUEUE_SIZE, "lease_seconds": LEASE_SECONDS, "on_outage": "share"}
        limiter = RedisLimiter.create(server.url, **{**defaults, **options})
        started.append(limiter)
        await limiter.start()
        return limiter

    yield start
    await asyncio.gather(*(limiter.aclose() for limiter in started))


@pytest.fixture(params=["memory", "redis"])
async def limiter(request: pytest.FixtureRequest, start_replica: StartReplica) -> Limiter:
    """Give every kind of limiter, with room for 3 waiters per tenant."""
    if request.param == "memory":
        return MemoryLimiter(queue_size=QUEUE_SIZE)
    return await start_replica(request.getfixturevalue("redis"))


@pytest.fixture
def requests(limiter: Limiter) -> Requests:
    """Give requests to the limiter."""
    return Requests(limiter)
