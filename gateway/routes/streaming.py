"""Answers on their way out: each lets go of what it holds, however it ends, and is written down once."""

import asyncio
import logging
from collections.abc import Iterable

import anyio
from litestar.types import HTTPResponseStartEvent, Receive, Scope, Send

from gateway.exchange import Exchange, StreamedAnswer
from gateway.routes.watch import CallerLeftError, CallerWatch
from gateway.translate.errors import internal_error
from gateway.translate.sse import COMMENT

SETTLE_SECONDS = 10.0
"""How long letting go may take; leases are the backstop beyond."""

EVENT_STREAM_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)

logger = logging.getLogger(__name__)


def start(headers: Iterable[tuple[bytes, bytes]], *, status: int = 200) -> HTTPResponseStartEvent:
    """Return the event that opens an answer."""
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


class WholeAnswer:
    """An answer in one piece; what it held was given back before."""

    def __init__(self, exchange: Exchange, body: bytes) -> None:
        self._exchange = exchange
        self._body = body

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the answer and close the exchange."""
        clock = self._exchange.desk.clock
        head = (
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(self._body)),
            *encoded(self._exchange.headers),
        )
        started = clock()
        try:
            await send(start(head))
            await send({"type": "http.response.body", "body": self._body, "more_body": False})
        finally:
            self._exchange.record.write_seconds += clock() - started
            self._exchange.close()


class ClosingStream:
    """
    A streamed answer that lets go of what it holds, however it ends.

    Ends there are: the last byte, a failure of GLM's, a caller that leaves, one that stalls and leaves, and a
    connection that breaks under a write. In quiet phases it sends comments, which keep the connection open.
    """

    def __init__(self, exchange: Exchange, answer: StreamedAnswer) -> None:
        self._exchange = exchange
        self._answer = answer
        self._clock = exchange.desk.clock
        self._written_at = exchange.desk.clock()

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, give back what it holds, and close the exchange."""
        policy = self._exchange.desk.policy
        watch = CallerWatch(receive, grace_seconds=policy.disconnect_grace_seconds)
        pulse = asyncio.get_running_loop().create_task(self._keep_alive(send, policy.heartbeat_seconds))
        try:
            async with watch:
                await self._send_all(send, watch)
        except CallerLeftError:
            pass
        except OSError:
            watch.left = True  # The connection broke under a write.
        finally:
            pulse.cancel()
            with anyio.move_on_after(SETTLE_SECONDS, shield=True):
                await self._exchange.settle(self._answer)
            if watch.left:
                self._exchange.leave()
            self._exchange.close()

    async def _send_all(self, send: Send, watch: CallerWatch) -> None:
        await send(start((*EVENT_STREAM_HEADERS, *encoded(self._exchange.headers))))
        try:
            async for data in self._answer:
                if not watch.left:
                    await self._write(send, data)
        except Exception as error:
            logger.exception("request %s failed inside its stream", self._exchange.record.request_id)
            self._exchange.fail(error)
            await self._write(send, b"data: %b\n\n" % internal_error(self._exchange.record.request_id))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _write(self, send: Send, data: bytes) -> None:
        started = self._clock()
        await send({"type": "http.response.body", "body": data, "more_body": True})
        self._written_at = self._clock()
        self._exchange.record.write_seconds += self._written_at - started

    async def _keep_alive(self, send: Send, every_seconds: float) -> None:
        while True:
            quiet_seconds = self._clock() - self._written_at
            if quiet_seconds >= every_seconds:
                await self._write(send, COMMENT)
                quiet_seconds = 0.0
            await asyncio.sleep(every_seconds - quiet_seconds)
