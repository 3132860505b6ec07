"""The transport against a server whose every byte is scripted."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import httpx
import pytest

from gateway.upstream.connection import HIGH_WATER_BYTES, MAX_HEAD_BYTES
from gateway.upstream.transport import KeptConnections
from gateway.upstream.wire import Answered, Target, Timeouts

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """A server that plays one script for each connection, and remembers what became of them."""

    def __init__(self, script: Script) -> None:
        self.connections = 0
        self.hung_up = asyncio.Event()
        self._script = script

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.hung_up.set()
        finally:
            writer.close()


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[tuple[Server, str]]:
    server = Server(script)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    try:
        port = listener.sockets[0].getsockname()[1]
        yield server, f"http://127.0.0.1:{port}/v4/chat"
    finally:
        listener.close()  # and no more: since Python 3.12 one would wait for connections that the transport keeps


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readexactly(2)


async def ask(
    transport: KeptConnections, url: str, *, read_seconds: float | None = 5, connect_seconds: float | None = 5
) -> Answered:
    target = Target(httpx.URL(url), [(b"host", b"x"), (b"content-length", b"9")])
    return await transport.send(target, b"{}", Timeouts(connect_seconds, read_seconds))


async def body_of(answered: Answered) -> bytes:
    body, more = b"", True
    while more:
        data, more = await answered.body.read()
        body += data
    await answered.body.aclose()
    return body


@pytest.fixture
async def transport() -> AsyncIterator[KeptConnections]:
    transport = KeptConnections()
    yield transport
    await transport.aclose()


async def answer_for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        await read_request(reader)
        writer.write(OK)


async def test_reuses_a_connection_when_the_answer_was_read_to_its_end(transport: KeptConnections) -> None:
    """Requests one after the other share a connection."""
    async with serving(answer_for_ever) as (server, url):
        bodies = [await body_of(await ask(transport, url)) for _ in range(3)]

    assert bodies == [b"ok"] * 3
    assert server.connections == 1


async def test_sends_the_request_as_it_was_given(transport: KeptConnections) -> None:
    """Method, target, headers and body reach the server byte by byte."""
    received = asyncio.get_running_loop().create_future()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.set_result(await read_request(reader))
        writer.write(OK)

    async with serving(script) as (_, url):
        await body_of(await ask(transport, url))

    assert await received == b"POST /v4/chat HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"


async def test_cuts_the_connection_when_an_answer_is_closed_half_read(transport: KeptConnections) -> None:
    """GLM stops working for nobody."""
    gone = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(CHUNKED + b"3\r\nabc\r\n")
        await reader.read()
        gone.set()

    async with serving(script) as (_, url):
        stream = (await ask(transport, url)).body
        first, _ = await stream.read()
        await stream.aclose()
        await asyncio.wait_for(gone.wait(), 5)

    assert first == b"abc"


@pytest.mark.parametrize("sent", [b"", CHUNKED + b"3\r\nabc\r\n"], ids=["before the head", "inside the body"])
async def test_cuts_the_connection_when_it_is_cancelled(transport: KeptConnections, sent: bytes) -> None:
    """Cancelling whoever waits is enough, wherever it waits."""
    waiting, gone = asyncio.Event(), asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(sent)
        waiting.set()
        await reader.read()
        gone.set()

    async def read() -> None:
        await body_of(await ask(transport, url))

    async with serving(script) as (_, url):
        asking = asyncio.ensure_future(read())
        await waiting.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await asyncio.wait_for(gone.wait(), 5)

    assert asking.cancelled()


async def test_asks_again_when_a_kept_connection_turns_out_closed(transport: KeptConnections) -> None:
    """A server may close an idle connection at the very moment in which it is taken."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)
        await read_request(reader)

    async with serving(script) as (server, url):
        bodies = [await body_of(await ask(transport, url)) for _ in range(2)]

    assert bodies == [b"ok", b"ok"]
    assert server.connections == 2


async def test_does_not_ask_again_when_the_server_may_have_worked() -> None:
    """A kept connection that closes late was not stale: asking again might be charged twice."""
    transport = KeptConnections(stale_seconds=0)

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)
        await read_request(reader)

    async with serving(script) as (server, url):
        await body_of(await ask(transport, url))
        with pytest.raises(httpx.RemoteProtocolError):
            await ask(transport, url)

    assert server.connections == 1


