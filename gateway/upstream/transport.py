"""The network under httpx: aiohttp's connections behind httpx's transport interface."""

from collections.abc import AsyncIterator

import aiohttp
import httpx

CONNECTIONS_UNLIMITED = 0
KEEPALIVE_SECONDS = 15.0
READ_BUFFER_BYTES = 256 * 1024

ERRORS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ServerTimeoutError, httpx.ReadTimeout),
    (TimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ServerDisconnectedError, httpx.RemoteProtocolError),
    (aiohttp.ClientPayloadError, httpx.RemoteProtocolError),
    (aiohttp.ClientResponseError, httpx.RemoteProtocolError),
    (aiohttp.ClientError, httpx.ReadError),
)
"""aiohttp's exceptions and httpx's, the most specific first."""


def mapped(error: Exception) -> httpx.TransportError:
    kind = next((theirs for ours, theirs in ERRORS if isinstance(error, ours)), httpx.ReadError)
    return kind(type(error).__name__)


class AiohttpTransport(httpx.AsyncBaseTransport):
    """
    Sends httpx's requests over aiohttp's connection pool, which costs a fraction of httpx's own.

    Connections are not counted: the slots of the limiter bound them. No redirects, cookies, proxies or decompression.
    """

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; return its answer once the head is there, the body unread."""
        timeout = request.extensions.get("timeout", {})
        try:
            response = await self._open().request(
                request.method,
                str(request.url),
                headers=[(name.decode(), value.decode()) for name, value in request.headers.raw],
                data=request.content or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=timeout.get("connect"), sock_read=timeout.get("read")
                ),
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise mapped(error) from error
        return httpx.Response(response.status, headers=response.raw_headers, stream=Body(response))

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        # Made at the first request, since a session belongs to the running loop.
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS_UNLIMITED, keepalive_timeout=KEEPALIVE_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                read_bufsize=READ_BUFFER_BYTES,
                skip_auto_headers=("accept", "accept-encoding", "user-agent", "content-type"),
            )
        return self._session


class Body(httpx.AsyncByteStream):
    """The body of an answer, in the pieces in which it arrives; closed early, its connection is cut."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield whatever has arrived."""
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise mapped(error) from error

    async def aclose(self) -> None:
        """Give the connection back if the body is read, cut it if not."""
        self._response.close()
