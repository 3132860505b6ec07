"""Zhipu's HTTP API as the exchange sees it: what is sent, and what failures become."""

import gzip
import zlib
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from gateway.errors import (
    GatewayError,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamUnavailable,
    UpstreamUnreachable,
)
from gateway.upstream.http import Upstream
from gateway.upstream.wire import OverHttpx, Timeouts

Answer = Callable[[httpx.Request], httpx.Response]


def upstream(answer: Answer, *, max_answer_bytes: int = 1000) -> Upstream:
    return Upstream(
        transport=OverHttpx(httpx.MockTransport(answer)),
        base_url="https://glm.test/api/paas/v4/",
        api_keys={"main": "id.secret"},
        timeouts=Timeouts(connect_seconds=5, read_seconds=60),
        max_answer_bytes=max_answer_bytes,
    )


async def test_sends_the_body_with_the_key_of_the_account() -> None:
    """The key goes as a bearer token, to the configured address and nowhere else."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, stream=Pieces([b"{}"]))

    await upstream(answer).post("/chat/completions", account="main", body=b'{"a":1}')

    request = sent[0]
    assert str(request.url) == "https://glm.test/api/paas/v4/chat/completions"
    assert request.headers["authorization"] == "Bearer id.secret"
    assert request.headers["host"] == "glm.test"
    assert request.read() == b'{"a":1}'


class Pieces(httpx.AsyncByteStream):
    """A body in pieces, which may end in an error."""

    def __init__(self, pieces: list[bytes], error: Exception | None = None) -> None:
        self._pieces = pieces
        self._error = error
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
        if self._error is not None:
            raise self._error

    async def aclose(self) -> None:
        self.closed = True


FAILURES = [
    (httpx.ConnectTimeout("x"), UpstreamUnreachable),
    (httpx.ConnectError("x"), UpstreamUnreachable),
    (httpx.PoolTimeout("x"), UpstreamUnreachable),
    (httpx.ReadTimeout("x"), UpstreamTimeout),
    (httpx.ReadError("x"), UpstreamUnavailable),
    (httpx.RemoteProtocolError("x"), UpstreamUnavailable),
    (ConnectionResetError("x"), UpstreamUnavailable),
]


@pytest.mark.parametrize(("error", "expected"), FAILURES, ids=lambda value: type(value).__name__)
async def test_raises_our_errors_when_a_call_fails(error: Exception, expected: type[GatewayError]) -> None:
    """The network's failures have our names, the most specific first."""

    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(GatewayError) as raised:
        await upstream(answer).post("/x", account="main", body=b"")

    assert type(raised.value) is expected


@pytest.mark.parametrize(("error", "expected"), FAILURES[3:], ids=lambda value: type(value).__name__)
async def test_raises_our_errors_when_a_body_fails(error: Exception, expected: type[GatewayError]) -> None:
    """What came before the failure is still told."""
    glm = upstream(lambda _: httpx.Response(200, stream=Pieces([b"a"], error)))
    reply = await glm.post("/x", account="main", body=b"")

    received = []

    async def receive() -> None:
        while data := await reply.receive():
            received.append(data)

    with pytest.raises(GatewayError) as raised:
        await receive()

    assert received == [b"a"]
    assert type(raised.value) is expected


async def test_refuses_an_answer_that_is_larger_than_is_reasonable() -> None:
    """A runaway answer does not fill the memory."""
    glm = upstream(lambda _: httpx.Response(200, stream=Pieces([b"x" * 600] * 2)))
    reply = await glm.post("/x", account="main", body=b"")

    with pytest.raises(UpstreamProtocolError):
        await reply.read()


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json; charset=utf-8", False),
        ("audio/wav", True),
        ("Audio/WAV", True),
        ("application/octet-stream", True),
        ("text/event-stream;charset=UTF-8", False),
        ("", True),
    ],
)
async def test_tells_what_may_be_sound_from_text(content_type: str, *, expected: bool) -> None:
    """A streaming call may be answered with a whole file."""
    headers = {"content-type": content_type} if content_type else {}
    glm = upstream(lambda _: httpx.Response(200, headers=headers, stream=Pieces([])))

    reply = await glm.post("/x", account="main", body=b"")

    assert reply.may_be_sound is expected


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "deflate"])
async def test_unpacks_an_answer_that_nobody_asked_to_pack(encoding: str) -> None:
    """A proxy in between may pack whatever it passes on."""
    packed = (zlib if encoding == "deflate" else gzip).compress(b"{}")
    answer = httpx.Response(200, headers={"content-encoding": encoding}, stream=Pieces([packed]))

    reply = await upstream(lambda _: answer).post("/x", account="main", body=b"")

    assert await reply.read() == b"{}"


async def test_closes_the_body_when_the_reply_is_closed() -> None:
    """Whoever holds a reply can let go of it."""
    body = Pieces([])
    reply = await upstream(lambda _: httpx.Response(200, stream=body)).post("/x", account="main", body=b"")

    await reply.aclose()

    assert body.closed
