"""An answer that streams: it owns what it holds, and gives all of it back when it is closed, however it ends."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from typing import Protocol, Self

from gateway.errors import GatewayError
from gateway.exchange.dispatcher import OK, Dispatcher, slot_lost
from gateway.exchange.held import Held
from gateway.exchange.reading import Outlet, Reading
from gateway.exchange.whole import first_error, in_turn, single
from gateway.record import Record
from gateway.translate.endpoint import Call, RefiningJob, StreamedJob
from gateway.upstream.http import Reply

MAX_WAITING_READS = 16
"""Reads that may wait while another is written to the caller; beyond, GLM's streams are held back."""


class Source(Protocol):
    """Where a caller's events come from: one call, or several side by side."""

    async def read(self) -> bytes:
        """Return the next events, empty at the end; raise GatewayError, GLM's fault."""

    async def aclose(self) -> None:
        """Cut what is still coming and give the slots back; again has no effect."""


class StreamedCall:
    """One call of a job. The first read asks GLM, and asks again what fails before its first event."""

    def __init__(self, job: StreamedJob, index: int, call: Call, dispatcher: Dispatcher) -> None:
        self._job = job
        self._index = index
        self._call = call
        self._dispatcher = dispatcher
        self._reading: Reading | None = None

    async def read(self) -> bytes:
        """Return the next events, empty at the end; raise GatewayError, GLM's fault."""
        if self._reading is None:
            try:
                return await self._dispatcher.ask(self._call, self._open)
            except GatewayError as error:
                raise self._job.explain(self._index, error) from None
        try:
            return await self._reading.read()
        except GatewayError as error:
            if self._reading.held.slot.lost:
                raise slot_lost() from error
            self._reading.held.fault = self._dispatcher.note_fault(error, http_status=OK)
            raise

    async def aclose(self) -> None:
        """Cut what is still coming and give the slot back; again has no effect."""
        if self._reading is not None:
            await self._reading.aclose()

    def pour_into(self, outlet: Outlet) -> None:
        """Have events written as soon as they come, once the first was read; ``read`` is called nevertheless."""
        if self._reading is not None:
            self._reading.pour_into(outlet)

    async def _open(self, held: Held, reply: Reply) -> bytes:
        stream = self._job.stream(self._index)
        self._reading = Reading(stream, held, reply, wait=self._dispatcher.waits.upstream)
        return await self._reading.read()


class SideBySide:
    """
    The calls of a job read at once, as far as the caller's tier goes.

    Their events come in the order of arrival, or one call's after the other's where the job wants them in order.
    Then a call whose turn to speak has not come is held back, but not while one before it may need its slot.
    """

    def __init__(self, job: StreamedJob, dispatcher: Dispatcher) -> None:
        self._arrived: asyncio.Queue[bytes | BaseException] = asyncio.Queue(MAX_WAITING_READS)
        self._ended = False
        self._beginning: set[int] = set()
        self._turns = asyncio.Semaphore(dispatcher.at_once(job.at_once))
        self._reading = asyncio.get_running_loop().create_task(self._read_all(job, dispatcher))

    async def read(self) -> bytes:
        """Return the next events, empty once every call has ended; raise what a call raised."""
        if self._ended:
            return b""
        arrived = await self._arrived.get()
        if isinstance(arrived, BaseException):
            raise arrived
        self._ended = not arrived
        return arrived

    async def aclose(self) -> None:
        """Cut every call; each gives its own slot back, even when this is cancelled."""
        self._reading.cancel()
        await asyncio.wait([self._reading])

    async def _read_all(self, job: StreamedJob, dispatcher: Dispatcher) -> None:
        said = asyncio.Event()
        said.set()
        try:
            async with asyncio.TaskGroup() as group, aclosing(in_turn(job.calls, self._turns)) as calls:
                async for index, call in calls:
                    may_speak, said = said, asyncio.Event() if job.in_order else said
                    self._beginning.add(index)
                    streamed = StreamedCall(job, index, call, dispatcher)
                    group.create_task(self._pump(index, streamed, may_speak, said))
        except* Exception as failed:  # noqa: BLE001 - raised again by the one who reads
            await self._arrived.put(first_error(failed))
        else:
            await self._arrived.put(b"")

    async def _pump(self, index: int, call: StreamedCall, may_speak: asyncio.Event, said: asyncio.Event) -> None:
        unsaid: list[bytes] = []
        try:
            async with aclosing(call):
                while events := await call.read():
                    self._beginning.discard(index)
                    unsaid.append(events)
                    if may_speak.is_set() or not any(earlier < index for earlier in self._beginning):
                        await self._say(unsaid, may_speak)
        except GatewayError:
            await self._say(unsaid, may_speak)  # What comes before it in order can still be told.
            raise
        self._beginning.discard(index)
        await self._say(unsaid, may_speak)
        self._turns.release()
        said.set()

    async def _say(self, unsaid: list[bytes], may_speak: asyncio.Event) -> None:
        await may_speak.wait()
        if unsaid:
            await self._arrived.put(b"".join(unsaid))
            unsaid.clear()


