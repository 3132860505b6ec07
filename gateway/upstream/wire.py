"""What a transport is asked and answers: a target that is serialised once, and an answer not read yet."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol

import httpx

Headers = list[tuple[bytes, bytes]]
Origin = tuple[str, str, int]
Piece = tuple[bytes, bool]
"""A part of a body, and whether there may be more."""

Sink = Callable[[bytes], bool]
"""Takes a part of a body on the spot; tells whether it will take the next as well, or somebody has to look."""

PORTS = {"http": 80, "https": 443}


class Timeouts(NamedTuple):
    """How long to wait for GLM, in seconds: to connect, and for anything to arrive at all; None is for ever."""

    connect_seconds: float | None
    read_seconds: float | None


class Target:
    """
    Where calls go: an address, and headers without the length of a body.

    Raises LocalProtocolError when a header would smuggle in another.
    """

    __slots__ = ("head", "headers", "method", "origin", "url")

    def __init__(self, url: httpx.URL, headers: Sequence[tuple[bytes, bytes]], *, method: str = "POST") -> None:
        self.url = url
        self.method = method
        self.headers = [header for header in headers if header[0].lower() != b"content-length"]
        self.origin: Origin = (url.scheme, url.host, url.port or PORTS[url.scheme])
        lines = [b"%b %b HTTP/1.1" % (method.encode("ascii"), url.raw_path)]
        lines += [b"%b: %b" % header for header in self.headers]
        self.head = b"\r\n".join(lines)
        if self.head.count(b"\n") != len(lines) - 1:
            raise httpx.LocalProtocolError("A header holds a line break.")

    def message(self, body: bytes) -> bytes:
        """Return a whole request."""
        return b"%b\r\ncontent-length: %d\r\n\r\n%b" % (self.head, len(body), body)


class Body(Protocol):
    """The body of an answer. Whoever holds it closes it; closed before its end, the connection is cut."""

    def read(self) -> Awaitable[Piece]:
        """
        Return what has arrived, waiting for something, and whether there may be more.

        That something may be no bytes at all, and not the end either. Raises httpx's errors.
        """

    def pour_into(self, sink: Sink) -> None:
        """Give ``sink`` what arrives while ``read`` waits, until it wants ``read`` to return; a body need not."""

    async def aclose(self) -> None:
        """Let go of the connection."""


class Answered(NamedTuple):
    """The head of an answer, and its body."""

    status: int
    headers: Headers
    body: Body


class Transport(Protocol):
    """The network under a call. Raises httpx's errors."""

    async def send(self, target: Target, body: bytes, timeouts: Timeouts) -> Answered:
        """Send a request; return its answer as soon as the head is there, the body unread."""

    async def aclose(self) -> None:
        """Close every connection."""


class OverHttpx:
    """Any transport of httpx, such as its mock, as one of ours."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def send(self, target: Target, body: bytes, timeouts: Timeouts) -> Answered:
        """Send a request; see the port."""
        timeout = httpx.Timeout(
            timeouts.read_seconds, connect=timeouts.connect_seconds, pool=timeouts.connect_seconds
        )
        request = httpx.Request(
            target.method,
            target.url,
            headers=target.headers,
            content=body,
            extensions={"timeout": timeout.as_dict()},
        )
        response = await self._transport.handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - the transport is an async one
        return Answered(response.status_code, response.headers.raw, HttpxBody(response.stream))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()


class HttpxBody:
    """The body of one of httpx's answers."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream
        self._pieces = aiter(stream)

    def pour_into(self, sink: Sink) -> None:
        """Leave everything to ``read``."""

    async def read(self) -> Piece:
        """Return the next piece; see the port."""
        async for piece in self._pieces:
            if piece:
                return piece, True
        return b"", False

    async def aclose(self) -> None:
        """Let go of it."""
        await self._stream.aclose()
