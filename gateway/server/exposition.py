"""What Prometheus scrapes: an ASGI application of one address, for a port that only the inside can reach."""

import asyncio
from http import HTTPStatus

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from gateway.server.lifecycle import ASGIApp, Receive, Scope, Send


def exposition(registry: CollectorRegistry) -> ASGIApp:
    """Serve ``GET /metrics`` in the format that the scraper prefers, OpenMetrics or Prometheus text."""

    async def expose(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        if scope["type"] != "http":
            return
        if scope["path"] != "/metrics" or scope["method"] not in {"GET", "HEAD"}:
            await _answer(send, HTTPStatus.NOT_FOUND, b"Metrics are at GET /metrics.\n", "text/plain")
            return
        accept = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
        encode, content_type = choose_encoder(accept)
        # Thousands of lines take milliseconds. In a thread they are taken in turns with the streams.
        body = await asyncio.to_thread(encode, registry)
        await _answer(send, HTTPStatus.OK, body, content_type)

    return expose


async def _answer(send: Send, status: HTTPStatus, body: bytes, content_type: str) -> None:
    headers = [
        (b"content-type", content_type.encode("latin-1")),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})
