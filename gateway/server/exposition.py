"""What the inside may see: an ASGI application for Prometheus and a few documents, on a port of its own."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from gateway.server.lifecycle import ASGIApp, Receive, Scope, Send
from gateway.server.page import HEADERS, PAGE

METRICS = "/metrics"


def exposition(
    registry: CollectorRegistry,
    *,
    prepare: Callable[[], None] = lambda: None,
    documents: Mapping[str, Callable[[], bytes]] = MappingProxyType({}),
) -> ASGIApp:
    """
    Serve ``GET /metrics`` in the format that the scraper prefers, OpenMetrics or Prometheus text.

    ``GET /`` is a page for people, made of the document ``/state``.
    ``prepare`` is called before each scrape, in the event loop. ``documents`` makes JSON, by path.
    """
    known = ", ".join(("/", METRICS, *documents))

    async def expose(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        if scope["type"] != "http":
            return
        path = scope["path"] if scope["method"] in {"GET", "HEAD"} else ""
        if path == METRICS:
            accept = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
            encode, content_type = choose_encoder(accept)
            prepare()
            # Thousands of lines take milliseconds. In a thread they are taken in turns with the streams.
            await _answer(send, HTTPStatus.OK, await asyncio.to_thread(encode, registry), content_type)
        elif path == "/":
            await _answer(send, HTTPStatus.OK, PAGE, "text/html; charset=utf-8", HEADERS)
        elif path in documents:
            await _answer(send, HTTPStatus.OK, documents[path](), "application/json")
        else:
            await _answer(send, HTTPStatus.NOT_FOUND, f"There is GET {known}.\n".encode(), "text/plain")

    return expose


async def _answer(
    send: Send, status: HTTPStatus, body: bytes, content_type: str, more: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    headers = [
        *more,
        (b"content-type", content_type.encode("latin-1")),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})
