"""
A stand-in for GLM that costs next to nothing: ``python -m tests.bench.stub PORT``.

The prompt says what comes back: ``flood N`` N events as fast as they are taken (``flood N of tools``: such ones),
``paced N`` one event every 20 ms, anything else the whole answer. Every event is an HTTP chunk of its own, as GLM
sends them. There is a list of models for gateways that look for one.
"""

import asyncio
import re
import sys
import time
from typing import cast

import uvloop

from .wire import ANSWER, DONE, EVENTS, LAST_EVENT, MODELS, http_chunk, timed_event

PACE_SECONDS = 0.020
TICKS = 20
EVENTS_PER_WRITE = 256

STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream;charset=UTF-8\r\nTransfer-Encoding: chunked\r\n\r\n"
)
STREAM_END = http_chunk(LAST_EVENT) + http_chunk(DONE) + b"0\r\n\r\n"
WHOLE, LIST = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    for body in (ANSWER, MODELS)
)
_ASKED = re.compile(rb"\b(flood|paced) (\d+)(?: of (\w+))?")
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


class Wheel:
    """Paced streams, spread evenly over the ticks of one period, so that their events do not come in bursts."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._slots: list[dict[asyncio.Transport, int]] = [{} for _ in range(TICKS)]
        self._joined = 0
        self._started = self._loop.time()
        self._tick(0)

    def join(self, transport: asyncio.Transport, *, events: int) -> None:
        """Send that many events, then end the stream."""
        self._slots[self._joined % TICKS][transport] = events
        self._joined += 1

    def leave(self, transport: asyncio.Transport) -> None:
        """Forget a stream whose connection is gone."""
        for slot in self._slots:
            slot.pop(transport, None)

    def _tick(self, count: int) -> None:
        slot = self._slots[count % TICKS]
        for transport, left in list(slot.items()):
            if left:
                transport.write(http_chunk(timed_event(time.monotonic_ns())))
                slot[transport] = left - 1
            else:
                transport.write(STREAM_END)
                del slot[transport]
        next_at = self._started + (count + 1) * PACE_SECONDS / TICKS
        self._loop.call_at(next_at, self._tick, count + 1)


class Upstream(asyncio.Protocol):
    """One connection; answers one request after the other."""

    def __init__(self, wheel: Wheel) -> None:
        self._wheel = wheel
        self._received = b""
        self._flood_left = 0
        self._event = b""
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Stop whatever was being sent."""
        self._flood_left = 0
        self._wheel.leave(self._transport)

    def data_received(self, data: bytes) -> None:
        """Answer once the request is whole."""
        self._received += data
        head, blank_line, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not blank_line or len(body) < int(length[1] if length else 0):
            return
        self._received = b""
        asked = _ASKED.search(body)
        if asked is None:
            self._transport.write(LIST if head.startswith(b"GET /v1/models") else WHOLE)
            return
        self._transport.write(STREAM_HEAD)
        if asked[1] == b"paced":
            self._wheel.join(self._transport, events=int(asked[2]))
        else:
            self._flood_left = int(asked[2])
            self._event = http_chunk(EVENTS[(asked[3] or b"text").decode()])
            self._pour()

    def pause_writing(self) -> None:
        """Hold the flood: the reader is behind."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on with the flood."""
        self._paused = False
        self._pour()

    def _pour(self) -> None:
        while self._flood_left and not self._paused:
            events = min(self._flood_left, EVENTS_PER_WRITE)
            self._flood_left -= events
            self._transport.write(self._event * events + (b"" if self._flood_left else STREAM_END))


async def serve(port: int) -> None:
    """Answer on a port of the loopback until the process is stopped."""
    wheel = Wheel()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Upstream(wheel), "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
