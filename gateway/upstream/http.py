"""
Zhipu's HTTP API: one call, its answer as it comes in, and every failure as one of ours.

Speaks to a transport directly: ``httpx.AsyncClient`` adds cookies, redirects and proxies that a call to one known
address does not need, and costs more than the rest of the gateway.
"""

from collections.abc import Coroutine, Mapping
from typing import Any

import httpx

from gateway.errors import (
    GatewayError,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamUnavailable,
    UpstreamUnreachable,
)
from gateway.upstream.packed import PACKINGS, Unpacked
from gateway.upstream.wire import Answered, Body, Headers, Sink, Target, Timeouts, Transport

JSON = b"application/json"
SOUND = (b"audio/", b"application/octet-stream")

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


FAILURES = tuple(theirs for theirs, _, _ in ERRORS)


def ours(error: Exception) -> GatewayError:
    """Return our error for one of ``FAILURES``."""
    return next(kind(message) for theirs, kind, message in ERRORS if isinstance(error, theirs))


class Reply:
    """One answer of GLM's, not read yet; ``ended`` once it is read whole. Whoever holds it closes it."""

    def __init__(self, answered: Answered, *, max_bytes: int) -> None:
        self.status, self._headers, body = answered
        self._body: Body = Unpacked(body) if self._header(b"content-encoding") in PACKINGS else body
        self.ended = False
        self._max_bytes = max_bytes

    @property
    def may_be_sound(self) -> bool:
        """Whether this is called a file of sound, or nothing; what any other answer is, its first bytes tell."""
        content_type = self._header(b"content-type")
        return not content_type or content_type.startswith(SOUND)

    async def receive(self) -> bytes:
        """Return what has arrived of the body, waiting for something, which may be no bytes at all."""
        if self.ended:
            return b""
        try:
            data, more = await self._body.read()
        except FAILURES as error:
            raise ours(error) from error
        self.ended = not more
        return data

    def pour_into(self, sink: Sink) -> None:
        """Give ``sink`` what arrives while ``receive`` waits, until that is to return; nothing that is packed."""
        self._body.pour_into(sink)

    async def read(self) -> bytes:
        """Return the whole body; raise UpstreamProtocolError when it is larger than is ever reasonable."""
        pieces, size = [], 0
        while not self.ended:
            data = await self.receive()
            size += len(data)
            if size > self._max_bytes:
                raise UpstreamProtocolError(f"GLM's answer has more than {self._max_bytes} bytes.")
            pieces.append(data)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _header(self, wanted: bytes) -> bytes:
        """Return a header in lower case, empty when there is none."""
        for name, value in self._headers:
            if name.lower() == wanted:
                return value.lower()
        return b""

    def aclose(self) -> Coroutine[Any, Any, None]:
        """Let go of the connection; one that is not read to its end is cut, so that GLM stops working."""
        return self._body.aclose()


class Upstream:
    """
    Zhipu's HTTP API at ``base_url``, for several accounts.

    ``api_keys`` by account name. ``max_answer_bytes`` bounds an answer that is read whole.
    """

    def __init__(
        self,
        *,
        transport: Transport,
        base_url: str,
        api_keys: Mapping[str, str],
        timeouts: Timeouts,
        max_answer_bytes: int,
    ) -> None:
        self._transport = transport
        self._base_url = base_url.rstrip("/")
        self._timeouts = timeouts
        self._max_answer_bytes = max_answer_bytes
        self._keys: dict[str, str] = {}
        self._targets: dict[tuple[str, str], Target] = {}
        self.use_keys(api_keys)

    def use_keys(self, api_keys: Mapping[str, str]) -> None:
        """Use these keys from now on; accounts that are not among them keep theirs, for what is under way."""
        self._keys |= api_keys
        self._targets.clear()

    async def post(self, path: str, *, account: str, body: bytes, content_type: bytes = JSON) -> Reply:
        """
        Send ``body`` to ``path`` and return the answer as soon as its head is there.

        Raises UpstreamUnavailable or UpstreamTimeout, GLM's fault or the network's.
        """
        target = self._targets.get((account, path)) if content_type == JSON else None
        if target is None:
            target = self._target(path, account=account, content_type=content_type)
        try:
            answered = await self._transport.send(target, body, self._timeouts)
        except FAILURES as error:
            raise ours(error) from error
        return Reply(answered, max_bytes=self._max_answer_bytes)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    def _target(self, path: str, *, account: str, content_type: bytes) -> Target:
        url = httpx.URL(self._base_url + path)
        target = Target(url, headers_of(self._keys[account], host=url.netloc, content_type=content_type))
        if content_type == JSON:  # Others have a boundary that may be another each time.
            self._targets[account, path] = target
        return target


def headers_of(api_key: str, *, host: bytes, content_type: bytes) -> Headers:
    """Return the headers of a call; English makes Zhipu's messages readable to most callers."""
    return [
        (b"host", host),
        (b"authorization", b"Bearer " + api_key.encode()),
        (b"content-type", content_type),
        (b"accept", b"application/json, text/event-stream"),
        (b"accept-encoding", b"identity"),
        (b"accept-language", b"en-US,en"),
        (b"user-agent", b"glm-gateway"),
    ]
