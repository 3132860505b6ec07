"""GLM's answer to one call: what comes of it is told in the order of its arrival, by whoever has it first."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from gateway.errors import GatewayError
from gateway.exchange.held import Held
from gateway.exchange.waits import Wait
from gateway.translate.endpoint import CallStream
from gateway.translate.sse import BYTE_ORDER_MARK, DONE, Decoder
from gateway.upstream.http import Reply

Outlet = Callable[[bytes], bool]
"""Writes events to the caller on the spot; tells whether it could, as it cannot where it would have to wait."""

FAREWELL_SECONDS = 0.05
"""How long the end of a stream may take after ``[DONE]``; usually it has come with it."""

EVENTS = (b"data:", b"event:", b"id:", b"retry:", b":", BYTE_ORDER_MARK)
"""What events begin with; some servers call them by the type of any bytes, as they do sound, or by none."""

FILES = (b"{", b"RIFF")
"""What answers in one piece begin with, whatever they are called: JSON, and sound with a head."""


def begins_events(start: bytes) -> bool:
    """Tell whether so much of an answer, however little, is what events begin with."""
    return any(start.startswith(event) or event.startswith(start) for event in EVENTS)


def closed(_events: bytes) -> bool:
    """Take nothing: the outlet of who has none."""
    return False


class Reading:
    """
    GLM's answer to one call, read as it comes in.

    With an outlet, what comes while ``read`` waits is told and written within the call that brings it; ``read``
    then returns only with what somebody has to wait for: an end, a failure, a caller that is slow to take more.
    """

    def __init__(self, stream: CallStream, held: Held, reply: Reply, *, wait: Wait) -> None:
        self.held = held
        self._stream = stream
        self._reply = reply
        self._wait = wait
        self._decoder = Decoder()
        self._begun = False
        self._done = False
        self._ended = False
        self._outlet: Outlet = closed
        self._unwritten = b""
        self._failure: Exception | None = None

    async def read(self) -> bytes:
        """Return the caller's next events, empty at the end."""
        while not self._ended:
            if self._stream.failure is not None:
                raise self._stream.failure
            if self._done:
                return await self._end()
            payloads = await self._payloads()
            events, self._unwritten = self._unwritten, b""
            if payloads and self._stream.slow:
                events += await asyncio.to_thread(self._feed, payloads)
            elif payloads:
                events += self._feed(payloads)
            if events:
                return events
        return b""

    def pour_into(self, outlet: Outlet) -> None:
        """Have events written as soon as they come; ``read`` is called nevertheless."""
        if not self._stream.slow:
            self._outlet = outlet
            self._reply.pour_into(self._pour)

    async def aclose(self) -> None:
        """Cut what is still coming and give the slot back; again has no effect."""
        self._outlet = closed
        await self.held.aclose()

    async def _payloads(self) -> list[bytes]:
        """Return the data of the events that are whole by now; note the end."""
        ended = self._reply.ended
        data = await self._receive()
        if not self._begun and self._is_whole(data):
            return await self._whole(data)
        payloads = self._decoder.finish() if ended else self._decoder.feed(data)
        self._done = self._done or (ended and not payloads)
        return payloads

    async def _receive(self) -> bytes:
        self._wait.begin()
        try:
            data = await self._reply.receive()
        finally:
            self._wait.end()
        if self._failure is not None:
            raise self._failure
        return data

    def _feed(self, payloads: list[bytes]) -> bytes:
        if self._done:
            return b""  # What follows the end of an answer is no part of it.
        if DONE in payloads:
            self._done = True
            del payloads[payloads.index(DONE) + 1 :]
        return self._stream.feed(payloads)

    def _pour(self, data: bytes) -> bool:
        """Tell what has come; what is to be done beside waits for ``read``, which is to be woken then."""
        self._wait.end()
        try:
            payloads = self._decoder.feed(data)
            if payloads and (events := self._feed(payloads)) and not self._outlet(events):
                self._unwritten = events
        except Exception as error:  # noqa: BLE001 - raised again by ``read``, who has somebody to tell
            self._failure = error
        self._wait.begin()
        return not (self._done or self._unwritten or self._failure or self._stream.failure)

    def _is_whole(self, start: bytes) -> bool:
        """Tell by its first bytes whether an answer comes in one piece: JSON, or sound where it may be that."""
        start = start.lstrip()
        self._begun = bool(start)
        if start.startswith(FILES):
            return True
        return self._begun and self._reply.may_be_sound and not begins_events(start)

    async def _whole(self, start: bytes) -> list[bytes]:
        """Return an answer that came in one piece, as if it were a stream; most of JSON are errors."""
        with self._wait:
            body = start + await self._reply.read()
        return [body, DONE] if body else []

    async def _end(self) -> bytes:
        self._ended = True
        await self._read_out()
        return self._stream.finish()

    async def _read_out(self) -> None:
        """Read the end of what has said ``[DONE]``, so that its connection can be used again."""
        with suppress(GatewayError, TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                while not self._reply.ended:
                    await self._receive()
