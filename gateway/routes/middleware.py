"""The outermost layer: every request becomes an exchange with an id, and every answer says which."""

import asyncio
import re
from collections.abc import Awaitable, Iterable
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from gateway.errors import Draining, GatewayError
from gateway.exchange import Desk, Exchange
from gateway.record import NO_OPERATION, Record
from gateway.routes.telling import told
from gateway.trace_context import read_traceparent

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
OTHER_METHOD = "_OTHER"
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
        if exchange.record.span is not None:
            exchange.record.span.method = OTHER_METHOD
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

        def send_marked(message: Any) -> Awaitable[None]:
            if "headers" in message:
                exchange.record.status = message["status"]
                message["headers"] = [*message["headers"], *marks_of(exchange)]
            return send(message)

        try:
            await self._app(scope, receive, send_marked)
        except asyncio.CancelledError:
            is_begun = bool(exchange.record.status)
            answer = told(exchange, stopped())
            if not is_begun:
                await answer.send(send_marked, beside=[(b"connection", b"close")])
            raise
        finally:
            if exchange.record.span is not None:
                note_route(exchange.record, scope)
            exchange.close()
            scope["state"].pop("exchange", None)  # The server keeps the scope as long as the connection.


def exchange_of(scope: Scope) -> Exchange:
    """Return the exchange that a request became at the edge."""
    exchange: Exchange = scope["state"]["exchange"]
    return exchange


def open_exchange(desk: Desk, *, headers: Iterable[tuple[bytes, bytes]]) -> Exchange:
    """
    Return the exchange that a request becomes; its id is the caller's own if that is fit for a log.

    What the caller says of its trace is taken if it can be true, and is said once.
    """
    request_id, parents = "", []
    for name, value in headers:
        if name == b"traceparent":
            parents.append(value)
        elif name == b"x-request-id" and not request_id and SANE_REQUEST_ID.fullmatch(value):
            request_id = value.decode()
    parent = read_traceparent(parents[0]) if len(parents) == 1 else None
    return Exchange(desk, request_id=request_id or f"req_{desk.new_id()}", parent=parent)


def marks_of(exchange: Exchange) -> list[tuple[bytes, bytes]]:
    """Return what the head of every answer says: which exchange it is of, and what there is to tell of that."""
    return [(b"x-request-id", exchange.record.request_id.encode()), *exchange.headers()]


def note_route(record: Record, scope: Scope) -> None:
    """Write down for the trace what was asked for; an address that is no route may hold anything, and is not."""
    if record.span is None:
        return
    method = str(scope.get("method", "GET"))
    record.span.method = method if method in METHODS else OTHER_METHOD
    # The shorter way serves exact paths only, and knows no templates.
    path = str(scope["path"]) if record.operation != NO_OPERATION else ""
    record.span.route = str(scope.get("path_template") or path)


def stopped() -> Draining:
    """Return the error for work that this process cannot finish any more."""
    return Draining("This gateway is shutting down and could not finish in time. Ask again.")
