"""Answers on their way out, in one piece or event by event."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any

from litestar.types import HTTPResponseStartEvent, HTTPSendMessage, Scope, Send

from gateway.exchange import Exchange, StreamedAnswer
from gateway.routes.middleware import stopped
from gateway.routes.watch import CallerWatch
from gateway.translate.endpoint import EVENT_STREAM
from gateway.translate.errors import internal_error
from gateway.translate.sse import COMMENT

STALL_SECONDS = 120.0
"""How long a caller may read nothing while something waits for it; then it is taken for gone."""

WHOLE = "http.response.whole"
"""The server's extension for an answer in one message."""

AT_ONCE = "http.response.at_once"
"""The server's extension that writes a part of a streamed body without waiting, or tells that it cannot."""

UNBUFFERED = ((b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no"))

logger = logging.getLogger(__name__)


async def send_whole(scope: Scope, send: Send, data: bytes, *, media_type: bytes) -> None:
    """Send an answer in one piece; in one message, where the server takes that."""
    headers = ((b"content-type", media_type), (b"content-length", b"%d" % len(data)))
    if WHOLE in (scope.get("extensions") or ()):
        whole: Any = {"type": WHOLE, "status": 200, "headers": headers, "body": data}
        await send(whole)
    else:
        await send(start(headers))
        await send_last(send, data)


async def send_last(send: Send, data: bytes) -> None:
    """Send the end of an answer."""
    await send({"type": "http.response.body", "body": data, "more_body": False})


def write_at_once_of(scope: Scope) -> Callable[[bytes], bool] | None:
    """Return what writes a part of a body without waiting, None where the server has no such thing."""
    extensions: Any = scope.get("extensions") or {}
    write: Callable[[bytes], bool] | None = extensions.get(AT_ONCE, {}).get("write")
    return write


def start(headers: Iterable[tuple[bytes, bytes]]) -> HTTPResponseStartEvent:
    return {"type": "http.response.start", "status": 200, "headers": list(headers)}


class EventWriter:
    """
    Writes a streamed answer to its caller, inside the ``watch`` that looks whether it is still there.

    A silence between events is filled with comments, which keep the connection open. A caller that stops reading
    is taken for gone.
    """

    def __init__(self, exchange: Exchange, *, scope: Scope, send: Send, watch: CallerWatch) -> None:
        self._exchange = exchange
        self._send = send
        self._write_at_once = write_at_once_of(scope)
        self._watch = watch
        self._clock = exchange.desk.clock
        self._writing = exchange.waits.writing
        self._touched_at = self._clock()
        self._writes = 0
        self._work = asyncio.current_task()
        self._given_up = False

    async def write(self, answer: StreamedAnswer) -> bytes:
        """Write all events but the last, and return that; what GLM held is given back by then."""
        is_quiet = answer.media_type != EVENT_STREAM
        pulse = asyncio.get_running_loop().create_task(
            self._attend(heartbeat_seconds=0.0 if is_quiet else self._exchange.desk.policy.heartbeat_seconds)
        )
        try:
            await self._put(start(((b"content-type", answer.media_type), *UNBUFFERED)))
            if self._write_at_once is not None:
                answer.pour_into(partial(self._put_at_once, self._write_at_once))
            return await self._write_events(answer)
        except asyncio.CancelledError:
            if not self._watch.left:
                await self._break_off(answer)
            raise
        except Exception as error:
            request_id = self._exchange.record.request_id
            logger.exception("request %s failed inside its stream", request_id)
            self._exchange.fail(error)
            return answer.tell(internal_error(request_id))
        finally:
            pulse.cancel()
            await asyncio.wait([pulse])

    async def _write_events(self, answer: StreamedAnswer) -> bytes:
        async for events in answer:
            if answer.ended:
                return events
            await self._put({"type": "http.response.body", "body": events, "more_body": True})
        return b""

    async def _put(self, message: HTTPSendMessage) -> None:
        if self._watch.left:
            return
        self._touched_at = self._clock()
        self._writes += 1
        self._writing.begin()
        try:
            await self._send(message)
        except OSError:
            self._watch.leave()
        except asyncio.CancelledError:
            if not self._is_given_up():
                raise
        finally:
            self._writing.end()
            self._writes -= 1

    def _put_at_once(self, write: Callable[[bytes], bool], events: bytes) -> bool:
        if self._watch.left:
            return True
        self._touched_at = self._clock()
        return write(events)

    def _is_given_up(self) -> bool:
        """Tell whether what was cancelled is but the write to a caller that does not read; the rest may go on."""
        work = self._work
        if work is None or work is not asyncio.current_task() or not self._given_up:
            return False
        return work.uncancel() == 0

    async def _attend(self, *, heartbeat_seconds: float) -> None:
        """Send a comment into every silence, and give up on a caller that does not read."""
        interval_seconds = heartbeat_seconds or STALL_SECONDS
        while True:
            quiet_seconds = self._clock() - self._touched_at
            if self._writes and (self._watch.left or quiet_seconds >= STALL_SECONDS):
                self._give_up()
                return
            if heartbeat_seconds and not self._writes and quiet_seconds >= heartbeat_seconds:
                await self._comment()
                quiet_seconds = 0.0
            await asyncio.sleep(interval_seconds - quiet_seconds % interval_seconds)

    async def _comment(self) -> None:
        try:
            async with asyncio.timeout(STALL_SECONDS):
                await self._put({"type": "http.response.body", "body": COMMENT, "more_body": True})
        except TimeoutError:
            self._watch.leave()

    def _give_up(self) -> None:
        """Take the caller for gone, and end the write that waits for it: GLM may have more to be counted."""
        self._watch.leave()
        if self._work is not None:
            self._given_up = True
            self._work.cancel()

    async def _break_off(self, answer: StreamedAnswer) -> None:
        """Say as the last thing that this process is stopping, which is why the stream ends here."""
        error = stopped()
        self._exchange.fail(error)
        last = answer.tell(error)
        if not answer.broken:
            with suppress(OSError):
                await send_last(self._send, last)
