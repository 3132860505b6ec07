"""An answer that streams: it owns what it holds, and gives all of it back when it is closed, however it ends."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import anyio

from gateway.errors import GatewayError
from gateway.exchange.held import OK, Held, Opening, fault_of
from gateway.record import Record
from gateway.translate.endpoint import Job
from gateway.translate.errors import to_openai
from gateway.translate.sse import DONE, Decoder
from gateway.upstream.http import Reply

MAX_WAITING_READS = 16
"""Reads that may wait while another is written to the caller; beyond, GLM's streams are held back."""

FAREWELL_SECONDS = 0.05
"""How long the end of a stream may take after ``[DONE]``; usually it has come with it."""

Read = tuple[int, list[bytes]]
"""The index of a call, and the data of the events that it just sent; none at its end."""


class Reads:
    """What the calls of one job send, as it comes in. One call is read in place, several side by side."""

    def __init__(self, job: Job, opening: Opening, *, record: Record, clock: Callable[[], float]) -> None:
        self._calls = job.calls
        self._opening = opening
        self._record = record
        self._clock = clock
        self._held: list[Held] = []
        self._tasks: list[asyncio.Task[None]] = []

    def __aiter__(self) -> AsyncIterator[Read]:
        """Iterate over what comes in."""
        return self._read(0) if len(self._calls) == 1 else self._read_all()

    async def aclose(self) -> None:
        """Cut what is still coming and give the slots back; again has no effect."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while self._held:
            await self._held.pop().aclose()

    async def _read(self, index: int) -> AsyncIterator[Read]:
        held = await self._opening.open(self._calls[index])
        self._held.append(held)
        try:
            async for payloads in self._payloads(held.reply):
                yield index, payloads
        except GatewayError as error:
            self._record.faults.append(fault_of(error, http_status=OK))
            raise
        await self._let_go(held)
        yield index, []

    async def _payloads(self, reply: Reply) -> AsyncIterator[list[bytes]]:
        if reply.is_json:
            yield [await reply.read(), DONE]
            return
        async for payloads in self._events(reply):
            yield payloads

    async def _events(self, reply: Reply) -> AsyncIterator[list[bytes]]:
        decoder = Decoder()
        clock, record = self._clock, self._record
        chunks = reply.chunks()
        waiting_since = clock()
        async for data in chunks:
            waited = clock() - waiting_since
            record.upstream_seconds += waited
            record.max_gap_seconds = max(waited, record.max_gap_seconds)
            if payloads := decoder.feed(data):
                yield payloads
                if payloads[-1] == DONE:
                    await read_out(chunks)
                    return
            waiting_since = clock()
        if payloads := decoder.finish():
            yield payloads

    async def _let_go(self, held: Held) -> None:
        """Give back a call that is done, while others may still run."""
        self._held.remove(held)
        await held.aclose()

    async def _read_all(self) -> AsyncIterator[Read]:
        arrived: asyncio.Queue[Read | BaseException] = asyncio.Queue(MAX_WAITING_READS)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._pump(index, arrived)) for index in range(len(self._calls))]
        open_calls = len(self._calls)
        while open_calls:
            read = await arrived.get()
            if isinstance(read, BaseException):
                raise read
            open_calls -= not read[1]
            yield read

    async def _pump(self, index: int, arrived: "asyncio.Queue[Read | BaseException]") -> None:
        try:
            async for read in self._read(index):
                await arrived.put(read)
        except Exception as error:  # noqa: BLE001 - raised again by the one who reads the queue
            await arrived.put(error)


async def read_out(chunks: AsyncIterator[bytes]) -> None:
    """Read the end of a stream that has said ``[DONE]``, so that its connection can be used again."""
    with anyio.move_on_after(FAREWELL_SECONDS), suppress(GatewayError):
        async for _ in chunks:
            pass


class StreamedAnswer:
    """
    The caller's events, as an async iterator of bytes.

    ``start`` waits for the first of them, so that an early failure can still be an HTTP error. What fails later
    is told as the stream's last event and kept in ``failure``, None while nothing failed.
    """

    def __init__(self, job: Job, reads: Reads, *, record: Record, clock: Callable[[], float]) -> None:
        self.job = job
        self.failure: GatewayError | None = None
        self._reads = reads
        self._record = record
        self._clock = clock
        self._events = self._translate()
        self._first = b""

    async def start(self) -> None:
        """Wait for the first event; raise GatewayError, with everything given back, when it is a failure."""
        try:
            self._first = await anext(self._events)
        except BaseException:
            await self.aclose()
            raise
        self._record.phase = "streaming"
        self._record.first_token_at = self._clock()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the caller's events; never raises a GatewayError."""
        yield self._first
        try:
            async for data in self._events:
                yield data
        except GatewayError as error:
            self.failure = error
            yield b"data: %b\n\n" % to_openai(error)

    async def aclose(self) -> None:
        """Cut what GLM is still sending and give the slots back; again has no effect."""
        await self._reads.aclose()

    async def _translate(self) -> AsyncIterator[bytes]:
        streams = [self.job.stream(index) for index in range(len(self.job.calls))]
        async for index, payloads in self._reads:
            stream = streams[index]
            if out := stream.feed(payloads) if payloads else stream.finish():
                yield out
            if stream.failure is not None:
                self._record.faults.append(fault_of(stream.failure, http_status=OK))
                raise stream.failure
        yield self.job.close()
