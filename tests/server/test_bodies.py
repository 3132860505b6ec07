"""What comes behind a head: trailers are no headers and have a bound, and nobody keeps a connection by crumbs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from uvicorn import Config

from gateway.server.http import BoundedHttp
from gateway.server.lifecycle import ASGIApp, Receive, Scope, Send
from gateway.server.sockets import PlainSocket
from tests.protocols import connected

CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class SmallHeads(BoundedHttp):
    """Takes small heads only, and keeps a connection for a second."""

    max_header_bytes = 1000

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.timeout_keep_alive = 1


async def answer(send: Send, body: bytes) -> None:
    head = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def count(scope: Scope, receive: Receive, send: Send) -> None:
    """Say how long the body is, and which headers there are; close a WebSocket that a client closes."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        return
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length, more = length + len(message["body"]), message["more_body"]
    await answer(send, b"%d %s" % (length, b" ".join(name for name, _ in scope["headers"])))


async def refuse(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer without a look at the body."""
    await answer(send, b"no")


@asynccontextmanager
async def wire(app: ASGIApp = count) -> AsyncIterator[Ends]:
    config = Config(app, interface="asgi3", ws=PlainSocket, log_config=None, lifespan="off")
    config.load()
    async with connected(SmallHeads, config) as ends, asyncio.timeout(10):
        yield ends


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    return await reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]))


async def test_trailers_are_no_headers() -> None:
    """They come when it has been decided who calls, or just before, as the network has it."""
    async with wire() as (reader, writer):
        for _ in range(2):
            writer.write(CHUNKED + b"2\r\nhi\r\n0\r\nAuthorization: Bearer x\r\n\r\n")

            assert await read_answer(reader) == b"2 transfer-encoding"


TRAILERS = [
    pytest.param(b"0\r\n" + b"X-A: b\r\n" * 200, id="many"),
    pytest.param(b"0\r\nX: " + b"a" * 1600, id="one"),
]


@pytest.mark.parametrize("trailers", TRAILERS)
async def test_request_is_refused_when_its_trailers_have_no_end(trailers: bytes) -> None:
    """They would be kept as long as they come, and each piece of one costs as much as all before it."""
    async with wire() as (reader, writer):
        writer.write(CHUNKED.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(trailers)

        assert (await reader.read()).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("crumbs", [*TRAILERS, pytest.param(b"0\r\n\r\n" + b"\r\n" * 800, id="empty lines")])
async def test_connection_is_closed_when_crumbs_follow_an_answer_without_end(crumbs: bytes) -> None:
    async with wire(refuse) as (reader, writer):
        writer.write(CHUNKED)
        assert await read_answer(reader) == b"no"
        writer.write(crumbs)

        assert (await reader.read()).startswith(b"HTTP/1.1 431 ")


async def test_body_may_come_in_any_number_of_chunks_each_in_pieces() -> None:
    """What stands between them is more than any head may have, as it is for a recording from Node."""
    async with wire() as (reader, writer):
        writer.write(CHUNKED)
        for _ in range(1000):
            for piece in (b"2\r\n", b"hi", b"\r\n"):
                writer.write(piece)
                await asyncio.sleep(0)
        writer.write(b"0\r\n\r\n")

        assert await read_answer(reader) == b"2000 transfer-encoding"


@pytest.mark.parametrize(
    ("sent", "rest"),
    [
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", b"h", id="a part of the body"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", b"\r\n", id="an empty line"),
    ],
)
async def test_connection_is_closed_when_nothing_follows_what_followed_the_answer(
    sent: bytes, rest: bytes
) -> None:
    """A caller may vanish in the middle of a body that was refused, without a word that it does."""
    async with wire(refuse) as (reader, writer):
        writer.write(sent)
        assert await read_answer(reader) == b"no"
        writer.write(rest)

        assert await reader.read() == b""


async def test_socket_that_opens_behind_an_answer_stays_open() -> None:
    """Also when its handshake comes in pieces, and longer than a connection is kept that has nothing to say."""
    async with wire() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await read_answer(reader)
        writer.write(
            b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        )
        await asyncio.sleep(0.01)
        writer.write(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5):
                await reader.read()


async def test_connection_closes_when_a_body_that_was_announced_was_not_asked_for() -> None:
    """Its caller may send it all the same, or another request in its place; nobody could tell which that is."""
    async with wire(refuse) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")

        told = await reader.read()

    assert told.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nconnection: close\r\n" in told


@pytest.mark.parametrize("app", [count, refuse])
async def test_connection_stays_when_a_body_that_was_announced_comes(app: ASGIApp) -> None:
    """Asked for or not: closing on who still sends would cost it the answer."""
    async with wire(app) as (reader, writer):
        for _ in range(2):
            writer.write(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            if app is count:
                assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
                writer.write(b"hel")
                await asyncio.sleep(0.01)
                writer.write(b"lo")
            else:
                writer.write(b"hel")

            assert await read_answer(reader) in (b"5 expect content-length", b"no")
            if app is refuse:
                writer.write(b"lo")
