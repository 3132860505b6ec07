"""Memories for tests: in this process, and shared through a real Redis."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from gateway.recall.link import CALL_SECONDS, Link
from gateway.recall.memory import MemoryRecall
from gateway.recall.recall import Recall
from gateway.recall.redis import RedisRecall
from gateway.redis_client.client import connect
from tests.redis_server import RedisServer

MakeRecall = Callable[..., Recall]
MakeRedisRecall = Callable[..., RedisRecall]


class Observer:
    """Notes every call of Redis, and the kinds of those that failed."""

    def __init__(self) -> None:
        self.calls: list[float] = []
        self.errors: list[tuple[str, str]] = []

    def redis_call(self, operation: str) -> Callable[[float], None]:
        assert "recall" == operation
        return self.calls.append

    def count_redis_error(self, operation: str, *, kind: str) -> None:
        self.errors.append((operation, kind))


@pytest.fixture
def observer() -> Observer:
    """Give who is told of calls of Redis."""
    return Observer()


@pytest.fixture
async def make_shared(observer: Observer) -> AsyncIterator[MakeRedisRecall]:
    """Make memories in a Redis, each as of a replica of its own; they end with the test."""
    async with AsyncExitStack() as stack:

        def make(
            url: str,
            *,
            memory: str = "chat",
            seconds: float = 60.0,
            socket_seconds: float = CALL_SECONDS,
            **options: Any,
        ) -> RedisRecall:
            link = Link(connect(url, timeout_seconds=socket_seconds), observer=observer, **options)
            stack.push_async_callback(link.aclose)
            return RedisRecall(link, memory=memory, seconds=seconds)

        yield make


@pytest.fixture(params=["memory", "redis"])
def make_recall(request: pytest.FixtureRequest) -> MakeRecall:
    """Make memories of every kind, by the seconds for which they keep a text."""
    if request.param == "memory":
        return lambda seconds=60.0: MemoryRecall(seconds=seconds, max_bytes=64 * 1024 * 1024)
    make_shared: MakeRedisRecall = request.getfixturevalue("make_shared")
    server: RedisServer = request.getfixturevalue("redis")
    return lambda seconds=60.0: make_shared(server.url, seconds=seconds, timeout_seconds=10)


@pytest.fixture
def recall(make_recall: MakeRecall) -> Recall:
    """Give a memory of every kind."""
    return make_recall()
