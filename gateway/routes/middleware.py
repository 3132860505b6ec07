"""The outermost layer: every request becomes an exchange with an id, and every answer says which."""

import asyncio
import re
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from gateway.errors import Draining, GatewayError
from gateway.exchange import Desk, Exchange
from gateway.translate.errors import to_openai

SANE_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:\-]{1,128}")


class Edge:
    """
    Wraps the application: opens an exchange for each request, and closes it once, however it ends.

    ``x-request-id`` is the caller's if given and sane, else a new one. WebSockets go to ``sockets``.
    """

    def __init__(self, app: ASGIApp, *, desk: Desk, sockets: ASGIApp) -> None:
        self._app = app
        self._sockets = sockets
        self._desk = desk

    def refuse(self, error: GatewayError) -> list[tuple[bytes, bytes]]:
        """Leave a record of what could not be read as a request; return the headers that its answer needs."""
        exchange = Exchange(self._desk, request_id=f"req_{self._desk.new_id()}")
        exchange.fail(error)
        exchange.close()
        return [(b"x-request-id", exchange.record.request_id.encode()), *exchange.headers()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != ScopeType.HTTP:
            others = {"websocket": self._sockets}
            await others.get(scope["type"], self._app)(scope, receive, send)
            return
        request_id = given_id(scope) or f"req_{self._desk.new_id()}".encode()
        exchange = Exchange(self._desk, request_id=request_id.decode())
        scope.setdefault("state", {})["exchange"] = exchange

        async def send_marked(message: Any) -> None:
            if "headers" in message:
                exchange.record.status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id),
                    *exchange.headers(),
                ]
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        except asyncio.CancelledError:
            error = stopped()
            if not exchange.record.status:
                await send_error(send_marked, error)
            exchange.fail(error)
            raise
        finally:
            exchange.close()


async def send_error(send: Send, error: GatewayError) -> None:
    """Send an error as the whole answer."""
    body = to_openai(error)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def exchange_of(scope: Scope) -> Exchange:
    """Return the exchange that a request became at the edge."""
    exchange: Exchange = scope["state"]["exchange"]
    return exchange


def given_id(scope: Scope) -> bytes | None:
    """Return the caller's own request id, None when it gave none or one that is not fit for a log."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and SANE_REQUEST_ID.fullmatch(value):
            return value
    return None


def stopped() -> Draining:
    """Return the error for work that this process cannot finish any more."""
    return Draining("This gateway is shutting down and could not finish in time. Ask again.")
