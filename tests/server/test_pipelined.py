"""Requests that are sent before the last is answered wait for their turn, and nothing is done for who has left."""

import asyncio
import gc
import socket
import struct

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from gateway.server.flow import MAX_WAITING_REQUESTS, PIECE_BYTES
from gateway.server.http import BoundedHttp
from gateway.server.lifecycle import Receive, Scope, Send
from gateway.server.sockets import PlainSocket
from tests.protocols import connected

RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class Streaming:
    """Answers with a stream that goes on until its caller leaves."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.left: asyncio.Queue[str] = asyncio.Queue()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        self.begun.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        async with asyncio.TaskGroup() as tasks:
            speaking = tasks.create_task(self._speak(send))
            while (await receive())["type"] != "http.disconnect":
                pass
            self.left.put_nowait(scope["path"])
            speaking.cancel()

    async def _speak(self, send: Send) -> None:
        while True:
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await asyncio.sleep(0.01)


async def test_stream_hears_that_its_caller_has_left_though_more_was_asked_for() -> None:
    """Otherwise GLM would go on, and its slot be taken, until the end of what nobody reads."""
    app = Streaming()
    config = Config(app, interface="asgi3", ws=PlainSocket, log_config=None, lifespan="off")
    config.load()
    async with connected(BoundedHttp, config) as (reader, writer), asyncio.timeout(5):
        writer.write(b"".join(b"GET /%d HTTP/1.1\r\n\r\n" % number for number in (1, 2, 3)))
        await reader.readuntil(b"\r\n\r\n")
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        writer.transport.abort()

        assert await app.left.get() == "/1"

    assert app.begun == ["/1"]


async def test_answer_that_waits_hears_that_its_caller_has_left_after_asking_for_more() -> None:
    """Nothing is written meanwhile that would fail."""
    left = asyncio.Event()
    asked: asyncio.Queue[str] = asyncio.Queue()

    async def wait(scope: Scope, receive: Receive, _send: Send) -> None:
        asked.put_nowait(scope["path"])
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    config = Config(wait, interface="asgi3", ws=PlainSocket, log_config=None, lifespan="off")
    config.load()
    async with connected(BoundedHttp, config) as (_, writer), asyncio.timeout(5):
        writer.write(b"GET /1 HTTP/1.1\r\n\r\n")
        assert await asked.get() == "/1"
        writer.write(b"GET /2 HTTP/1.1\r\n\r\n")
        await asyncio.sleep(0.05)
        writer.close()

        await left.wait()

    assert asked.empty()


class Counting:
    """Answers with the body of a request, once ``go`` is set."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        await self.go.wait()
        body, more = scope["path"].encode(), True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]}
        )
        await send({"type": "http.response.body", "body": body})


async def test_any_number_is_answered_in_turn_and_few_are_kept() -> None:
    """Otherwise one who sends requests by the thousand has all the memory, and the loop does nothing but read."""
    app, most = Counting(), 5_000
    config = Config(app, interface="asgi3", ws=PlainSocket, log_config=None, lifespan="off")
    config.load()
    async with connected(BoundedHttp, config) as (reader, writer), asyncio.timeout(60):
        for number in range(most):
            body = b"x" * (number % 100)
            writer.write(b"POST /%d HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (number, len(body), body))
        await asyncio.sleep(0.05)
        kept = sum(type(one) is RequestResponseCycle for one in gc.get_objects())
        app.go.set()

        for number in range(most):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.rpartition(b"content-length: ")[2])
            assert await reader.readexactly(length) == b"/%d%b" % (number, b"x" * (number % 100))

    assert kept <= MAX_WAITING_REQUESTS + PIECE_BYTES // len(b"POST /1 HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
