"""What running promises: a drain that cuts nothing, bounds on what is read, metrics on a port of their own."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, closing, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from uvicorn.config import Config

from gateway.errors import GatewayError
from gateway.server import Lifecycle, bind, reloading
from gateway.server.http import BoundedHttp
from gateway.server.lifecycle import Receive, Scope, Send
from gateway.server.run import preferred
from tests.protocols import connected

PROGRAM = """
import asyncio, gc, sys
from collections.abc import AsyncIterator
from litestar import Litestar, get
from litestar.response import Stream
from prometheus_client import CollectorRegistry, Gauge, Histogram
from gateway.server import Lifecycle, bind, exposition, run, serve

lifecycle, released = Lifecycle(), asyncio.Event()
registry = CollectorRegistry()
lag = Histogram("lag_seconds", "Lag.", registry=registry)
scrapes = Gauge("scrapes", "Scrapes.", registry=registry)

@get("/stream")
async def stream() -> Stream:
    async def events() -> AsyncIterator[bytes]:
        yield b"data: first\\n\\n"
        await released.wait()
        yield b"data: last\\n\\n"
    return Stream(events(), media_type="text/event-stream")

@get("/release")
async def release() -> None:
    released.set()

@get("/readyz")
async def readyz() -> dict[str, bool]:
    return {"draining": lifecycle.draining}

@get("/collections")
async def collections() -> int:
    return sum(generation["collections"] for generation in gc.get_stats())

async def say_goodbye() -> None:
    print("goodbye", flush=True)

app = Litestar([stream, release, readyz, collections], on_shutdown=[say_goodbye], logging_config=None)
public, metrics = bind("127.0.0.1", 0), bind("127.0.0.1", 0)
print(public.getsockname()[1], metrics.getsockname()[1], flush=True)
run(serve(app, listener=public, lifecycle=lifecycle, drain_seconds=float(sys.argv[1]), max_header_bytes=4096,
          beside=[(exposition(registry, prepare=scrapes.inc, documents={"/slots": lambda: b"{}"}), metrics)],
          observe_lag=lag.observe))
"""


STREAMS = 50
"""So many bring some thousands of objects along."""


class Process:
    """The program under test, its two addresses, and a client for it."""

    def __init__(self, process: subprocess.Popen[str], client: httpx.Client) -> None:
        self._process = process
        self.client = client
        assert process.stdout is not None
        self.output = process.stdout
        self.port, self.metrics_port = map(int, self.output.readline().split())
        self.url = f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> httpx.Response:
        return self.client.get(self.url + path)

    def signal(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def is_draining(self) -> bool:
        return bool(self.get("/readyz").json()["draining"])

    def metrics(self) -> str:
        return self.client.get(f"http://127.0.0.1:{self.metrics_port}/metrics").text

    def await_ticks(self) -> None:
        """Wait until the loop was watched once more; in that time uvicorn looks twice whether to stop."""
        before = self.lag_observations()
        until(lambda: self.lag_observations() > before)

    def lag_observations(self) -> float:
        return float(self.metrics().partition("lag_seconds_count ")[2].split()[0])

    def end(self) -> tuple[int, str]:
        """Wait for the end; gives the exit code and what was printed since the start."""
        return self._process.wait(timeout=20), self.output.read()


@contextmanager
def running(*, drain_seconds: float = 30) -> Iterator[Process]:
    command = [sys.executable, "-c", PROGRAM, str(drain_seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, httpx.Client() as client:
        try:
            server = Process(process, client)
            until(lambda: is_open(server.port))
            yield server
        finally:
            process.kill()


def is_open(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def until(condition: Callable[[], bool]) -> None:
    """Ask again and again; the test's own time limit ends what never comes true."""
    while not condition():
        time.sleep(0.005)


def test_stream_ends_whole_when_told_to_stop() -> None:
    """A stream under way at SIGTERM is finished, new requests are answered meanwhile, and the exit code is 0."""
    with running() as server, server.client.stream("GET", server.url + "/stream") as answer:
        lines = answer.iter_lines()
        first = next(lines)

        server.signal()
        until(server.is_draining)
        server.await_ticks()
        during = server.get("/release")
        rest = list(lines)

        assert [first, *rest] == ["data: first", "", "data: last", ""]
        assert (during.headers["connection"], during.status_code) == ("close", HTTPStatus.OK)
        assert server.end() == (0, "goodbye\n")


def test_process_ends_at_once_when_signalled_twice() -> None:
    """The second signal cuts what the first would have waited for."""
    with running() as server, server.client.stream("GET", server.url + "/stream") as answer:
        lines = answer.iter_lines()
        next(lines)

        server.signal()
        until(server.is_draining)
        server.signal()

        assert server.end()[0] == 0
        with pytest.raises(httpx.RemoteProtocolError):
            list(lines)


