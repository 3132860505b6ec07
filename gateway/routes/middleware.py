"""The outermost layer: every request becomes an exchange with an id, and every answer says which."""

import asyncio
import re
from collections.abc import Iterable
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from gateway.errors import Draining, GatewayError
from gateway.exchange import Desk, Exchange
from gateway.routes.telling import told

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
        exchange = open_exchange(self._desk, headers=())
        exchange.fail(error)
        exchange.close()
        return marks_of(exchange)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != ScopeType.HTTP:
            others = {"websocket": self._sockets}
            await others.get(scope["type"], self._app)(scope, receive, send)
            return
        exchange = open_exchange(self._desk, headers=scope["headers"])
        scope.setdefault("state", {})["exchange"] = exchange

        async def send_marked(message: Any) -> None:
            if "headers" in message:
                exchange.record.status = message["status"]
                message["headers"] = [*message["headers"], *marks_of(exchange)]
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        except asyncio.CancelledError:
            is_begun = bool(exchange.record.status)
            answer = told(exchange, stopped())
            if not is_begun:
                await answer.send(send_marked, beside=[(b"connection", b"close")])
            raise
        finally:
            exchange.close()


def exchange_of(scope: Scope) -> Exchange:
    """Return the exchange that a request became at the edge."""
    exchange: Exchange = scope["state"]["exchange"]
    return exchange


def open_exchange(desk: Desk, *, headers: Iterable[tuple[bytes, bytes]]) -> Exchange:
    """Return the exchange that a request becomes; its id is the caller's own if that is fit for a log."""
    for name, value in headers:
        if name == b"x-request-id" and SANE_REQUEST_ID.fullmatch(value):
            return Exchange(desk, request_id=value.decode())
    return Exchange(desk, request_id=f"req_{desk.new_id()}")


def marks_of(exchange: Exchange) -> list[tuple[bytes, bytes]]:
    """Return what the head of every answer says: which exchange it is of, and what there is to tell of that."""
    return [(b"x-request-id", exchange.record.request_id.encode()), *exchange.headers()]


def stopped() -> Draining:
    """Return the error for work that this process cannot finish any more."""
    return Draining("This gateway is shutting down and could not finish in time. Ask again.")
