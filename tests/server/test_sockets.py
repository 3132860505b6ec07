"""Handshakes that are none are answered as any bad request; text that cannot be read is nobody's error here."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from gateway.errors import GatewayError
from gateway.server.lifecycle import ASGIApp
from gateway.server.sockets import PlainSocket
from tests.protocols import connected

KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
VERSION = "Sec-WebSocket-Version: 13"


async def accepting(_scope: Any, receive: Any, send: Any) -> None:
    """Accept, and send back the first text."""
    await receive()
    await send({"type": "websocket.accept"})
    message = await receive()
    if message["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


@asynccontextmanager
async def wire(
    protocol: type[PlainSocket] = PlainSocket, *, app: ASGIApp = accepting
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    config = Config(app, interface="asgi3", ws=PlainSocket, log_config=None, lifespan="off")
    config.load()
    async with connected(protocol, config) as ends:
        yield ends


def handshake(*lines: str, method: str = "GET", address: str = "/") -> bytes:
    common = ("Host: x", "Upgrade: websocket", "Connection: Upgrade")
    return "\r\n".join([f"{method} {address} HTTP/1.1", *common, *lines, "", ""]).encode()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(handshake(VERSION), 400, id="no key"),
        pytest.param(handshake(VERSION, "Sec-WebSocket-Key: abc"), 400, id="a key of another length"),
        pytest.param(handshake(KEY), 400, id="no version"),
        pytest.param(handshake(KEY, "Sec-WebSocket-Version: 12"), 400, id="another version"),
        pytest.param(handshake(KEY, VERSION, method="POST"), 405, id="another method"),
        pytest.param(handshake(KEY, VERSION, "Content-Length: 3"), 400, id="a body"),
        pytest.param(handshake(KEY, VERSION, "Transfer-Encoding: chunked"), 400, id="a body in pieces"),
        pytest.param(handshake(KEY, VERSION, f"Cookie: {'a' * 9000}"), 431, id="a long header"),
        pytest.param(handshake(KEY, VERSION, *["X: y"] * 130), 431, id="many headers"),
        pytest.param(handshake(KEY, VERSION, address=f"/{'a' * 9000}"), 431, id="a long address"),
    ],
)
async def test_handshake_that_is_none_gets_an_error_of_the_usual_form(sent: bytes, status: int) -> None:
    """The client reads OpenAI's error, and somebody knows of it by the id in the answer."""
    told: list[GatewayError] = []

    def refuse(error: GatewayError) -> Sequence[tuple[bytes, bytes]]:
        told.append(error)
        return [(b"x-request-id", b"req_1")]

    async with wire(PlainSocket.of(refuse=refuse)) as (reader, writer):
        writer.write(sent)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")

    assert int(head.split()[1]) == status
    assert b"content-type: application/json" in head.lower()
    assert head.lower().count(b"content-length: %d" % len(body)) == head.lower().count(b"content-length") == 1
    assert b"x-request-id: req_1" in head
    assert json.loads(body)["error"]["type"] == "invalid_request_error"
    assert [error.status for error in told] == [status]


async def test_text_passes_when_it_is_utf8() -> None:
    async with wire() as (reader, writer):
        writer.write(handshake(KEY, VERSION))
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x81\x82\0\0\0\0" + "é".encode())

        assert await reader.readexactly(4) == b"\x81\x02" + "é".encode()


async def test_text_that_is_not_utf8_ends_the_connection_and_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is the client's fault: close code 1007, and no traceback for whoever watches the log."""
    with caplog.at_level(logging.ERROR):
        async with wire() as (reader, writer):
            writer.write(handshake(KEY, VERSION))
            assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
            writer.write(b"\x81\x82\0\0\0\0\xff\xfe")
            end = await reader.read()

    assert end[:1] == b"\x88"
    assert int.from_bytes(end[2:4], "big") == 1007
    assert caplog.records == []


async def undecided(_scope: Any, receive: Any, _send: Any) -> None:
    """Take longer to decide than any client has patience."""
    while (await receive())["type"] != "websocket.disconnect":
        pass


