"""
Responses that are made after their callers were answered.

Each is a task of this process, and says that it lives while it does: one that falls silent is told as failed.
Where memory is shared, every replica answers for it.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from gateway.auth import Caller
from gateway.errors import Draining, GatewayError, StoreUnavailable
from gateway.exchange import Desk, Exchange
from gateway.recall.recall import Recall
from gateway.trace_context import TraceParent
from gateway.translate.endpoint import Context, Endpoint, Incoming
from gateway.translate.errors import internal_error
from gateway.translate.responses.job import ResponseJob

OK = 200

MAX_BEAT_SECONDS = 2.0
BEATS_IN_A_LIFE = 4
TRIES_TO_KEEP = 15

Working = Callable[[], AbstractContextManager[object]]

logger = logging.getLogger(__name__)


class Work(Struct, eq=False):
    """
    One response under way.

    ``begun`` is set once there is a ``job``, or an ``error`` in its place; ``announced`` once others can find it.
    ``task`` is None once it is made.
    """

    id: str
    tenant: str
    exchange: Exchange
    begun: asyncio.Event
    announced: asyncio.Event
    job: ResponseJob | None = None
    error: GatewayError | None = None
    task: "asyncio.Task[None] | None" = None
    is_cancelled: bool = False

    def cancel(self) -> None:
        """Stop, because that was asked for."""
        if self.task is not None:
            self.is_cancelled = True
            self.task.cancel()


class Background:
    """
    Makes responses in the background, as an asynchronous context manager that owns their tasks.

    When it is left, those under way are told as failed, and it waits until that is written down. ``life_seconds``
    is after how long a silence one is taken for dead: each says several times meanwhile that it lives, and looks
    whether it was cancelled elsewhere. ``working`` is entered while one is made.
    """

    def __init__(
        self, desk: Desk, endpoint: Endpoint[bytes], *, life_seconds: float, working: Working = nullcontext
    ) -> None:
        self.memory: Recall = desk.memories[endpoint.memory]
        self._desk = desk
        self._endpoint = endpoint
        self._life_seconds = life_seconds
        self._beat_seconds = min(MAX_BEAT_SECONDS, life_seconds / BEATS_IN_A_LIFE)
        self._working = working
        self._under_way: dict[tuple[str, str], Work] = {}
        self._group = asyncio.TaskGroup()
        self._is_stopping = False

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._beat = self._group.create_task(self._attend())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_stopping = True
        self._beat.cancel()
        for work in self._under_way.values():
            if work.task is not None:
                work.task.cancel()
        await self._group.__aexit__(None, None, None)

    async def begin(
        self, body: bytes, *, caller: Caller, request_id: str, parent: TraceParent | None = None
    ) -> bytes:
        """
        Return a response that will be made; raise GatewayError for a request that cannot be served.

        ``parent`` is the span that asked for it.
        """
        response_id = self._desk.new_id()
        exchange = Exchange(self._desk, request_id=request_id, parent=parent)
        exchange.record.operation = self._endpoint.operation
        exchange.identify(caller)
        work = Work(f"resp_{response_id}", caller.name, exchange, asyncio.Event(), asyncio.Event())
        loop = asyncio.get_running_loop()

        def begin(incoming: Incoming, context: Context) -> ResponseJob:
            job = self._endpoint.begin(incoming, replace(context, id=response_id))
            assert isinstance(job, ResponseJob)  # noqa: S101 - the endpoint of responses makes no other
            work.job = job
            loop.call_soon_threadsafe(work.begun.set)  # Jobs with recordings are made in a thread.
            return job

        endpoint = replace(self._endpoint, begin=begin)
        self._under_way[work.tenant, work.id] = work
        work.task = self._group.create_task(self._make(work, endpoint, body, caller))
        try:
            await work.begun.wait()
            if work.job is None:
                raise work.error or stopped()
            told, known = work.job.announce()
            if not (await self._sign(work) and await self.memory.remember(work.tenant, known)):
                work.cancel()
                raise StoreUnavailable(
                    "The response could not be kept, so that nobody could fetch it: the store is away, or this is "
                    "too large for it. Try again, or without 'background'."
                )
        finally:
            work.announced.set()
        return told

    async def find(self, tenant: str, response_id: str) -> tuple[str | None, bool]:
        """
        Return what is kept of a response, None if nothing, and whether nobody makes it any more.

        Raises StoreUnavailable when that cannot be told.
        """
        sign = sign_key(response_id)
        known = await self.memory.require(tenant, [response_id, sign])
        return known.get(response_id), sign not in known and (tenant, response_id) not in self._under_way

    async def cancel(self, tenant: str, response_id: str) -> None:
        """
        Have a response stopped: here and now, or shortly by the process that makes it.

        Raises StoreUnavailable when that process cannot be told.
        """
        work = self._under_way.get((tenant, response_id))
        if work is None:
            if not await self.memory.remember(tenant, {cancel_key(response_id): "1"}):
                raise StoreUnavailable("The response may go on being made. Cancel it again shortly.")
            return
        work.cancel()
        if work.task is not None:
            await asyncio.wait([work.task])

    async def _make(self, work: Work, endpoint: Endpoint[bytes], body: bytes, caller: Caller) -> None:
        with self._working():
            await self._run(work, endpoint, body, caller)

    async def _run(self, work: Work, endpoint: Endpoint[bytes], body: bytes, caller: Caller) -> None:
        exchange = work.exchange
        error: GatewayError | None = None
        try:
            await exchange.run(endpoint, body, caller=caller)
        except GatewayError as failed:
            error = failed
        except asyncio.CancelledError:
            error = None if work.is_cancelled else stopped()
        except Exception:
            logger.exception("request %s failed in the background", exchange.record.request_id)
            error = internal_error(exchange.record.request_id)
        else:
            exchange.record.status = OK
            await self._end(work)
            return
        if error is None:
            exchange.leave()
        else:
            exchange.fail(error)
        if work.job is not None:
            work.job.give_up(error)
        work.error = error
        work.begun.set()
        await self._end(work)

    async def _end(self, work: Work) -> None:
        """Write down how a response ended, after it was written down that it began."""
        work.task = None  # Nothing is left to stop.
        try:
            if work.job is not None:
                await work.announced.wait()
            if not await self._is_kept(work) and work.job is not None:
                work.job.give_up(StoreUnavailable("The response was made, and could not be kept."))
                await work.exchange.aclose()
        finally:
            work.exchange.close()
            self._under_way.pop((work.tenant, work.id), None)

    async def _is_kept(self, work: Work) -> bool:
        """Keep what became of a response, in several tries if others may wait for it; return whether it is."""
        for _ in range(TRIES_TO_KEEP):
            if await work.exchange.aclose():
                return True
            if work.is_cancelled or self._is_stopping:
                break
            await asyncio.sleep(self._beat_seconds)
        return False

    async def _attend(self) -> None:
        while True:
            await asyncio.sleep(self._beat_seconds)
            for work in [*self._under_way.values()]:
                key = cancel_key(work.id)
                if key in await self.memory.recall(work.tenant, [key]):
                    work.cancel()
                else:
                    await self._sign(work)

    async def _sign(self, work: Work) -> bool:
        """Say that a response lives, for as long as a silence may last; return whether that was heard."""
        return await self.memory.remember(work.tenant, {sign_key(work.id): "1"}, seconds=self._life_seconds)


def sign_key(response_id: str) -> str:
    return f"{response_id}:alive"


def cancel_key(response_id: str) -> str:
    return f"{response_id}:cancel"


def stopped() -> Draining:
    """Return the error for a response whose process was told to stop, or died."""
    return Draining("The gateway process that made this response ended before it was done. Ask again.")
