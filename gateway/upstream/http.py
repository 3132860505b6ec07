"""
Zhipu's HTTP API: one call, its answer as it comes in, and every failure as one of ours.

Speaks to an httpx transport directly: ``httpx.AsyncClient`` adds cookies, redirects and proxies that a call to one
known address does not need, and costs more than the rest of the gateway.
"""

from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any

import httpx
from msgspec import Struct

from gateway.errors import (
    GatewayError,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamUnavailable,
    UpstreamUnreachable,
)

JSON = b"application/json"

GONE = "The connection to GLM failed before its answer was whole. Ask again."

ERRORS: tuple[tuple[type[Exception], type[GatewayError], str], ...] = (
    (httpx.ConnectTimeout, UpstreamUnreachable, "GLM could not be reached in time. Ask again."),
    (httpx.PoolTimeout, UpstreamUnreachable, "No connection to GLM was free in time. Ask again."),
    (httpx.TimeoutException, UpstreamTimeout, "GLM fell silent for too long. Ask again."),
    (httpx.ConnectError, UpstreamUnreachable, "GLM could not be reached. Ask again."),
    (httpx.RemoteProtocolError, UpstreamUnavailable, GONE),
    (httpx.DecodingError, UpstreamProtocolError, "GLM's answer could not be decoded."),
    (httpx.TransportError, UpstreamUnavailable, GONE),
    (httpx.StreamError, UpstreamUnavailable, GONE),
    (OSError, UpstreamUnavailable, GONE),
)
"""httpx's exceptions and ours, the most specific first."""


class MappedErrors:
    """Raises the network's failures as UpstreamErrors, as a context manager that can be shared."""

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raise our error for one of httpx's or of the system's; leave every other as it is."""
        if error is None:
            return
        for theirs, ours, message in ERRORS:
            if isinstance(error, theirs):
                raise ours(message) from error


MAPPED_ERRORS = MappedErrors()


class Timeouts(Struct, frozen=True, kw_only=True):
    """How long to wait for GLM, in seconds: to connect, and for anything to arrive at all."""

    connect_seconds: float
    read_seconds: float

    def as_extension(self) -> dict[str, Any]:
        """Return httpx's own form."""
        timeout = httpx.Timeout(self.read_seconds, connect=self.connect_seconds, pool=self.connect_seconds)
        return {"timeout": timeout.as_dict()}


class Reply:
    """One answer of GLM's, not read yet. Whoever holds it closes it."""

    def __init__(self, response: httpx.Response, *, max_bytes: int) -> None:
        self.status = response.status_code
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - the transport is an async one
        self._stream = response.stream
        self._headers = response.headers
        self._max_bytes = max_bytes

    @property
    def is_json(self) -> bool:
        """Whether this is a body, not a stream."""
        kind: str = self._headers.get("content-type", "")
        return kind.startswith("application/json")

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body in the pieces in which it arrives."""
        with MAPPED_ERRORS:
            async for chunk in self._stream:
                yield chunk

    async def read(self) -> bytes:
        """Return the whole body; raise UpstreamProtocolError when it is larger than is ever reasonable."""
        pieces, size = [], 0
        async for chunk in self.chunks():
            size += len(chunk)
            if size > self._max_bytes:
                raise UpstreamProtocolError(f"GLM's answer has more than {self._max_bytes} bytes.")
            pieces.append(chunk)
        return b"".join(pieces)

    async def aclose(self) -> None:
        """Let go of the connection; one that is not read to its end is cut, so that GLM stops working."""
        await self._stream.aclose()


class Upstream:
    """
    Zhipu's HTTP API at ``base_url``, for several accounts.

    ``api_keys`` by account name. ``max_answer_bytes`` bounds an answer that is read whole.
    """

    def __init__(
        self,
        *,
        transport: httpx.AsyncBaseTransport,
        base_url: str,
        api_keys: Mapping[str, str],
        timeouts: Timeouts,
        max_answer_bytes: int,
    ) -> None:
        self._transport = transport
        self._base_url = base_url.rstrip("/")
        self._extensions = timeouts.as_extension()
        self._max_answer_bytes = max_answer_bytes
        self._urls: dict[str, httpx.URL] = {}
        self._headers: dict[str, httpx.Headers] = {}
        self.use_keys(api_keys)

    def use_keys(self, api_keys: Mapping[str, str]) -> None:
        """Use these keys from now on; accounts that are not among them keep theirs, for what is under way."""
        self._headers |= {name: headers_of(key, base_url=self._base_url) for name, key in api_keys.items()}

    async def post(self, path: str, *, account: str, body: bytes, content_type: bytes = JSON) -> Reply:
        """
        Send ``body`` to ``path`` and return the answer as soon as its head is there.

        Raises UpstreamUnavailable or UpstreamTimeout, GLM's fault or the network's.
        """
        # Given as a stream, a body is not looked through for its length and type; the transport adds the length.
        request = httpx.Request(
            "POST",
            self._url(path),
            headers=self._headers_for(account, content_type=content_type),
            stream=httpx.ByteStream(body),
            extensions=self._extensions,
        )
        with MAPPED_ERRORS:
            response = await self._transport.handle_async_request(request)
        return Reply(response, max_bytes=self._max_answer_bytes)

    def _headers_for(self, account: str, *, content_type: bytes) -> httpx.Headers:
        headers = self._headers[account]
        if content_type != JSON:
            headers = headers.copy()
            headers["content-type"] = content_type.decode("ascii")
        return headers

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    def _url(self, path: str) -> httpx.URL:
        url = self._urls.get(path)
        if url is None:
            url = self._urls[path] = httpx.URL(self._base_url + path)
        return url


def headers_of(api_key: str, *, base_url: str) -> httpx.Headers:
    """Return the headers of every call of one account; English makes Zhipu's messages readable to most callers."""
    return httpx.Headers(
        [
            (b"host", httpx.URL(base_url).netloc),
            (b"authorization", b"Bearer " + api_key.encode()),
            (b"content-type", JSON),
            (b"accept", b"application/json, text/event-stream"),
            (b"accept-encoding", b"identity"),
            (b"accept-language", b"en-US,en"),
            (b"user-agent", b"glm-gateway"),
        ]
    )
