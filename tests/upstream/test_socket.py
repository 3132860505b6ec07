"""Messages from GLM by hand: frames are put in, in any pieces, and who waits is offered what they make."""

import asyncio
from contextlib import suppress
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

from gateway.upstream.socket import MAX_WAITING_MESSAGES, GlmSocket, MessageConnection, Take, UpstreamClosedError


class Transport:
    """What a connection writes to."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.told: list[str] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def pause_reading(self) -> None:
        self.told.append("pause")

    def resume_reading(self) -> None:
        self.told.append("resume")

    def set_write_buffer_limits(self, high: int, low: int | None) -> None:
        """Have none."""

    def is_closing(self) -> bool:
        return self.closed

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


class Line:
    """An open connection to GLM."""

    def __init__(self) -> None:
        protocol = ClientProtocol(parse_uri("ws://glm"), state=State.OPEN)
        self.connection = MessageConnection(protocol)
        self.connection.response = Response(101, "Switching Protocols", Headers())
        self.transport = Transport()
        self.connection.connection_made(cast("asyncio.Transport", self.transport))
        self.socket = GlmSocket(self.connection)

    def bring(self, *messages: bytes) -> None:
        """Let messages come, each in a piece of its own."""
        for message in messages:
            self.connection.data_received(framed(message))

    async def waiting(self, take: Take | None = None) -> "asyncio.Task[bytes]":
        """Begin to wait for a message."""
        task = asyncio.ensure_future(self.socket.receive(take))
        await asyncio.sleep(0)
        return task


def framed(message: bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> bytes:
    return Frame(opcode, message, fin).serialize(mask=False)


def fragments(message: bytes, cuts: list[int]) -> bytes:
    """Return a message in several frames, some of them empty."""
    places = [0, *sorted(cut % (len(message) + 1) for cut in cuts), len(message)]
    pieces = [message[begin:end] for begin, end in pairwise(places)]
    last = len(pieces) - 1
    return b"".join(
        framed(piece, Opcode.CONT if place else Opcode.TEXT, fin=place == last)
        for place, piece in enumerate(pieces)
    )


async def test_messages_are_offered_to_who_waits_until_one_is_not_taken() -> None:
    line, offered = Line(), list[bytes]()

    def take(message: bytes) -> bool:
        offered.append(message)
        return message != b"c"

    waiting = await line.waiting(take)
    line.bring(b"a", b"b", b"c", b"d")

    assert offered == [b"a", b"b", b"c"]
    assert await waiting == b"c"
    assert await line.socket.receive(take) == b"d"
    line.bring(b"e")
    assert offered == [b"a", b"b", b"c"]


async def test_who_is_stopped_is_offered_nothing_more() -> None:
    """A task that is cancelled has not yet noticed when the next message comes."""
    line, offered = Line(), list[bytes]()

    def take(message: bytes) -> bool:
        offered.append(message)
        return True

    waiting = await line.waiting(take)
    waiting.cancel()
    line.bring(b"a")
    with suppress(asyncio.CancelledError):
        await waiting

    assert offered == []
    assert await line.socket.receive() == b"a"


@given(
    messages=st.lists(st.tuples(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=3)), max_size=8),
    size=st.integers(1, 90),
    refused=st.integers(1, 5),
)
def test_every_message_comes_once_in_its_order_however_it_is_cut(
    messages: list[tuple[bytes, list[int]]], size: int, refused: int
) -> None:
    async def play() -> list[bytes]:
        line, told = Line(), list[bytes]()

        def take(message: bytes) -> bool:
            if (len(told) + len(message)) % refused == 0:
                return False
            told.append(message)
            return True

        async def listen() -> None:
            while True:
                told.append(await line.socket.receive(take))

        listening = asyncio.ensure_future(listen())
        data = b"".join(fragments(message, cuts) for message, cuts in messages)
        for start in range(0, len(data), size):
            line.connection.data_received(data[start : start + size])
            if start % 3 == 0:
                await asyncio.sleep(0)
        line.connection.connection_lost(None)
        with pytest.raises(UpstreamClosedError):
            await listening
        return told

    assert asyncio.run(play()) == [message for message, _ in messages]


async def test_what_nobody_takes_holds_back_the_rest() -> None:
    line = Line()
    line.bring(*[b"a"] * (MAX_WAITING_MESSAGES - 1))
    assert line.transport.told == []
    line.bring(b"a")
    assert line.transport.told == ["pause"]

    for _ in range(MAX_WAITING_MESSAGES):
        await line.socket.receive()
    assert line.transport.told == ["pause", "resume"]


async def test_what_nobody_takes_does_not_hold_back_the_goodbye_of_a_socket_that_is_closed() -> None:
    """A GLM that has more to say would be waited for, and then cut off."""
    line = Line()
    line.bring(*[b"a"] * MAX_WAITING_MESSAGES)
    closing = asyncio.ensure_future(line.socket.aclose())
    await asyncio.sleep(0)
    assert line.transport.told == ["pause", "resume"]

    line.bring(*[b"a"] * MAX_WAITING_MESSAGES)
    assert line.transport.told == ["pause", "resume"]
    line.connection.data_received(framed(Close(1000, "").serialize(), Opcode.CLOSE))
    assert line.transport.closed
    line.connection.connection_lost(None)
    await closing


@pytest.mark.parametrize("code", [1000, 1011, 4001])
async def test_goodbye_is_the_end_although_the_connection_stays(code: int) -> None:
    """What came before it is still told."""
    line = Line()
    line.bring(b"a")
    line.connection.data_received(framed(Close(code, "").serialize(), Opcode.CLOSE))

    assert line.transport.closed
    assert await line.socket.receive() == b"a"
    with pytest.raises(UpstreamClosedError) as raised:
        await line.socket.receive()
    assert raised.value.code == code


async def test_what_is_no_websocket_is_the_end_although_the_connection_stays() -> None:
    """Nothing that is sent would be noticed to be lost; what came before it is still told."""
    line = Line()
    line.bring(b"a")
    line.connection.data_received(b"\xf1\x01b")  # bits that are reserved

    assert line.transport.closed
    assert await line.socket.receive() == b"a"
    with pytest.raises(UpstreamClosedError) as raised:
        await line.socket.receive()
    assert raised.value.code == 1006


async def test_who_waits_is_told_that_the_connection_broke() -> None:
    line = Line()
    waiting = await line.waiting()
    line.connection.connection_lost(ConnectionResetError())

    with pytest.raises(UpstreamClosedError) as raised:
        await waiting
    assert raised.value.code == 1006


async def test_message_is_written_at_once_unless_the_connection_has_ended() -> None:
    line = Line()
    line.socket.put(b"a")
    assert len(line.transport.written) == 1

    line.transport.closed = True
    line.socket.put(b"b")
    line.connection.connection_lost(None)
    line.socket.put(b"c")
    assert len(line.transport.written) == 1


async def test_socket_is_ready_while_what_it_was_given_is_taken() -> None:
    line = Line()
    seen = [line.socket.is_ready]
    line.connection.pause_writing()
    seen.append(line.socket.is_ready)
    line.connection.resume_writing()
    seen.append(line.socket.is_ready)

    assert seen == [True, False, True]


async def test_ping_is_answered() -> None:
    line = Line()
    line.connection.data_received(framed(b"x", Opcode.PING))

    assert len(line.transport.written) == 1
    assert line.transport.written[0][0] == 0x80 | Opcode.PONG


async def test_connection_that_glm_ends_with_the_handshake_is_not_pinged() -> None:
    """Twenty seconds later that would be a failure in the log."""
    line = Line()
    line.connection.data_received(framed(Close(1003, "").serialize(), Opcode.CLOSE))
    line.connection.connection_lost(None)

    line.connection.start_keepalive()

    assert line.connection.keepalive_task is None
