"""One connection by hand: bytes are put in, and its event loop's time is told."""

import asyncio
from collections.abc import Awaitable, Iterator
from typing import TypeVar, cast

import httpx
import pytest

from gateway.upstream.connection import HIGH_WATER_BYTES, Connection
from tests.fakes import Loop

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"
SILENCE_SECONDS = 10.0

Result = TypeVar("Result")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class Socket:
    """What a connection writes to."""

    def __init__(self) -> None:
        self.reads = True

    def write(self, data: bytes) -> None:
        """Lose it."""

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True

    def abort(self) -> None:
        """Lose what comes."""


class Line:
    """A connection with a sink for its answers, which was given ``poured`` and stops at ``stops_at``."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.connection = Connection(self.loop)
        self.socket = Socket()
        self.connection.connection_made(cast("asyncio.Transport", self.socket))
        self.poured: list[bytes] = []
        self.stops_at = b""

    def answer(self, *pieces: bytes) -> None:
        """Ask, and let an answer begin."""
        asking = self.begin(self.connection.exchange(b"GET", read_timeout_seconds=SILENCE_SECONDS))
        for piece in (HEAD, *pieces):
            self.connection.data_received(piece)
        self.loop.run_on()
        assert asking.result()[0] == 200

    def pour(self) -> None:
        self.connection.pour_into(self._sink)

    def read(self) -> asyncio.Task[tuple[bytes, bool]]:
        """Begin to read."""
        return self.begin(self.connection.read())

    def get(self, data: bytes) -> None:
        """Have bytes arrive, and let whoever they concern go on."""
        self.connection.data_received(data)
        self.loop.run_on()

    def lose(self) -> None:
        """Have the connection end, once."""
        if not self.connection.closed:
            self.connection.connection_lost(None)
        self.loop.run_on()

    def begin(self, work: Awaitable[Result]) -> asyncio.Task[Result]:
        async def run() -> Result:
            return await work

        task = self.loop.create_task(run())
        self.loop.run_on()
        return task

    def _sink(self, data: bytes) -> bool:
        self.poured.append(data)
        return data != self.stops_at


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    line.lose()
    line.loop.close()


def test_sink_is_given_what_arrives_while_somebody_reads(line: Line) -> None:
    """And nobody is woken for it."""
    line.answer()
    line.pour()
    reading = line.read()

    line.get(chunk(b"a"))
    line.get(chunk(b"b")[:2])
    line.get(chunk(b"b")[2:] + chunk(b"c"))

    assert [b"a", b"bc"] == line.poured
    assert not reading.done()


def test_reader_is_woken_when_the_sink_wants_it(line: Line) -> None:
    """With what it has not been given, in the order of arrival."""
    line.answer()
    line.pour()
    line.stops_at = b"a"
    reading = line.read()

    line.connection.data_received(chunk(b"a"))
    line.connection.data_received(chunk(b"b"))
    line.loop.run_on()

    assert (b"b", True) == reading.result()
    assert [b"a"] == line.poured


def test_end_is_for_the_reader(line: Line) -> None:
    line.answer()
    line.pour()
    reading = line.read()

    line.get(chunk(b"a"))
    line.get(chunk(b"b") + LAST)

    assert (b"b", False) == reading.result()
    assert [b"a"] == line.poured


def test_what_came_before_somebody_reads_is_for_the_reader(line: Line) -> None:
    line.answer(chunk(b"a"))
    line.pour()
    line.get(chunk(b"b"))

    assert (b"ab", True) == line.read().result()
    assert [] == line.poured


def test_sink_is_given_nothing_of_the_next_answer(line: Line) -> None:
    """A connection is kept for others."""
    line.answer()
    line.pour()
    reading = line.read()
    line.get(chunk(b"a") + LAST)
    assert reading.done()
    assert line.connection.finish()

    line.answer(chunk(b"b"))
    reading = line.read()
    line.get(chunk(b"c"))

    assert [] == line.poured
    assert (b"b", True) == reading.result()


def test_connection_reads_on_when_an_answer_that_was_held_back_is_not_read(line: Line) -> None:
    """Whole as it is, the next exchange would wait for ever, and find what nobody had wanted."""
    line.answer()
    line.get(chunk(b"a" * (HIGH_WATER_BYTES + 1)))
    held_back = not line.socket.reads
    line.get(LAST)

    assert held_back
    assert line.connection.finish()
    assert line.socket.reads
    line.answer(chunk(b"b") + LAST)
    assert (b"b", False) == line.read().result()


def test_what_the_sink_was_given_begins_the_silence_anew(line: Line) -> None:
    """An answer may take longer than the longest silence in it."""
    line.answer()
    line.pour()
    reading = line.read()

    for _ in range(5):
        line.loop.now += 0.9 * SILENCE_SECONDS
        line.get(chunk(b"a"))
    waits_on = not reading.done()
    line.loop.now += 1.1 * SILENCE_SECONDS
    line.loop.run_on()

    assert waits_on
    assert isinstance(reading.exception(), httpx.ReadTimeout)


def test_reader_is_told_when_the_connection_breaks_after_the_sink_was_given_something(line: Line) -> None:
    line.answer()
    line.pour()
    reading = line.read()

    line.get(chunk(b"a"))
    line.lose()

    assert isinstance(reading.exception(), httpx.ReadError)
    assert [b"a"] == line.poured
