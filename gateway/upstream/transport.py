"""
The network: HTTP/1.1 with kept connections, and httpx's errors for what goes wrong.

httpx's own transport answers about 1,000 requests a second and core, a thin one over aiohttp 6,000, this one
13,000; and it cuts the connection within a millisecond of being cancelled, which is what stops GLM's meter.
No redirects, cookies or proxies: GLM's API has one known address and needs none of them.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable
from time import monotonic

import certifi
import httpx

from gateway.upstream.connection import Connection, StaleConnectionError
from gateway.upstream.wire import Answered, Origin, Piece, Sink, Target, Timeouts

KEEPALIVE_SECONDS = 30.0
"""Below the 60 s and more for which servers keep idle connections, so that a stale one is rare."""

STALE_SECONDS = 0.1
"""How soon a kept connection closes that the server had given up before it was taken."""


def trusting_context() -> ssl.SSLContext:
    """Return a TLS context that trusts the system's authorities and, where a slim image has none, Mozilla's."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


class KeptConnections:
    """
    Sends requests over connections that are kept between them.

    There is no limit to their number: the slots of the limiter bound how much is under way. A kept connection
    that closes at once, before a byte came back, was about to when it was taken: the request is sent again, once,
    over a new one. One that closes later is a failure, since GLM may have worked on the request.
    """

    def __init__(self, *, stale_seconds: float = STALE_SECONDS) -> None:
        self._ssl_context: ssl.SSLContext | None = None
        self._stale_seconds = stale_seconds
        self._idle: dict[Origin, deque[Connection]] = {}

    async def send(self, target: Target, body: bytes, timeouts: Timeouts) -> Answered:
        """Send a request; return its answer as soon as the head is there, the body unread."""
        idle = self._idle.get(target.origin)
        if idle is None:
            idle = self._idle[target.origin] = deque()
        message = target.message(body)
        sent_at = monotonic()
        kept = take(idle, now=sent_at)
        while True:
            connection = kept or await self._connect(target.origin, timeout_seconds=timeouts.connect_seconds)
            try:
                status, headers = await connection.exchange(message, read_timeout_seconds=timeouts.read_seconds)
            except StaleConnectionError:
                if kept is not None and monotonic() - sent_at < self._stale_seconds:
                    kept = None
                    continue
                raise httpx.RemoteProtocolError("The connection closed without an answer.") from None
            except BaseException:
                connection.abort()
                raise
            return Answered(status, headers, KeptBody(connection, idle))

    async def aclose(self) -> None:
        """Cut every idle connection; those under way are their holders'."""
        for idle in self._idle.values():
            while idle:
                idle.pop().abort()

    async def _connect(self, origin: Origin, *, timeout_seconds: float | None) -> Connection:
        loop = asyncio.get_running_loop()
        scheme, host, port = origin
        try:
            async with asyncio.timeout(timeout_seconds):
                _, connection = await loop.create_connection(
                    lambda: Connection(loop), host, port, ssl=self._ssl() if scheme == "https" else None
                )
        except TimeoutError:
            raise httpx.ConnectTimeout(f"No connection within {timeout_seconds:g} s.") from None
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        return connection

    def _ssl(self) -> ssl.SSLContext:
        # Made at the first need: it reads files, and many a gateway in a test never needs it.
        if self._ssl_context is None:
            self._ssl_context = trusting_context()
        return self._ssl_context


class KeptBody:
    """The body of an answer that comes over one of these connections."""

    def __init__(self, connection: Connection, idle: deque[Connection]) -> None:
        self._connection: Connection | None = connection
        self._idle = idle

    def read(self) -> Awaitable[Piece]:
        """Return what has arrived; see the port."""
        if self._connection is None:
            raise httpx.StreamClosed
        return self._connection.read()

    def pour_into(self, sink: Sink) -> None:
        """Give ``sink`` what arrives while ``read`` waits; see the port."""
        if self._connection is not None:
            self._connection.pour_into(sink)

    async def aclose(self) -> None:
        """Keep the connection for the next request, or cut it when this answer is not read to its end."""
        connection, self._connection = self._connection, None
        if connection is not None and connection.finish():
            connection.idle_since = monotonic()
            self._idle.append(connection)


def take(idle: deque[Connection], *, now: float) -> Connection | None:
    """Return the connection that was used last, None when none is left that is young enough."""
    while idle and (idle[0].closed or now - idle[0].idle_since > KEEPALIVE_SECONDS):
        idle.popleft().abort()
    while idle:
        connection = idle.pop()
        if not connection.closed:
            return connection
    return None