def test_process_ends_when_a_stream_outlasts_the_drain() -> None:
    """The drain has a limit; past it the stream is cut, and the application still shuts down in order."""
    with running(drain_seconds=0.2) as server, server.client.stream("GET", server.url + "/stream") as answer:
        lines = answer.iter_lines()
        next(lines)

        server.signal()

        assert server.end() == (0, "goodbye\n")
        with pytest.raises(httpx.RemoteProtocolError):
            list(lines)


def test_process_ends_when_nothing_is_under_way() -> None:
    with running() as server:
        server.signal()

        assert server.end() == (0, "goodbye\n")


@pytest.fixture(scope="module")
def server() -> Iterator[Process]:
    """Give one process for all the tests that leave it running."""
    with running() as process:
        yield process


def test_connection_stays_open_while_nobody_drains(server: Process) -> None:
    assert "connection" not in server.get("/readyz").headers


def test_metrics_are_on_a_port_of_their_own(server: Process) -> None:
    """What the gateway does is told inside, and never on the address that callers have."""
    exposed = server.client.get(f"http://127.0.0.1:{server.metrics_port}/metrics")

    assert exposed.status_code == HTTPStatus.OK
    assert exposed.headers["content-type"].startswith("text/plain")
    assert "lag_seconds_count" in exposed.text
    assert server.get("/metrics").status_code == HTTPStatus.NOT_FOUND
    assert (
        server.client.get(f"http://127.0.0.1:{server.metrics_port}/v1/models").status_code == HTTPStatus.NOT_FOUND
    )


def test_what_a_scrape_tells_is_prepared_before_it(server: Process) -> None:
    first, second = (float(server.metrics().rpartition("scrapes ")[2]) for _ in range(2))

    assert second == first + 1


def test_documents_are_beside_the_metrics_and_nowhere_else(server: Process) -> None:
    told = server.client.get(f"http://127.0.0.1:{server.metrics_port}/slots")

    assert (told.text, told.headers["content-type"]) == ("{}", "application/json")
    assert server.get("/slots").status_code == HTTPStatus.NOT_FOUND


def test_metrics_are_openmetrics_for_who_prefers_it(server: Process) -> None:
    exposed = server.client.get(
        f"http://127.0.0.1:{server.metrics_port}/metrics",
        headers={"accept": "application/openmetrics-text; version=1.0.0"},
    )

    assert exposed.headers["content-type"].startswith("application/openmetrics-text")
    families = text_string_to_metric_families(exposed.text)  # type: ignore[no-untyped-call]
    assert [family.name for family in families] == ["lag_seconds", "scrapes"]


def test_nothing_is_looked_through_for_garbage_while_streams_open(server: Process) -> None:
    before = server.get("/collections").json()
    with ExitStack() as open_streams:
        for _ in range(STREAMS):
            open_streams.enter_context(server.client.stream("GET", server.url + "/stream"))
        assert server.get("/collections").json() == before


def test_lag_of_the_event_loop_is_watched(server: Process) -> None:
    until(lambda: server.lag_observations() > 0)


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/wait":
        while (message := await receive())["type"] == "http.request" and message["more_body"]:
            pass
        return
    body = scope["path"].encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


class Wire:
    """A connection to an application behind the protocol under test."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.write = writer.write
        self._reader = reader

    async def answer(self) -> tuple[int, bytes]:
        """Read one answer: its status and its body."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        return int(head.split()[1]), await self._reader.readexactly(length)

    async def error(self) -> tuple[int, Any]:
        """Read an answer after which the connection is closed; its status, and the error in its body."""
        status, body = await self.answer()
        assert await self._reader.read() == b""
        return status, json.loads(body)["error"]

    async def end(self) -> bytes:
        """Read what comes until the connection is closed."""
        return await self._reader.read()


@asynccontextmanager
async def wire(protocol: type[BoundedHttp]) -> AsyncIterator[Wire]:
    config = Config(hello, interface="asgi3", ws="none", log_config=None, lifespan="off")
    async with connected(protocol, config) as (reader, writer):
        yield Wire(reader, writer)


async def test_head_is_answered_when_it_is_as_large_as_allowed() -> None:
    """The limit counts the address and the headers, for each request of a connection anew."""
    head = b"GET /a HTTP/1.1\r\nx: " + b"y" * 97 + b"\r\n\r\n"

    async with wire(BoundedHttp.of(max_header_bytes=100)) as connection:
        for _ in range(3):
            connection.write(head)
            assert await connection.answer() == (200, b"/a")


