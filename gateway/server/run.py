"""
Starting and stopping: the first signal drains, the second ends.

uvicorn by itself refuses new connections at the first signal and closes every WebSocket with 1012. Here it is
stopped only once nothing is under way, so streams and calls end as their callers expect.
"""

import asyncio
import gc
import logging
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.loops.auto import auto_loop_factory

from gateway.server.http import BoundedHttp, Refuse, refuse_unnoticed
from gateway.server.lifecycle import ASGIApp, Lifecycle
from gateway.server.sockets import PlainSocket
from gateway.server.whole import answering_whole

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75  # longer than the 60 s of most load balancers, so that it is they who hang up
LAST_BYTES_SECONDS = 2
HASTE_SECONDS = 0.1
PING_SECONDS = 20.0
PONG_SECONDS = 60.0  # a client that is sent more than it takes answers late
LAG_INTERVAL_SECONDS = 0.25

UNREAD_SECONDS = 180.0
"""
How long what is written may wait for a caller that takes nothing of it, or is not there any more. Longer than any
stream or call waits; what is written whole nobody else looks after, nor what is left when a connection is closed.
"""

YOUNG_OBJECTS = 10_000
"""How many objects have come to those that are left when garbage is looked for among them."""

logger = logging.getLogger(__name__)


def bind(host: str, port: int, *, unread_seconds: float = UNREAD_SECONDS) -> socket.socket:
    """
    Take an address before anything else is started; port 0 takes a free one. Raises ``OSError``.

    Where the system can (Linux), a connection whose other end takes nothing for ``unread_seconds`` is cut.
    """
    family, address = preferred(
        (family, address)
        for family, _, _, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    )
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted connections inherit it: a token must not wait until there is more to send.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if sys.platform == "linux":
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(unread_seconds * 1000))
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def preferred(found: Iterable[tuple[socket.AddressFamily, Any]]) -> tuple[socket.AddressFamily, Any]:
    """Choose IPv4 where a name means both: who is told "localhost" often tries 127.0.0.1 alone."""
    return min(found, key=lambda one: one[0] != socket.AF_INET)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine on the fastest event loop there is."""
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(main)


async def serve(
    app: ASGIApp,
    *,
    listener: socket.socket,
    lifecycle: Lifecycle,
    drain_seconds: float,
    max_header_bytes: int = 64 * 1024,
    refuse: Refuse = refuse_unnoticed,
    max_message_bytes: int = 16 * 1024 * 1024,
    beside: Sequence[tuple[ASGIApp, socket.socket]] = (),
    observe_lag: Callable[[float], None] | None = None,
    announce: Callable[[], None] | None = None,
) -> None:
    """
    Answer on ``listener`` until a signal came and what was under way has ended, or ``drain_seconds`` have.

    ``refuse`` is told of what cannot be read as HTTP, and gives headers for that answer. The applications in
    ``beside`` start before and stop after. ``observe_lag`` is told in seconds, several
    times a second, how late the event loop was. ``announce`` is called once requests are answered.
    """
    async with AsyncExitStack() as stack:
        for other, its_listener in beside:
            await stack.enter_async_context(_beside(other, its_listener, max_message_bytes=max_message_bytes))
        if observe_lag is not None:
            await stack.enter_async_context(_watching_lag(observe_lag))
        config = _config(
            answering_whole(lifecycle.counted(app)),
            lifespan="on",
            http=BoundedHttp.of(max_header_bytes=max_header_bytes, refuse=refuse),
            ws=PlainSocket.of(refuse=refuse),
            max_message_bytes=max_message_bytes,
        )
        server = DrainingServer(
            config, lifecycle=lifecycle, drain_seconds=drain_seconds, announce=announce or (lambda: None)
        )
        await server.serve([listener])


class DrainingServer(uvicorn.Server):
    """Goes on accepting after the first signal, and stops once nothing is under way."""

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        lifecycle: Lifecycle,
        drain_seconds: float,
        announce: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._lifecycle = lifecycle
        self._drain_seconds = drain_seconds
        self._drain_until = float("inf")

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        # What lives as long as the process need not be looked through at every collection: with 32 connections
        # at full speed the slowest hundredth took 27 to 30 ms, and takes 6 to 10 ms this way.
        gc.collect()
        gc.freeze()
        # Exchanges leave no cycles behind. At Python's 700 the collector looked for some 240 times a second,
        # through everything under way: 4 % of the time of a busy gateway.
        gc.set_threshold(YOUNG_OBJECTS)
        self._announce()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal. uvicorn would raise it again at the end; stopping when told to is no failure."""
        del sig, frame
        if self._lifecycle.draining:
            self.should_exit = self.force_exit = True
            return
        self._lifecycle.draining = True
        self._drain_until = time.monotonic() + self._drain_seconds

    async def on_tick(self, counter: int) -> bool:
        """Say ten times a second whether to stop."""
        return await super().on_tick(counter) or self._drained()

    def _drained(self) -> bool:
        if not self._lifecycle.draining:
            return False
        return self._lifecycle.active == 0 or time.monotonic() >= self._drain_until

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cut what is still under way, let the application end in order, and stop."""
        for server in self.servers:
            server.close()
        if self._lifecycle.active:
            await self._cut()
        await super().shutdown(sockets)
        if self.force_exit:  # uvicorn leaves it out then, and what the application holds would be cut unasked
            await self.lifespan.shutdown()

    async def _cut(self) -> None:
        """End every exchange; each tells its caller, if that still reads, and gives back what it holds."""
        why = (
            "a second signal came" if self.force_exit else f"they outlasted the drain of {self._drain_seconds:g} s"
        )
        logger.warning("%d exchanges are cut: %s", self._lifecycle.active, why)
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=HASTE_SECONDS if self.force_exit else LAST_BYTES_SECONDS)
        if self._lifecycle.active or self.force_exit:
            for connection in list(self.server_state.connections):
                connection.transport.abort()


class _SilentServer(uvicorn.Server):
    """A server that leaves the signals to another."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def _beside(app: ASGIApp, listener: socket.socket, *, max_message_bytes: int) -> AsyncIterator[None]:
    listener.listen(BACKLOG)  # who is told of it may connect at once, and waits until it is accepted
    server = _SilentServer(_config(app, lifespan="auto", max_message_bytes=max_message_bytes))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve([listener]))
        yield
        server.should_exit = True


@asynccontextmanager
async def _watching_lag(observe: Callable[[float], None]) -> AsyncIterator[None]:
    async def watch() -> None:
        while True:
            due = time.monotonic() + LAG_INTERVAL_SECONDS
            await asyncio.sleep(LAG_INTERVAL_SECONDS)
            observe(max(0.0, time.monotonic() - due))

    async with asyncio.TaskGroup() as tasks:
        watcher = tasks.create_task(watch())
        yield
        watcher.cancel()


def _config(
    app: ASGIApp,
    *,
    lifespan: Any,
    max_message_bytes: int,
    http: type[BoundedHttp] = BoundedHttp,
    ws: type[PlainSocket] = PlainSocket,
) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=http,
        ws=ws,
        ws_max_size=max_message_bytes,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PONG_SECONDS,
        ws_per_message_deflate=False,  # base64 of speech hardly shrinks
        interface="asgi3",
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=LAST_BYTES_SECONDS,
    )
