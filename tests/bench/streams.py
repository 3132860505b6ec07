"""Streams: how many events a second come through in a flood, and how late they are when GLM paces them."""

import asyncio
import re
import time
from typing import cast

import uvloop
from msgspec import Struct

from .load import percentile
from .machine import processor_seconds, resident_bytes, uncollected
from .processes import BenchError, Server
from .stub import PACE_SECONDS
from .wire import COMPLETED, DONE, RESPONSES_PATH, TOKEN, request, request_body, response_body

FLOOD_STREAMS = 4
WARM_UP_SECONDS = 1.5
LIMIT_SECONDS = 30.0
SEEN_SHARE = 0.99
SHORT_EVENTS = 4

_SENT_AT = re.compile(rb'"@(\d+)"')
_ACCEPTED = b"HTTP/1.1 200 "
_END = DONE.strip()
_LONGEST_MARK = 24


class Delays(Struct, frozen=True, kw_only=True):
    """How late events were, in seconds, and the share of a core that the server used meanwhile."""

    p50_seconds: float
    p99_seconds: float
    events: int
    processor_share: float | None


class _Stream(asyncio.Protocol):
    """One stream: asks, looks at every event, and is done at its ``end``."""

    def __init__(self, message: bytes, *, mark: re.Pattern[bytes], end: bytes = _END) -> None:
        self._message = message
        self._end = end
        self._mark = mark
        self._tail = b""
        self._accepted = False
        self.tokens = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._message)

    def data_received(self, data: bytes) -> None:
        received_at = time.monotonic_ns()
        data = self._tail + data
        if not self._accepted and not self._accept(data):
            return
        end = 0
        for found in self._mark.finditer(data):
            end = found.end()
            self.saw(found, received_at)
        if self._end in data:
            self._finish(None)
        # What may be the first half of a mark waits for the second.
        self._tail = data[max(end, len(data) - _LONGEST_MARK) :]

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(exc or BenchError(f"a stream ended early: {self._tail!r}"))

    def saw(self, _found: re.Match[bytes], _received_at: int) -> None:
        self.tokens += 1

    def leave(self) -> None:
        """Hang up: there was enough of it."""
        self._finish(None)

    def _accept(self, data: bytes) -> bool:
        if len(data) < len(_ACCEPTED):
            self._tail = data
        elif data.startswith(_ACCEPTED):
            self._accepted = True
        else:
            self._finish(BenchError(f"expected a stream, got: {data[:400]!r}"))
        return self._accepted

    def _finish(self, error: Exception | None) -> None:
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)
        self._transport.abort()


class _TimedStream(_Stream):
    """A stream whose events say when they were sent."""

    def __init__(self, message: bytes, *, into: list[tuple[int, int]]) -> None:
        super().__init__(message, mark=_SENT_AT)
        self._into = into

    def saw(self, found: re.Match[bytes], received_at: int) -> None:
        sent_at = int(found[1])
        self._into.append((sent_at, received_at - sent_at))


class _Begun(_Stream):
    """A stream whose first event is all that is wanted of it."""

    def __init__(self, message: bytes) -> None:
        super().__init__(message, mark=re.compile(re.escape(TOKEN)))
        self.waited_seconds = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._asked_at = time.monotonic_ns()
        super().connection_made(transport)

    def saw(self, _found: re.Match[bytes], received_at: int) -> None:
        self.waited_seconds = self.waited_seconds or (received_at - self._asked_at) / 1e9


def flood_events_per_second(server: Server, *, events: int, kind: str = "text") -> float:
    """Return how many events a second come through four streams that never wait. Raises ``BenchError``."""
    each = events // FLOOD_STREAMS
    body = request_body(f"flood {each} of {kind}", stream=True, tools=kind == "tools")
    message = request(server.path, port=server.port, headers=server.headers, body=body)
    return uvloop.run(_flood(server, message, each=each, end=_END))


def flood_of_responses_per_second(server: Server, *, events: int) -> float:
    """Return the same of streamed responses: how many of their pieces of text come in a second."""
    each = events // FLOOD_STREAMS
    message = request(RESPONSES_PATH, port=server.port, body=response_body(f"flood {each}"))
    return uvloop.run(_flood(server, message, each=each, end=COMPLETED))


def paced_delays(server: Server, *, seconds: float, streams: int) -> Delays:
    """Return how late the events of so many streams arrive, start-up left out. Raises ``BenchError``."""
    with uncollected():
        return uvloop.run(_paced(server, seconds=seconds, count=streams))


def first_events_seconds(server: Server, *, streams: int, requests: int) -> list[float]:
    """Return how long the first event of each further stream takes, one by one, while so many are open."""
    with uncollected():
        return uvloop.run(_first_events(server, count=streams, requests=requests))