@pytest.mark.parametrize(
    "early",
    [
        pytest.param(b"\x81\x02{}", id="no mask"),
        pytest.param(b"\xf1\x80\0\0\0\0", id="reserved bits"),
        pytest.param(b"\x81\x82\0\0\0\0\xff\xfe", id="not UTF-8"),
        pytest.param(b"\x89\x80\0\0\0\0\x81\x02{}", id="no mask behind a ping"),
    ],
)
async def test_nonsense_before_the_handshake_is_answered_is_refused_and_not_logged(
    caplog: pytest.LogCaptureFixture, early: bytes
) -> None:
    """It cannot be told by a close code yet, and is no failure of the server's; a ping is not answered either."""
    with caplog.at_level(logging.ERROR):
        async with wire(app=undecided) as (reader, writer), asyncio.timeout(5):
            writer.write(handshake(KEY, VERSION))
            await asyncio.sleep(0.05)
            writer.write(early)
            answer = await reader.read()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["type"] == "invalid_request_error"
    assert caplog.records == []


class Wire(asyncio.Transport):
    """A transport that is told when to read."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []
        self.written: list[bytes] = []

    def write(self, data: Any) -> None:
        """Note it."""
        self.written.append(data)

    def close(self) -> None:
        """Do nothing."""

    def is_closing(self) -> bool:
        """Be open."""
        return False

    def pause_reading(self) -> None:
        """Note it."""
        self.told.append("pause")

    def resume_reading(self) -> None:
        """Note it."""
        self.told.append("resume")


@pytest.mark.parametrize(
    "early",
    [
        pytest.param(b"\x88\x80\0\0\0\0", id="goodbye"),
        pytest.param(b"\x81\x02{}", id="no mask"),
    ],
)
async def test_application_that_accepts_who_has_just_left_is_told(early: bytes) -> None:
    """Before the transport says so, which comes a turn of the loop later."""
    told: asyncio.Queue[bool] = asyncio.Queue()
    go = asyncio.Event()

    async def accept(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await go.wait()
        try:
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "text": "hello"})
        except OSError:
            told.put_nowait(True)

    config = Config(accept, interface="asgi3", ws=PlainSocket, log_config=None, lifespan="off")
    config.load()
    protocol = PlainSocket(config, ServerState(), app_state={}, _loop=asyncio.get_running_loop())
    protocol.connection_made(Wire())
    protocol.data_received(handshake(KEY, VERSION))
    await asyncio.sleep(0)
    protocol.data_received(early)
    go.set()

    async with asyncio.timeout(5):
        assert await told.get()


async def test_reading_stops_only_while_the_application_is_behind() -> None:
    """A client at the pace of speech costs no call of the system for each of its frames; a faster one waits."""
    taken: asyncio.Queue[Any] = asyncio.Queue()
    accepted, go = asyncio.Event(), asyncio.Semaphore(0)

    async def take(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        accepted.set()
        while await go.acquire():
            taken.put_nowait(message := await receive())
            if message["type"] == "websocket.disconnect":
                return

    config = Config(take, interface="asgi3", ws=PlainSocket, log_config=None, lifespan="off")
    config.load()
    state, transport = ServerState(), Wire()
    protocol = PlainSocket(config=config, server_state=state, app_state={}, _loop=asyncio.get_running_loop())
    protocol.connection_made(transport)
    protocol.data_received(handshake(KEY, VERSION))
    await accepted.wait()
    message = b"\x81\x81\0\0\0\0a"

    protocol.data_received(message)
    assert transport.told == []
    protocol.data_received(message)
    assert transport.told == ["pause"]
    for _ in range(2):
        go.release()
        assert (await taken.get())["text"] == "a"
    assert transport.told == ["pause", "resume"]

    protocol.connection_lost(None)
    go.release()
    assert (await taken.get())["type"] == "websocket.disconnect"


class Hand:
    """An application that waits for messages when it is told to, and is offered them if ``takes`` is set."""

    def __init__(self, *, takes: bool = True) -> None:
        self.takes = takes
        self.offered: list[Any] = []
        self.received: asyncio.Queue[Any] = asyncio.Queue()
        self.go = asyncio.Semaphore(0)
        self.accepted = asyncio.Event()
        self.at_once: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.at_once = scope["extensions"]["websocket.at_once"]
        await receive()
        await send({"type": "websocket.accept"})
        self.accepted.set()
        message = {"type": ""}
        while message["type"] != "websocket.disconnect" and await self.go.acquire():
            self.at_once["pour_into"](self.take)
            message = await receive()
            self.at_once["pour_into"](None)
            self.received.put_nowait(message)

    def take(self, message: Any) -> bool:
        self.offered.append(message)
        return self.takes


async def served(hand: Hand) -> tuple[PlainSocket, Wire]:
    """Give a socket whose handshake is done."""
    config = Config(hand, interface="asgi3", ws=PlainSocket, log_config=None, lifespan="off")
    config.load()
    loop, transport = asyncio.get_running_loop(), Wire()
    protocol = PlainSocket(config=config, server_state=ServerState(), app_state={}, _loop=loop)
    protocol.connection_made(transport)
    protocol.data_received(handshake(KEY, VERSION))
    await hand.accepted.wait()
    return protocol, transport


def masked(text: bytes, kind: int = 1) -> bytes:
    return bytes((0x80 | kind, 0x80 | len(text))) + bytes(4) + text


async def settle() -> None:
    """Let tasks that can go on do so."""
    for _ in range(4):
        await asyncio.sleep(0)


async def test_messages_are_offered_while_the_application_waits_for_one() -> None:
    """What it takes is not received as well; what comes while it does not wait is."""
    hand = Hand()
    protocol, _ = await served(hand)
    protocol.data_received(masked(b"a"))
    assert hand.offered == []

    hand.go.release()
    assert (await hand.received.get())["text"] == "a"
    hand.go.release()
    await settle()
    protocol.data_received(masked("é".encode()) + masked(b"b", kind=2))
    assert hand.offered == ["é", b"b"]
    assert hand.received.empty()

    hand.takes = False
    protocol.data_received(masked(b"c") + masked(b"d"))
    assert (await hand.received.get())["text"] == "c"
    hand.go.release()
    assert (await hand.received.get())["text"] == "d"
    assert hand.offered == ["é", b"b", "c"]

    protocol.connection_lost(None)
    hand.go.release()
    assert (await hand.received.get())["type"] == "websocket.disconnect"


async def test_text_is_written_at_once_until_the_connection_ends() -> None:
    """Nothing is raised behind the end: who receives is told of it."""
    hand = Hand()
    protocol, transport = await served(hand)
    transport.written.clear()

    hand.at_once["write"]("é".encode())
    assert transport.written == [b"\x81\x02" + "é".encode()]

    protocol.data_received(masked((1000).to_bytes(2, "big"), kind=8))
    transport.written.clear()
    hand.at_once["write"](b"a")
    assert transport.written == []
    protocol.connection_lost(None)
    hand.at_once["write"](b"a")
    assert transport.written == []


async def test_socket_is_ready_while_the_client_reads() -> None:
    hand = Hand()
    protocol, _ = await served(hand)

    seen = [hand.at_once["is_ready"]()]
    protocol.pause_writing()
    seen.append(hand.at_once["is_ready"]())
    protocol.resume_writing()
    seen.append(hand.at_once["is_ready"]())

    assert seen == [True, False, True]
    protocol.connection_lost(None)


async def test_frames_of_a_message_are_not_kept_one_by_one() -> None:
    """There may be any number of them that add nothing to it, and as many as it has bytes."""
    hand = Hand()
    protocol, _ = await served(hand)
    protocol.data_received(bytes((0x01, 0x80)) + bytes(4))
    for _ in range(100):
        protocol.data_received(bytes((0x00, 0x80)) + bytes(4))
        protocol.data_received(bytes((0x00, 0x81)) + bytes(4) + b"a")

    assert len(protocol.frames) == 1

    protocol.data_received(bytes((0x80, 0x81)) + bytes(4) + b"b")
    hand.go.release()
    assert (await hand.received.get())["text"] == "a" * 100 + "b"
    assert protocol.frames == []


async def test_who_reads_no_answers_to_its_pings_is_not_read_until_it_does() -> None:
    """What answers them would else be kept without a bound."""
    hand = Hand()
    protocol, transport = await served(hand)
    protocol.data_received(masked(b"", kind=9))
    assert transport.told == []

    protocol.pause_writing()
    protocol.data_received(masked(b"", kind=9) * 2)
    assert transport.told == ["pause"]
    protocol.resume_writing()
    assert transport.told == ["pause", "resume"]


async def test_who_reads_again_is_not_read_while_the_application_is_behind() -> None:
    hand = Hand()
    protocol, transport = await served(hand)
    protocol.pause_writing()
    protocol.data_received(masked(b"a") + masked(b"b") + masked(b"", kind=9))
    protocol.resume_writing()
    assert transport.told == ["pause"]
