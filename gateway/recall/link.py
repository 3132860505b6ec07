"""The wire to Redis: what it does not do in time is not waited for, and counted."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Self

from gateway.redis_client.client import Client, connect, leave_replica
from gateway.redis_client.faults import FAULTS, kind_of
from gateway.redis_client.observer import Nobody, RedisObserver

CALL_SECONDS = 0.25
"""The longest that a request waits for what Redis may know."""

MAX_CALLS = 32
"""Under way at a time, a connection each."""

FAILURES_TO_REST = 3
REST_SECONDS = 1.0

OPERATION = "recall"

log = logging.getLogger(__name__)


class Link:
    """
    What the memories of this process ask of Redis, each time for ``timeout_seconds`` at most.

    After a few failures in a row nothing is asked for ``rest_seconds``, so that a Redis that is away delays few.
    """

    def __init__(
        self,
        client: Client,
        *,
        timeout_seconds: float = CALL_SECONDS,
        rest_seconds: float = REST_SECONDS,
        observer: RedisObserver | None = None,
    ) -> None:
        self._client = client
        self._timeout_seconds = timeout_seconds
        self._rest_seconds = rest_seconds
        self._observer = observer or Nobody()
        self._observe = self._observer.redis_call(OPERATION)
        self._turns = asyncio.Semaphore(MAX_CALLS)
        self._failures = 0
        self._rests_until = float("-inf")

    @classmethod
    def create(cls, url: str, *, observer: RedisObserver | None = None) -> Self:
        """Return a link to a Redis URL. Raises AddressError."""
        return cls(connect(url, timeout_seconds=CALL_SECONDS), observer=observer)

    async def ask(self, work: Callable[[Client], Awaitable[None]]) -> bool:
        """Have Redis do ``work``; return whether it did, in time."""
        clock = asyncio.get_running_loop().time
        began = clock()
        if began < self._rests_until:
            return False
        try:
            async with asyncio.timeout(self._timeout_seconds), self._turns:
                await work(self._client)
        except FAULTS as fault:
            self._fail(fault, now=clock())
            await leave_replica(self._client, fault)
            return False
        finally:
            self._observe(clock() - began)
        self._failures = 0
        return True

    async def aclose(self) -> None:
        """Hang up."""
        await self._client.aclose()

    def _fail(self, fault: BaseException, *, now: float) -> None:
        self._observer.count_redis_error(OPERATION, kind=kind_of(fault))
        self._failures += 1
        if self._failures >= FAILURES_TO_REST:
            self._rests_until = now + self._rest_seconds
        if self._failures == FAILURES_TO_REST:
            # The client's own words may hold what was to be remembered.
            log.warning("Redis remembers nothing for now: %s", type(fault).__name__)