async def test_body_is_no_part_of_the_head() -> None:
    async with wire(BoundedHttp.of(max_header_bytes=100)) as connection:
        connection.write(b"POST /a HTTP/1.1\r\ncontent-length: 500\r\n\r\n" + b"b" * 500)

        assert await connection.answer() == (200, b"/a")


async def test_body_is_no_part_of_the_head_that_follows_it() -> None:
    """A request that is pipelined behind a large one, and not whole yet, takes nothing from its answer."""
    async with wire(BoundedHttp.of(max_header_bytes=100)) as connection:
        connection.write(b"POST /a HTTP/1.1\r\ncontent-length: 500\r\n\r\n" + b"b" * 500 + b"GET /b HTTP/1.1\r\n")

        assert await connection.answer() == (200, b"/a")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"GET / HTTP/1.1\r\nx: " + b"y" * 99 + b"\r\n\r\n", id="one byte too large"),
        pytest.param(b"GET /" + b"a" * 200 + b" HTTP/1.1\r\n\r\n", id="long address"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 60, id="many headers, never ending"),
        pytest.param(b"GET / HTTP/1.1\r\nx: " + b"y" * 200, id="one header, never ending"),
        pytest.param(b"GET /" + b"a" * 200, id="address, never ending"),
    ],
)
async def test_head_is_refused_when_it_is(data: bytes) -> None:
    """Memory is spent on a head only up to the limit, and the answer is OpenAI's error."""
    async with wire(BoundedHttp.of(max_header_bytes=100)) as connection:
        connection.write(data)

        status, error = await connection.error()

    assert (status, error["code"]) == (431, "headers_too_large")
    assert "more than 100 bytes" in error["message"]


async def test_head_is_refused_when_the_rest_makes_it_too_large() -> None:
    """It counts as a whole, though it began behind another request and neither piece of data is as large."""
    async with wire(BoundedHttp.of(max_header_bytes=100)) as connection:
        connection.write(b"GET /a HTTP/1.1\r\n\r\n" + b"GET /b HTTP/1.1\r\nx: " + b"y" * 60)
        assert await connection.answer() == (200, b"/a")
        connection.write(b"y" * 60 + b"\r\n\r\n")

        status, error = await connection.error()

    assert (status, error["code"]) == (431, "headers_too_large")


async def test_garbage_is_answered_with_an_error_of_the_usual_form() -> None:
    async with wire(BoundedHttp) as connection:
        connection.write(b"\x16\x03\x01 a TLS hello on a plain port\r\n\r\n")

        status, error = await connection.error()

    assert (status, error["type"]) == (400, "invalid_request_error")


async def test_refusal_is_told_and_takes_headers() -> None:
    """What the application never sees is known to somebody, and its answer says who."""
    told: list[GatewayError] = []

    def refuse(error: GatewayError) -> list[tuple[bytes, bytes]]:
        told.append(error)
        return [(b"x-request-id", b"req_1")]

    async with wire(BoundedHttp.of(max_header_bytes=100, refuse=refuse)) as connection:
        connection.write(b"nonsense\r\n\r\n")
        answer = await connection.end()

    assert b"x-request-id: req_1\r\n" in answer
    assert [error.status for error in told] == [400]


async def test_garbage_is_refused_behind_the_answer_to_what_came_before_it() -> None:
    """An error never stands where the answer to another request is awaited."""
    async with wire(BoundedHttp) as connection:
        connection.write(b"GET /a HTTP/1.1\r\n\r\nnonsense\r\n\r\nmore of it")

        assert await connection.answer() == (200, b"/a")
        assert await connection.end() == b""


async def test_body_that_cannot_be_read_is_refused() -> None:
    """The length of a piece that is no number, for example."""
    async with wire(BoundedHttp) as connection:
        connection.write(b"POST /wait HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n")
        connection.write(b"zz\r\n")

        status, error = await connection.error()

    assert (status, error["type"]) == (400, "invalid_request_error")


async def test_connection_is_closed_when_it_says_nothing() -> None:
    """A caller that only holds a connection open does not hold it for ever."""

    class Impatient(BoundedHttp):
        head_seconds = 0.01

    async with wire(Impatient) as connection:
        assert await connection.end() == b""


async def test_connection_is_closed_when_its_second_head_does_not_come() -> None:
    """Nor does one that has been answered before."""

    class Impatient(BoundedHttp):
        head_seconds = 0.01

    async with wire(Impatient) as connection:
        connection.write(b"GET /a HTTP/1.1\r\n\r\n")
        assert await connection.answer() == (200, b"/a")
        connection.write(b"G")

        assert await connection.end() == b""