class Refined:
    """What a source says after its job has worked on it, in a thread, as that takes long."""

    def __init__(self, source: Source, job: RefiningJob) -> None:
        self._source = source
        self._job = job

    async def read(self) -> bytes:
        """Return what comes of the next events, empty at the end."""
        while events := await self._source.read():
            if refined := await asyncio.to_thread(self._job.refine, events):
                return refined
        return b""

    async def aclose(self) -> None:
        """Close the source."""
        await self._source.aclose()


class StreamedAnswer:
    """
    The caller's events, as an async iterator of bytes that has begun.

    What fails on the way is told as the last event and kept in ``failure``, None while nothing failed. ``ended``
    turns true with the last event, when everything has been given back; ``broken``, when there are no words for
    the failure, so that the answer has to be cut. ``media_type`` is that of the bytes.
    """

    def __init__(
        self, job: StreamedJob, dispatcher: Dispatcher, *, record: Record, clock: Callable[[], float]
    ) -> None:
        self.ended = False
        self.broken = False
        self.failure: GatewayError | None = None
        self.media_type = job.stream_type
        self._job = job
        self._record = record
        self._clock = clock
        self._first = b""
        only = single(job.calls)
        self._source: Source = (
            StreamedCall(job, 0, only, dispatcher) if only is not None else SideBySide(job, dispatcher)
        )
        if isinstance(job, RefiningJob):
            self._source = Refined(self._source, job)
        self._waiting_since = 0.0

    async def start(self) -> None:
        """Wait for the first event; raise GatewayError if it is a failure, while an HTTP status can tell it."""
        self._first = await self._source.read()
        self._record.phase = "streaming"
        if self._first:
            self._record.first_token_at = self._clock()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return the caller's next events; never raises a GatewayError."""
        if self.ended:
            raise StopAsyncIteration
        if self._first:
            first, self._first = self._first, b""
            return first
        self._waiting_since = self._clock()
        try:
            events = await self._source.read()
        except GatewayError as error:
            self.failure = error.with_traceback(None)  # Where it was raised knows this, and all that is held.
            await self._end()
            return self.tell(error)
        self._note_gap()
        if events:
            return events
        await self._end()
        return self._job.close()

    def pour_into(self, outlet: Outlet) -> None:
        """
        Have events written to ``outlet`` as soon as they come, while this is iterated over.

        Only those that it does not take, and the last, are returned. Where something has to be done between
        events that takes time, all are.
        """
        if isinstance(self._source, StreamedCall):
            self._source.pour_into(partial(self._pour, outlet))

    def tell(self, error: GatewayError) -> bytes:
        """Return what tells the caller of a failure, as the last of the answer."""
        last = self._job.fail(error)
        self.broken = last is None
        return last or b""

    async def aclose(self) -> None:
        """Cut what GLM is still sending and give the slots back; again has no effect."""
        await self._source.aclose()

    def _pour(self, outlet: Outlet, events: bytes) -> bool:
        self._note_gap()
        return outlet(events)

    def _note_gap(self) -> None:
        now = self._clock()
        self._record.max_gap_seconds = max(self._record.max_gap_seconds, now - self._waiting_since)
        self._waiting_since = now

    async def _end(self) -> None:
        await self.aclose()
        self.ended = True