async def close_at_once(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await read_request(reader)


async def never_answer(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def answer_half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(CHUNKED + b"3\r\nabc\r\n")


async def answer_half_and_stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await answer_half(reader, writer)
    await reader.read()


async def answer_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"220 smtp.example.com ESMTP\r\n")
    await reader.read()


async def answer_endless_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nx: " + b"x" * (MAX_HEAD_BYTES + 1))
    await reader.read()


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (close_at_once, httpx.RemoteProtocolError),
        (never_answer, httpx.ReadTimeout),
        (answer_half, httpx.ReadError),
        (answer_half_and_stall, httpx.ReadTimeout),
        (answer_nonsense, httpx.RemoteProtocolError),
        (answer_endless_head, httpx.RemoteProtocolError),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_raises_httpx_errors_when_the_server_misbehaves(
    transport: KeptConnections, script: Script, error: type[Exception]
) -> None:
    """Every way in which an answer can fail has its class."""
    async with serving(script) as (_, url):
        with pytest.raises(error):
            await body_of(await ask(transport, url, read_seconds=0.05))


async def test_raises_a_connect_error_when_nobody_listens(transport: KeptConnections) -> None:
    """A refused connection is told apart from a broken one: nothing was sent."""
    async with serving(never_answer) as (_, url):
        pass

    with pytest.raises(httpx.ConnectError):
        await ask(transport, url)


async def test_ends_a_body_without_length_when_the_connection_ends(transport: KeptConnections) -> None:
    """An answer with neither length nor chunks is whole at the end of its connection."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nall of it")

    async with serving(script) as (_, url):
        body = await body_of(await ask(transport, url))

    assert body == b"all of it"


async def test_skips_interim_answers(transport: KeptConnections) -> None:
    """A 100 or 103 before the answer is not the answer, nor are its headers."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK)
        await reader.read()

    async with serving(script) as (_, url):
        response = await ask(transport, url)
        body = await body_of(response)

    assert (response.status, body) == (200, b"ok")
    assert b"link" not in dict(response.headers)


@pytest.mark.parametrize("together", [True, False], ids=["with the answer", "after the answer"])
async def test_does_not_reuse_a_connection_when_bytes_came_unasked(
    transport: KeptConnections, *, together: bool
) -> None:
    """An answer to a question that was not asked must not become the answer to the next one."""
    evil = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"
    answered, cut = asyncio.Event(), asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK + evil if together else OK)
        if not together:
            await answered.wait()
            writer.write(evil)
        with suppress(ConnectionError):
            await reader.read()
        cut.set()

    async with serving(script) as (server, url):
        bodies = [await body_of(await ask(transport, url))]
        answered.set()
        await asyncio.wait_for(cut.wait(), 5)
        bodies.append(await body_of(await ask(transport, url)))

    assert bodies == [b"ok", b"ok"]
    assert server.connections == 2


async def test_holds_the_server_back_when_nobody_reads(transport: KeptConnections) -> None:
    """A slow reader does not make the whole answer pile up in memory."""
    total_bytes = (
        HIGH_WATER_BYTES * 96
    )  # far more than the sockets hold: the buffer of a paused reader does not grow
    piece = b"x" * 65536
    written = 0
    stuck = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % total_bytes)
        while written < total_bytes:
            writer.write(piece)
            try:
                await asyncio.wait_for(asyncio.shield(drain := asyncio.ensure_future(writer.drain())), 0.3)
            except TimeoutError:
                stuck.set()
                await drain
            written += len(piece)

    async with serving(script) as (_, url):
        response = await ask(transport, url)
        await asyncio.wait_for(stuck.wait(), 20)
        held_back_at = written
        size = len(await body_of(response))

    assert held_back_at < total_bytes
    assert size == total_bytes


def test_refuses_a_header_that_holds_a_line_break() -> None:
    """A key with a line break in it cannot smuggle in a header."""
    with pytest.raises(httpx.LocalProtocolError):
        Target(httpx.URL("http://x/"), [(b"authorization", b"a\r\nx-evil: 1")])