async def test_nothing_is_kept_of_a_connection_that_was_reset() -> None:
    """Its wait for another request would keep the last one, with all that was asked and answered."""
    lost = asyncio.get_running_loop().create_future()

    class Reset(BoundedHttp):
        def connection_lost(self, exc: Exception | None) -> None:
            del exc
            is_waiting = self.timeout_keep_alive_task is not None
            super().connection_lost(ConnectionResetError())
            lost.set_result((is_waiting, self.timeout_keep_alive_task))

    async with wire(Reset) as connection:
        connection.write(b"GET /a HTTP/1.1\r\n\r\n")
        assert await connection.answer() == (200, b"/a")

    async with asyncio.timeout(5):
        assert await lost == (True, None)


def test_taken_port_is_an_error() -> None:
    with closing(bind("127.0.0.1", 0)) as first:
        first.listen()

        with pytest.raises(OSError, match="in use"):
            bind("127.0.0.1", first.getsockname()[1])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can")
async def test_connection_is_cut_when_what_is_written_is_not_taken() -> None:
    """Nobody else looks after an answer that is written whole: it would be kept as long as its reader likes."""
    lost = asyncio.get_running_loop().create_future()

    class Writing(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.WriteTransport)
            transport.write(bytes(32 * 1024 * 1024))
            transport.close()

        def connection_lost(self, exc: Exception | None) -> None:
            lost.set_result(exc)

    listener = bind("127.0.0.1", 0, unread_seconds=0.3)
    server = await asyncio.get_running_loop().create_server(Writing, sock=listener)
    async with server, asyncio.timeout(20):
        with closing(socket.create_connection(listener.getsockname())):
            assert isinstance(await lost, TimeoutError)


def test_name_of_two_addresses_is_taken_by_its_older_one() -> None:
    """A listener on ::1 alone would refuse who was told "localhost" and tries 127.0.0.1."""
    newer, older = (socket.AF_INET6, ("::1", 80, 0, 0)), (socket.AF_INET, ("127.0.0.1", 80))

    assert preferred([newer, older]) == older
    assert preferred([newer]) == newer


async def test_exchanges_are_counted_until_they_end_however_they_end() -> None:
    lifecycle = Lifecycle()
    seen: list[int] = []

    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive, send
        seen.append(lifecycle.active)
        raise LookupError

    async def nothing(*_: Any) -> None:
        return

    app = lifecycle.counted(fails)
    for kind in ("http", "websocket", "lifespan"):
        with pytest.raises(LookupError):
            await app({"type": kind}, nothing, nothing)

    assert (seen, lifecycle.active) == ([1, 1, 0], 0)


class Configuration:
    """Files of which a test says how they look, and what became of them."""

    def __init__(self, *paths: str) -> None:
        self.looks = {Path(path): 1 for path in paths}
        self.read: asyncio.Queue[dict[Path, int]] = asyncio.Queue()

    def look(self, path: Path) -> int:
        return self.looks[path]

    async def reload(self) -> dict[Path, int]:
        self.read.put_nowait(dict(self.looks))
        return dict(self.looks)

    def watched(self) -> AbstractAsyncContextManager[None]:
        return reloading(self.reload, files=dict(self.looks), look=self.look, interval_seconds=0.001)


async def test_configuration_is_read_again_at_a_hangup() -> None:
    """Each SIGHUP counts, whether anything has changed or not."""
    files = Configuration("a")
    before = signal.getsignal(signal.SIGHUP)

    async with files.watched():
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGHUP)
            await files.read.get()

    assert before == signal.getsignal(signal.SIGHUP)


async def test_configuration_is_read_again_when_a_file_has_changed() -> None:
    """Once for each change, and never while nothing changes."""
    files = Configuration("a", "b")

    async with files.watched():
        for path in (Path("a"), Path("b"), Path("a")):
            files.looks[path] += 1
            assert files.looks == await files.read.get()

    assert files.read.empty()


async def test_configuration_is_not_read_while_a_file_is_being_written() -> None:
    """A file that looks different each time is not finished."""
    path, looks = Path("a"), iter(range(2, 6))

    def look(_: Path) -> int:
        files.looks[path] = next(looks, 5)
        return files.looks[path]

    files = Configuration("a")
    async with reloading(files.reload, files={path: 1}, look=look, interval_seconds=0.001):
        read = await files.read.get()

    assert read == {path: 5}


async def test_files_of_the_new_configuration_are_watched() -> None:
    """What a reload names is looked at from then on, as it was when it was read."""
    files = Configuration("a")

    async with files.watched():
        files.looks[Path("a")] = 2
        files.looks[Path("b")] = 1
        await files.read.get()
        files.looks[Path("b")] = 2
        read = await files.read.get()

    assert read == {Path("a"): 2, Path("b"): 2}
