"""The outermost layer: every request gets an id, a time of arrival, and its id on the answer."""

import re
from collections.abc import Callable

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

SANE_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:\-]{1,128}")


class Edge:
    """
    Wraps the application.

    ``x-request-id`` is the caller's if given and sane, else a new one. ``clock`` is monotonic, in seconds.
    """

    def __init__(self, app: ASGIApp, *, clock: Callable[[], float], new_id: Callable[[], str]) -> None:
        self._app = app
        self._clock = clock
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request_id = given_id(scope) or f"req_{self._new_id()}".encode()
        state = scope.setdefault("state", {})
        state["request_id"] = request_id.decode()
        state["received_at"] = self._clock()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", request_id)]
            await send(message)

        await self._app(scope, receive, send_with_id)


def given_id(scope: Scope) -> bytes | None:
    """Return the caller's own request id, None when it gave none or one that is not fit for a log."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and SANE_REQUEST_ID.fullmatch(value):
            return value
    return None
