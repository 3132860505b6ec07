"""Who would rather speak another protocol is answered in this one, with everything that was sent; sockets open."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from gateway.server.http import BoundedHttp
from gateway.server.lifecycle import Receive, Scope, Send
from gateway.server.sockets import PlainSocket
from tests.protocols import connected

# As java.net.http.HttpClient writes it.
HTTP_2 = (
    "Connection: Upgrade, HTTP2-Settings",
    "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
    "Upgrade: h2c",
)
WEBSOCKET = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)

MANY = 2 * sys.getrecursionlimit()


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Say what was asked for, and with which body; close a WebSocket that was opened."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1000})
        return
    body = f"{scope['method']} {scope['path']} ".encode()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    head = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body})


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def wire(protocol: type[BoundedHttp] = BoundedHttp) -> AsyncIterator[Ends]:
    config = Config(echo, interface="asgi3", ws=PlainSocket, log_config=None, lifespan="off")
    config.load()
    async with connected(protocol, config) as ends:
        yield ends


def request(*lines: str, method: str = "POST", body: str = "") -> bytes:
    return "\r\n".join([f"{method} /a?b HTTP/1.1", "Host: x", *lines, "", body]).encode()


async def answer(reader: asyncio.StreamReader) -> bytes:
    """Read one answer; gives its body."""
    async with asyncio.timeout(5):
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        return await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))


WITH_BODY = [
    pytest.param(request(*HTTP_2, "Content-Length: 5", body="hello"), id="HTTP/2"),
    pytest.param(
        request(*HTTP_2, "Transfer-Encoding: chunked", body="2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
        id="HTTP/2, in pieces",
    ),
    pytest.param(request(*WEBSOCKET, "Content-Length: 5", body="hello"), id="WebSocket, which has no body"),
    pytest.param(request("Connection: upgrade", "Upgrade: TLS/1.0", "Content-Length: 5", body="hello"), id="TLS"),
]


@pytest.mark.parametrize("sent", WITH_BODY)
async def test_request_that_asks_for_another_protocol_is_served_with_its_body(sent: bytes) -> None:
    """Also the next on the same connection, and one that was sent behind it at once."""
    async with wire() as (reader, writer):
        for _ in range(2):
            writer.write(sent + request("Content-Length: 2", body="ok"))

            assert await answer(reader) == b"POST /a hello"
            assert await answer(reader) == b"POST /a ok"


async def test_any_number_is_served() -> None:
    """Also when all are sent at once."""
    async with wire() as (reader, writer):
        writer.write(request(*HTTP_2, method="GET") * MANY)

        for _ in range(MANY):
            assert await answer(reader) == b"GET /a "


class Catcher(asyncio.Transport):
    """A transport to nowhere: what is written into it can be awaited."""

    def __init__(self) -> None:
        super().__init__()
        self.reader = asyncio.StreamReader()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it for the reader."""
        self.reader.feed_data(bytes(data))

    def is_closing(self) -> bool:
        """Be open."""
        return False

    def close(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize("sent", WITH_BODY)
async def test_it_is_served_however_it_is_cut(sent: bytes) -> None:
    """A client may send head and body in pieces of its own."""
    config = Config(echo, interface="asgi3", ws=PlainSocket, log_config=None, lifespan="off")
    config.load()
    for cut in range(1, len(sent)):
        catcher = Catcher()
        protocol = BoundedHttp(config, ServerState(), app_state={}, _loop=asyncio.get_running_loop())
        protocol.connection_made(catcher)
        protocol.data_received(sent[:cut])
        protocol.data_received(sent[cut:])

        assert await answer(catcher.reader) == b"POST /a hello"
        protocol.connection_lost(None)


async def test_it_is_told_to_go_on_where_it_waits_for_that() -> None:
    async with wire() as (reader, writer):
        writer.write(request(*HTTP_2, "Expect: 100-continue", "Content-Length: 5"))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"hello")

        assert await answer(reader) == b"POST /a hello"


async def test_request_without_a_body_is_served() -> None:
    async with wire() as (reader, writer):
        writer.write(request(*HTTP_2, method="GET"))

        assert await answer(reader) == b"GET /a "


async def test_head_counts_once() -> None:
    """A request of another protocol's takes no more of the limit than any other."""
    sent = request(*HTTP_2, "Content-Length: 5", body="hello")

    async with wire(BoundedHttp.of(max_header_bytes=len(sent))) as (reader, writer):
        writer.write(sent)

        assert await answer(reader) == b"POST /a hello"


async def test_tunnel_is_refused() -> None:
    """There is nobody to connect to."""
    async with wire() as (reader, writer):
        writer.write(b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n")

        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(WEBSOCKET, id="as ever"),
        pytest.param(
            ("Connection: Upgrade", "Connection: keep-alive", *WEBSOCKET[1:]), id="two lines of Connection"
        ),
        pytest.param((*WEBSOCKET, "Content-Length: 0"), id="an empty body"),
    ],
)
async def test_socket_opens(lines: tuple[str, ...]) -> None:
    async with wire() as (reader, writer):
        writer.write(request(*lines, method="GET"))

        async with asyncio.timeout(5):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
            assert await reader.readexactly(4) == b"\x88\x02\x03\xe8"


async def test_socket_takes_what_came_with_its_handshake() -> None:
    """Its client should have waited; what it says is lost otherwise, and what follows cannot be read."""
    async with wire() as (reader, writer):
        writer.write(request(*WEBSOCKET, method="GET") + b"\x88\x82\0\0\0\0\x0b\xb8")

        async with asyncio.timeout(5):
            assert await reader.read() == b""


async def test_socket_does_not_open_behind_a_request_without_an_answer() -> None:
    """That would be told of neither its client's leaving nor room to write any more."""
    async with wire() as (reader, writer):
        writer.write(request(method="GET") + request(*WEBSOCKET, method="GET"))

        assert await answer(reader) == b"GET /a "
        assert await answer(reader) == b"GET /a "

        writer.write(request(*WEBSOCKET, method="GET"))
        async with asyncio.timeout(5):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
