"""
Stand-ins that a test plays by hand: Zhipu's chat endpoint on a real socket, a caller of an application, a clock.

The endpoint knows nothing of the gateway or its simulator. It speaks in shapes that were recorded from Zhipu.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

KEY = "sk-test-0123456789abcdef"
SIGNED_BODY = {"id": "20260313101500a1b2c3d4e5f64701", "created": 1773368100, "model": "glm-4.7"}
USAGE = {
    "prompt_tokens": 15,
    "completion_tokens": 7,
    "total_tokens": 22,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 3},
}


def completion(text: str = "Hello.", *, finish_reason: str = "stop", **message: Any) -> dict[str, Any]:
    """Give a whole answer as Zhipu sends it: ``request_id`` equals ``id``, and there is no ``object``."""
    told = {"role": "assistant", "content": text, **message}
    return {
        **SIGNED_BODY,
        "request_id": SIGNED_BODY["id"],
        "choices": [{"index": 0, "finish_reason": finish_reason, "message": told}],
        "usage": USAGE,
    }


def chunk(**delta: Any) -> bytes:
    """Give a chunk: the role in each, ``finish_reason`` absent."""
    told = {"role": "assistant", **delta} if "tool_calls" not in delta else delta
    return event({**SIGNED_BODY, "choices": [{"index": 0, "delta": told}]})


def last_chunk(finish_reason: str = "stop") -> bytes:
    """Give the chunk that ends a choice: the usage is in it."""
    choice = {"index": 0, "finish_reason": finish_reason, "delta": {"role": "assistant", "content": ""}}
    return event({**SIGNED_BODY, "choices": [choice], "usage": USAGE})


def event(payload: Any) -> bytes:
    return b"data: " + json.dumps(payload, ensure_ascii=False).encode() + b"\n\n"


def error_body(code: str, message: str = "…") -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


DONE = b"data: [DONE]\n\n"


class Call:
    """One request that has reached Zhipu, to be answered by the test. ``gone`` is set when its sender hangs up."""

    def __init__(
        self, transport: asyncio.Transport, *, path: str, headers: Mapping[str, str], body: bytes
    ) -> None:
        self.path = path
        self.headers = headers
        self.raw = body
        self.gone = asyncio.Event()
        self.ended = False
        self._transport = transport

    @property
    def body(self) -> dict[str, Any]:
        fields: dict[str, Any] = json.loads(self.raw)
        return fields

    def answer(
        self, body: Any, *, status: int = 200, content_type: str = "application/json; charset=UTF-8"
    ) -> None:
        """Send a whole answer; anything but bytes becomes JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        self._write(self._head(status, content_type, f"content-length: {len(data)}") + data)
        self.ended = True

    def refuse(self, code: str, *, status: int) -> None:
        """Send one of Zhipu's error bodies."""
        self.answer(error_body(code), status=status)

    def begin(self, *pieces: bytes) -> None:
        """Send the head of a stream, and what comes at once."""
        self._write(self._head(200, "text/event-stream;charset=UTF-8", "transfer-encoding: chunked"))
        self.send(*pieces)

    def send(self, *pieces: bytes) -> None:
        """Send pieces of a stream."""
        for piece in pieces:
            self._write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def end(self, *pieces: bytes) -> None:
        """Send the last pieces of a stream, and end it."""
        self.send(*pieces)
        self._write(b"0\r\n\r\n")
        self.ended = True

    def stream(self, *pieces: bytes) -> None:
        """Send a whole stream."""
        self.begin()
        self.end(*pieces)

    def cut(self) -> None:
        """Drop the connection."""
        self._transport.abort()

    @property
    def backlog_bytes(self) -> int:
        """How much was sent that the network does not take yet."""
        return self._transport.get_write_buffer_size()

    def _write(self, data: bytes) -> None:
        self._transport.write(data)

    def _head(self, status: int, content_type: str, length: str) -> bytes:
        return (
            f"HTTP/1.1 {status} X\r\nserver: nginx\r\ncontent-type: {content_type}\r\n"
            f"set-cookie: acw_tc=1;path=/;HttpOnly;Max-Age=1800\r\nvary: Origin\r\n{length}\r\n\r\n"
        ).encode()


Reply = Callable[[Call], None]


