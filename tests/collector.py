"""An OpenTelemetry collector in the process of a test: it takes spans by OTLP over HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """``spans`` in the order in which they came, ``raw`` is all that was received, ``resource`` of the last."""

    def __init__(self) -> None:
        self.url = ""
        self.raw = b""
        self.spans: list[Span] = []
        self.resource: dict[str, Any] = {}

    def take(self, path: str, body: bytes) -> None:
        assert "/v1/traces" == path
        self.raw += body
        for told in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resource = values(told.resource)
            self.spans += [span for scope in told.scope_spans for span in scope.spans]

    def named(self, name: str) -> Span:
        """Return the only span of a name."""
        (span,) = (span for span in self.spans if span.name == name)
        return span

    def below(self, parent: Span) -> list[Span]:
        """Return the spans whose parent it is, in the order of their beginning."""
        children = [span for span in self.spans if span.parent_span_id == parent.span_id]
        assert {parent.trace_id} >= {span.trace_id for span in children}
        return sorted(children, key=lambda span: span.start_time_unix_nano)


def values(said: Any) -> dict[str, Any]:
    """Give the attributes of a span or a resource."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in said.attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """Listen as a collector on a free port."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.path, self.rfile.read(int(self.headers["content-length"])))
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
