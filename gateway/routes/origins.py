"""Browsers: the pages of which origins may call, said in the headers that the Fetch standard has for it (CORS)."""

import re
from collections.abc import Collection
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

Headers = list[tuple[bytes, bytes]]

ANY = "*"
METHODS = b"GET, POST, DELETE"
KNOWN_FOR_SECONDS = 600
"""How long a browser need not ask again."""

EXPOSED = (
    "openai-processing-ms",
    "retry-after",
    "retry-after-ms",
    "x-gateway-cache",
    "x-gateway-ignored",
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-request-id",
    "x-should-retry",
)
"""What programs in a browser may read of an answer's head: all that is said there for clients."""


class Origins:
    """
    Lets the pages of ``allowed`` origins call ``app``; no answer to another says that it may be read.

    ``*`` is any origin, and within one any part of its host, as in ``https://*.example.com``.
    """

    def __init__(self, app: ASGIApp, *, allowed: Collection[str]) -> None:
        self._app = app
        self._any = ANY in allowed
        self._allowed = re.compile("|".join(re.escape(one).replace(r"\*", ".*") for one in allowed))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or tell a browser beforehand which requests it may make."""
        asked = dict(scope["headers"]) if scope["type"] == ScopeType.HTTP else {}
        origin = asked.get(b"origin")
        if origin is None:
            await self._app(scope, receive, send)
            return
        told = self._told(origin)

        async def send_told(message: Any) -> None:
            if "headers" in message:
                message["headers"] = [*message["headers"], *told]
            await send(message)

        is_preflight = scope.get("method") == "OPTIONS" and b"access-control-request-method" in asked
        if is_preflight and self._may_call(origin):
            await answer_preflight(send_told, headers=asked.get(b"access-control-request-headers", b""))
        else:
            await self._app(scope, receive, send_told)

    def _may_call(self, origin: bytes) -> bool:
        return self._any or self._allowed.fullmatch(origin.decode("latin-1")) is not None

    def _told(self, origin: bytes) -> Headers:
        """Return what an answer says to a page, and to caches that may hold it for others."""
        told = [] if self._any else [(b"vary", b"Origin")]
        if self._may_call(origin):
            told.append((b"access-control-allow-origin", ANY.encode() if self._any else origin))
            told.append((b"access-control-expose-headers", ", ".join(EXPOSED).encode()))
        return told


async def answer_preflight(send: Send, *, headers: bytes) -> None:
    """Allow a request with ``headers``, whichever they are: SDKs send some of their own."""
    told = [
        (b"access-control-allow-methods", METHODS),
        (b"access-control-max-age", b"%d" % KNOWN_FOR_SECONDS),
    ]
    if headers:
        told.append((b"access-control-allow-headers", headers))
    await send({"type": "http.response.start", "status": 204, "headers": told})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