class Zhipu:
    """
    Zhipu's API, played by a test.

    ``script`` replies to calls in their order. Those it does not reach wait for the test to take them with
    ``call``. ``calls`` has them all. ``connections`` are those that are open, ``accepted`` is how many there were.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.script: list[Reply] = []
        self.url = ""
        self.connections: set[asyncio.Transport] = set()
        self.accepted = 0
        self._unanswered: asyncio.Queue[Call] = asyncio.Queue()

    async def call(self) -> Call:
        """Wait for the next call that no reply is scripted for."""
        return await self._unanswered.get()

    def take(self, call: Call) -> None:
        self.calls.append(call)
        if self.script:
            self.script.pop(0)(call)
        else:
            self._unanswered.put_nowait(call)


class Connection(asyncio.Protocol):
    """One connection to Zhipu; HTTP/1.1 with lengths, one request after the other."""

    def __init__(self, zhipu: Zhipu) -> None:
        self._zhipu = zhipu
        self._received = b""
        self._calls: list[Call] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._zhipu.connections.add(transport)
        self._zhipu.accepted += 1

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, rest = self._received.partition(b"\r\n\r\n")
        if not blank:
            return
        request_line, *rest_of_head = head.decode("latin-1").split("\r\n")
        lines = [line.partition(": ") for line in rest_of_head]
        headers = {name.lower(): value for name, _, value in lines}
        length = int(headers["content-length"])
        if len(rest) < length:
            return
        self._received = rest[length:]
        self._calls.append(
            Call(self._transport, path=request_line.split()[1], headers=headers, body=rest[:length])
        )
        self._zhipu.take(self._calls[-1])

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._zhipu.connections.discard(self._transport)
        for call in self._calls:
            if not call.ended:
                call.gone.set()


@asynccontextmanager
async def playing_zhipu() -> AsyncIterator[Zhipu]:
    """Listen as Zhipu on a free port."""
    zhipu = Zhipu()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(zhipu), "127.0.0.1", 0)
    zhipu.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/paas/v4"
    try:
        yield zhipu
    finally:
        server.close()
        for connection in zhipu.connections:
            connection.abort()
        await server.wait_closed()
        await asyncio.sleep(0)


class Caller:
    """
    A caller as an ASGI application sees it.

    While ``reads`` is clear, ``send`` blocks as for a client that reads nothing. ``breaks_after`` is how many
    messages it takes before ``send`` raises as for a broken connection, None for never. ``missed`` is set once the
    application was told that it left. ``writes_at_once`` says whether parts of a stream may be written at once.
    """

    writes_at_once = True

    def __init__(self, body: bytes, *, breaks_after: int | None = None) -> None:
        self.messages: list[dict[str, Any]] = []
        self._sent = asyncio.Event()
        self.reads = asyncio.Event()
        self.reads.set()
        self.blocked = asyncio.Event()
        self.missed = asyncio.Event()
        self._left = asyncio.Event()
        self._incoming = [{"type": "http.request", "body": body, "more_body": False}]
        self._breaks_after = breaks_after

    def leave(self) -> None:
        """Hang up; what waits to be read is dropped."""
        self._left.set()
        self.reads.set()

    async def receive(self) -> dict[str, Any]:
        if self._incoming:
            return self._incoming.pop(0)
        await self._left.wait()
        self.missed.set()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if self._breaks_after is not None and len(self.messages) >= self._breaks_after:
            raise OSError("the connection is broken")
        if not self.reads.is_set():
            self.blocked.set()
            await self.reads.wait()
        self._take(message)

    def write(self, part: bytes) -> bool:
        """Take a part of a body, unless that has to wait or cannot be."""
        is_broken = self._breaks_after is not None and len(self.messages) >= self._breaks_after
        if is_broken or not self.reads.is_set():
            return False
        self._take({"type": "http.response.body", "body": part, "more_body": True})
        return True

    def _take(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        self._sent.set()

    async def got(self, count: int) -> None:
        """Wait until that many messages have been sent."""
        while len(self.messages) < count:
            self._sent.clear()
            await self._sent.wait()

    @property
    def status(self) -> int | None:
        """The status of the answer, None while there is none."""
        starts = [message["status"] for message in self.messages if message["type"] == "http.response.start"]
        return starts[0] if starts else None

    @property
    def body(self) -> bytes:
        """What has been answered so far."""
        return b"".join(message.get("body", b"") for message in self.messages)


App = Callable[[Any, Any, Any], Awaitable[None]]


async def call_app(app: App, caller: Caller, path: str = "/v1/chat/completions", **headers: str) -> None:
    """Send a caller's request through an ASGI application, with a key."""
    given = {"authorization": f"Bearer {KEY}", "content-type": "application/json"} | headers
    await app(
        {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8080),
            "extensions": {"http.response.at_once": {"write": caller.write}} if caller.writes_at_once else {},
        },
        caller.receive,
        caller.send,
    )


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still until it is told otherwise."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def run_on(self) -> None:
        """Run until nothing is left to do at this time."""
        for _ in range(8):
            self.call_soon(self.stop)
            self.run_forever()


class Clock:
    """Tells the time that a test sets, in seconds."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
