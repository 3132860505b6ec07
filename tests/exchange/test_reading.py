"""One call's stream is the same however it arrives, and whoever writes it."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError, UpstreamFailed
from gateway.exchange.held import Held
from gateway.exchange.reading import Reading
from gateway.exchange.waits import Waits
from gateway.translate.sse import DONE, event
from gateway.upstream.http import Reply
from gateway.upstream.wire import Answered, Headers, Piece, Sink
from tests.fakes import Clock

FAILS = b"fails"
BREAKS = b"breaks"


class Arriving:
    """
    The body of an answer; of each piece but the last it is said whether somebody was reading when it came.

    After the last it ends, or falls silent.
    """

    def __init__(self, pieces: Sequence[bytes], read_for: Sequence[bool], *, ends: bool = True) -> None:
        self._pieces = list(pieces)
        self._read_for = list(read_for)
        self._ends = ends
        self._sink: Sink | None = None

    def pour_into(self, sink: Sink) -> None:
        self._sink = sink

    async def read(self) -> Piece:
        while self._pieces:
            piece, more = self._pieces.pop(0), bool(self._pieces) or not self._ends
            is_poured = self._read_for.pop(0) if self._read_for else True
            if self._sink is None or not more or not is_poured:
                return piece, more
            if not self._sink(piece):
                return b"", more
        if not self._ends:
            await asyncio.Event().wait()
        return b"", False

    async def aclose(self) -> None:
        """Let go of nothing."""


class Echo:
    """A translation that tells what it is given, also behind the end; some of it is not good."""

    slow: ClassVar[bool] = False

    def __init__(self) -> None:
        self.failure: GatewayError | None = None

    def feed(self, payloads: Sequence[bytes]) -> bytes:
        told = []
        for payload in payloads:
            if self.failure is not None:
                break
            if payload == BREAKS:
                raise ZeroDivisionError
            if payload == FAILS:
                self.failure = UpstreamFailed("GLM has failed.")
            elif payload != DONE:
                told.append(payload)
        return b"".join(told)

    def finish(self) -> bytes:
        return b"<end>"


class Reader:
    """Reads a stream to its end; ``takes`` says of the next events whether their outlet takes them."""

    def __init__(self, body: Arriving, *, takes: Sequence[bool] = (), headers: Headers | None = None) -> None:
        self.waits = Waits(Clock())
        reply = Reply(Answered(200, headers or [], body), max_bytes=1000)
        self.reading = Reading(Echo(), cast("Held", None), reply, wait=self.waits.upstream)
        self.written: list[bytes] = []
        self.told = b""
        self._takes = list(takes)

    async def read(self) -> bytes:
        """Return all that the caller is told, whoever told it."""
        while events := await self.reading.read():
            self.told += events
            self.reading.pour_into(self._write)
        return self.told

    def _write(self, events: bytes) -> bool:
        if self._takes and not self._takes.pop(0):
            return False
        self.written.append(events)
        self.told += events
        return True


def cut(stream: bytes, at: Sequence[int]) -> list[bytes]:
    places = sorted({min(place, len(stream)) for place in at} | {0, len(stream)})
    return [stream[start:end] for start, end in pairwise(places)]


AFTER = event(b"after the end")

payloads = st.lists(st.sampled_from([b"a", b"bb", b"ccc", b"dddd"]), min_size=1, max_size=12)
places = st.lists(st.integers(0, 150), max_size=20)
choices = st.lists(st.booleans(), max_size=30)


@given(payloads, places, choices, choices, st.booleans())
def test_caller_is_told_the_same_however_it_arrives(
    said: list[bytes],
    at: list[int],
    read_for: list[bool],
    takes: list[bool],
    ends: bool,  # noqa: FBT001 - hypothesis gives it
) -> None:
    stream = b"".join(map(event, said)) + (event(DONE) + AFTER if ends else b"")
    reader = Reader(Arriving(cut(stream, at), read_for), takes=takes)

    told = asyncio.run(reader.read())

    assert b"".join(said) + b"<end>" == told
    assert [] == reader.waits.upstream.watch.open


@given(payloads, payloads, places, choices, choices)
def test_what_came_before_a_failure_is_told_before_it(
    before: list[bytes], after: list[bytes], at: list[int], read_for: list[bool], takes: list[bool]
) -> None:
    stream = b"".join(map(event, [*before, FAILS, *after]))
    reader = Reader(Arriving([*cut(stream, at), event(DONE)], read_for), takes=takes)

    with pytest.raises(UpstreamFailed):
        asyncio.run(reader.read())

    assert b"".join(before) == reader.told


@pytest.mark.parametrize("last", [[event(DONE)], [event(DONE) + AFTER], [event(DONE), AFTER]])
@pytest.mark.parametrize("is_poured", [True, False])
def test_end_needs_nothing_more_to_arrive(*, last: list[bytes], is_poured: bool) -> None:
    """Whoever has said [DONE] may never close its connection, and may say more, which is no part of the answer."""
    reader = Reader(Arriving([event(b"a"), event(b"b"), *last], [False, is_poured, is_poured], ends=False))

    assert b"ab<end>" == asyncio.run(asyncio.wait_for(reader.read(), 5))


def test_failure_needs_nothing_more_to_arrive() -> None:
    reader = Reader(Arriving([event(b"a"), event(b"b") + event(FAILS)], [False], ends=False))

    with pytest.raises(UpstreamFailed):
        asyncio.run(asyncio.wait_for(reader.read(), 5))

    assert b"ab" == reader.told


@pytest.mark.parametrize("is_poured", [True, False])
def test_our_own_mistake_reaches_whoever_reads(*, is_poured: bool) -> None:
    """What is raised where nobody waits for it would be lost."""
    pieces = [event(b"a"), event(BREAKS), event(b"b"), event(DONE)]
    reader = Reader(Arriving(pieces, [False, is_poured]))

    with pytest.raises(ZeroDivisionError):
        asyncio.run(reader.read())

    assert (b"a", []) == (reader.told, reader.written)


def test_events_are_written_as_they_come() -> None:
    """By the outlet, all but the first and the last."""
    pieces = [event(b"a"), event(b"b"), event(b"c"), event(DONE)]
    reader = Reader(Arriving(pieces, [False]))

    asyncio.run(reader.read())

    assert [b"b", b"c"] == reader.written


@pytest.mark.parametrize("content_type", [b"text/event-stream", b"application/octet-stream", b""])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b": hello\n\n", b"event: a\n", b"retry: 5\nid: 1\n"])
@pytest.mark.parametrize("size", [1, 2, 1000])
def test_events_are_known_by_what_they_begin_with(content_type: bytes, start: bytes, *, size: int) -> None:
    """Called what they are, the same as any bytes, or nothing at all; and however little comes first."""
    stream = start + event(b"a") + event(DONE)
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    reader = Reader(Arriving(pieces, [False]), headers=[(b"content-type", content_type)])

    assert b"a<end>" == asyncio.run(reader.read())


@pytest.mark.parametrize("content_type", [b"text/event-stream", b"audio/pcm"])
def test_nothing_at_first_says_nothing_of_what_follows(content_type: bytes) -> None:
    """The length of a part may come before the part."""
    pieces = [b"", event(b"a"), event(DONE)]
    reader = Reader(Arriving(pieces, [False]), headers=[(b"content-type", content_type)])

    assert b"a<end>" == asyncio.run(reader.read())