def bytes_per_stream(server: Server, *, streams: int, seconds: float) -> float | None:
    """Return the memory that a stream takes while it is open so long, of so many; None where nobody tells."""
    return uvloop.run(_bytes_per_stream(server, count=streams, seconds=seconds))


async def _bytes_per_stream(server: Server, *, count: int, seconds: float) -> float | None:
    loop = asyncio.get_running_loop()
    before = resident_bytes(server.process_id)
    body = request_body(f"paced {round(seconds / PACE_SECONDS)}", stream=True)
    message = request(server.path, port=server.port, headers=server.headers, body=body)
    async with asyncio.timeout(LIMIT_SECONDS):
        streams = [
            (await loop.create_connection(lambda: _TimedStream(message, into=[]), "127.0.0.1", server.port))[1]
            for _ in range(count)
        ]
        await asyncio.sleep(seconds / 2)
        during = resident_bytes(server.process_id)
        await asyncio.gather(*(stream.done for stream in streams))
    return None if before is None or during is None else (during - before) / count


async def _first_events(server: Server, *, count: int, requests: int) -> list[float]:
    loop = asyncio.get_running_loop()
    events = round(LIMIT_SECONDS / PACE_SECONDS)
    held, short = (
        request(server.path, port=server.port, headers=server.headers, body=request_body(prompt, stream=True))
        for prompt in (f"paced {events}", f"flood {SHORT_EVENTS}")
    )
    waited = []
    async with asyncio.timeout(LIMIT_SECONDS):
        streams = [
            (await loop.create_connection(lambda: _Stream(held, mark=_SENT_AT), "127.0.0.1", server.port))[1]
            for _ in range(count)
        ]
        while not all(stream.tokens or stream.done.done() for stream in streams):  # noqa: ASYNC110 - of many
            await asyncio.sleep(PACE_SECONDS)
        for _ in range(requests):
            _, further = await loop.create_connection(lambda: _Begun(short), "127.0.0.1", server.port)
            await further.done
            waited.append(further.waited_seconds)
    for stream in streams:
        if stream.done.done():
            stream.done.result()
            raise BenchError("a stream that should stay open ended")
        stream.leave()
    if not all(waited):
        raise BenchError("a stream ended without an event")
    return waited


async def _flood(server: Server, message: bytes, *, each: int, end: bytes) -> float:
    loop = asyncio.get_running_loop()
    mark = re.compile(re.escape(TOKEN))
    started = time.perf_counter()  # the loop counts whole milliseconds
    opened = [
        loop.create_connection(lambda: _Stream(message, mark=mark, end=end), "127.0.0.1", server.port)
        for _ in range(FLOOD_STREAMS)
    ]
    async with asyncio.timeout(LIMIT_SECONDS):
        streams = [stream for _, stream in await asyncio.gather(*opened)]
        await asyncio.gather(*(stream.done for stream in streams))
    taken = time.perf_counter() - started
    tokens = [stream.tokens for stream in streams]
    # A proxy that cuts chunks anew may cut through a word, which is then not seen.
    if min(tokens) < each * SEEN_SHARE:
        raise BenchError(f"expected {each} events in each stream, got {tokens}")
    return sum(tokens) / taken


async def _paced(server: Server, *, seconds: float, count: int) -> Delays:
    loop = asyncio.get_running_loop()
    events = round((WARM_UP_SECONDS + seconds) / PACE_SECONDS)
    message = request(
        server.path, port=server.port, headers=server.headers, body=request_body(f"paced {events}", stream=True)
    )
    seen: list[tuple[int, int]] = []
    async with asyncio.timeout(LIMIT_SECONDS):
        streams = [
            (await loop.create_connection(lambda: _TimedStream(message, into=seen), "127.0.0.1", server.port))[1]
            for _ in range(count)
        ]
        await asyncio.sleep(WARM_UP_SECONDS)
        from_ns, busy = time.monotonic_ns(), processor_seconds(server.process_id)
        await asyncio.sleep(seconds - WARM_UP_SECONDS / 2)
        until_ns, busy_then = time.monotonic_ns(), processor_seconds(server.process_id)
        await asyncio.gather(*(stream.done for stream in streams))
    if len(seen) != count * events:
        raise BenchError(f"expected {count * events} events, got {len(seen)}")
    late = [delay for sent_at, delay in seen if from_ns <= sent_at < until_ns]
    if not late:
        raise BenchError("no event came while it was looked at")
    share = None if busy is None or busy_then is None else (busy_then - busy) / ((until_ns - from_ns) / 1e9)
    return Delays(
        p50_seconds=percentile(late, 50) / 1e9,
        p99_seconds=percentile(late, 99) / 1e9,
        events=len(late),
        processor_share=share,
    )
