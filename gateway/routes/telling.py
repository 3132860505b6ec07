"""An error on its way out: its status, the headers that clients heed, and OpenAI's body."""

import logging
import math
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from litestar import Response
from litestar.types import Send

from gateway.errors import GatewayError, HttpInstead
from gateway.exchange import Exchange
from gateway.translate.errors import internal_error, to_openai

MEDIA_TYPE: Final = "application/json"
HANDSHAKE: Final = "websocket.http.response"
"""What ASGI calls the answer to a WebSocket that is refused."""

logger = logging.getLogger(__name__)


class Told(NamedTuple):
    """An error as it is answered."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def response(self) -> Response[bytes]:
        """Return it for the framework."""
        headers = {name.decode(): value.decode() for name, value in self.headers}
        return Response(self.body, status_code=self.status, media_type=MEDIA_TYPE, headers=headers)

    async def send(
        self, send: Send, *, beside: Iterable[tuple[bytes, bytes]] = (), kind: str = "http.response"
    ) -> None:
        """Answer with it, and with the headers ``beside``; ``kind`` is that of ASGI's messages."""
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", b"%d" % len(self.body)),
            *self.headers,
            *beside,
        ]
        start: Any = {"type": f"{kind}.start", "status": self.status, "headers": headers}
        last: Any = {"type": f"{kind}.body", "body": self.body, "more_body": False}
        await send(start)
        await send(last)


def told(exchange: Exchange, error: Exception) -> Told:
    """Return how an error is answered, and write it down; a mistake of ours is a request id, and nothing else."""
    exchange.fail(error)
    if not isinstance(error, GatewayError):
        request_id = exchange.record.request_id
        logger.error("request %s failed", request_id, exc_info=error)
        error = internal_error(request_id)
    return Told(error.status, headers_of(error), to_openai(error))


def headers_of(error: GatewayError) -> list[tuple[bytes, bytes]]:
    """Return when, and whether at all, a client should try again, and by which protocol."""
    headers = []
    if isinstance(error, HttpInstead):
        headers.append((b"upgrade", b"HTTP/1.1"))
    if error.retry_after_seconds is not None:
        headers.append((b"retry-after", b"%d" % math.ceil(error.retry_after_seconds)))
        headers.append((b"retry-after-ms", b"%d" % round(error.retry_after_seconds * 1000)))
    if error.should_retry is not None:
        headers.append((b"x-should-retry", str(error.should_retry).lower().encode()))
    return headers
