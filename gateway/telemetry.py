"""
What an OpenTelemetry collector sees: spans, made of records after the fact and sent by a thread of their own.

Imported only where traces are wanted, since it needs the extra ``otel``. Attributes are named by OpenTelemetry's
conventions for HTTP and GenAI as far as those go. Never holds a key, a prompt, an answer or audio.
"""

import logging
import time
from collections.abc import Callable, Mapping
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.util.types import AttributeValue

from gateway.record import Outcome, Record, Span, UpstreamCall
from gateway.trace_context import TraceParent

SERVICE: Final = "glm-gateway"
UNNAMED: Final = "unknown_service"
PROVIDER: Final = "zhipu"
FAREWELL_SECONDS: Final = 2.0
"""How long a collector may take for the last spans when the process ends."""

NOTICEABLE_SECONDS: Final = 0.001
"""Who stood in line for less did not wait."""

GENAI_OPERATIONS: Mapping[str, str] = {
    "chat": "chat",
    "completions": "text_completion",
    "embeddings": "embeddings",
    "responses": "chat",
}
"""What the conventions call some of our operations; they have no word for the others."""

FAILURES: frozenset[Outcome] = frozenset({"gateway_error", "upstream_error", "upstream_timeout"})
"""Outcomes that make a span an error: what the caller did wrong is none of a server's."""

Attributes = Mapping[str, AttributeValue]

logger = logging.getLogger("gateway")


class GivenIds(RandomIdGenerator):
    """Gives the next span the ids that an exchange has had from its beginning, and random ones to others."""

    def __init__(self) -> None:
        self.next: Span | None = None

    def generate_trace_id(self) -> int:
        """Return 128 bits."""
        return int(self.next.trace_id, 16) if self.next is not None else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """Return 64 bits."""
        given, self.next = self.next, None
        return int(given.span_id, 16) if given is not None else super().generate_span_id()


class Tracing:
    """
    Makes spans of records and sends them to ``endpoint``, with ``/v1/traces`` after it, until it is closed.

    One span for an exchange, and below it one for each wait in line and each call to GLM, which is at
    ``upstream_url``. Who is sampled, how much may wait to be sent, headers and the service's name are said by
    OpenTelemetry's own variables. ``clock`` is that of the records.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        version: str,
        upstream_url: str,
        clock: Callable[[], float] = time.perf_counter,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._clock = clock
        self._now_ns = now_ns
        self._ids = GivenIds()
        # It is closed in time or not at all: at its own exit it would wait half a minute for a collector.
        self._provider = TracerProvider(resource=resource(version), id_generator=self._ids, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer(SERVICE, version)
        self._glm = address(upstream_url)

    def observe(self, record: Record) -> None:
        """Make the spans of an exchange that has just ended; a sink."""
        told = record.span
        if told is None:
            return
        zero_ns = self._now_ns() - round(self._clock() * 1e9)
        self._ids.next = told
        span = self._tracer.start_span(
            name_of(record, told),
            context=self._context(record.parent, told),
            kind=SpanKind.SERVER if told.method else SpanKind.INTERNAL,
            attributes=exchange_attributes(record, told),
            start_time=zero_ns + round(record.received_at * 1e9),
        )
        self._ids.next = None
        if not span.is_recording():
            return
        within = set_span_in_context(span, Context())
        for began, ended in told.waits:
            if ended - began >= NOTICEABLE_SECONDS:
                start = zero_ns + round(began * 1e9)
                wait = self._tracer.start_span("wait for a slot", context=within, start_time=start)
                wait.end(zero_ns + round(ended * 1e9))
        for call in told.calls:
            self._tell_call(record, call, within=within, zero_ns=zero_ns)
        if record.outcome in FAILURES:
            span.set_status(StatusCode.ERROR)
        span.end(zero_ns + round(record.ended_at * 1e9))

    def close(self) -> None:
        """Send what waits to be sent, for at most two seconds; a collector that is away is left alone."""
        closing = Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(FAREWELL_SECONDS)
        if closing.is_alive():
            logger.warning("The last spans were not sent: the collector did not take them in time.")

    def _tell_call(self, record: Record, call: UpstreamCall, *, within: Context, zero_ns: int) -> None:
        span = self._tracer.start_span(
            f"{genai_operation(record)} {call.model}",
            context=within,
            kind=SpanKind.CLIENT,
            attributes={**self._glm, **call_attributes(record, call)},
            start_time=zero_ns + round(call.asked_at * 1e9),
        )
        if call.fault is not None:
            span.set_status(StatusCode.ERROR)
        span.end(zero_ns + round((call.ended_at or record.ended_at) * 1e9))

    def _context(self, parent: TraceParent | None, told: Span) -> Context:
        if parent is None:
            return Context()
        sampled = parent.sampled
        if sampled is None:  # It is ours, and ends later: it will be decided by its trace, like this.
            verdict = self._provider.sampler.should_sample(None, int(told.trace_id, 16), SERVICE)
            sampled = verdict.decision is Decision.RECORD_AND_SAMPLE
        remote = SpanContext(
            int(parent.trace_id, 16),
            int(parent.span_id, 16),
            is_remote=True,
            trace_flags=TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT),
        )
        return set_span_in_context(NonRecordingSpan(remote), Context())


def resource(version: str) -> Resource:
    """Return who speaks, by OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES where those say it."""
    made = Resource.create({SERVICE_VERSION: version})
    named = not str(made.attributes[SERVICE_NAME]).startswith(UNNAMED)
    return made if named else made.merge(Resource({SERVICE_NAME: SERVICE}))


def address(url: str) -> Attributes:
    parts = urlsplit(url)
    return {
        "server.address": parts.hostname or "",
        "server.port": parts.port or (443 if parts.scheme in ("https", "wss") else 80),
    }


def name_of(record: Record, told: Span) -> str:
    """Return a name that few spans do not share: never of what a caller made up."""
    if told.method:
        method = "HTTP" if told.method == "_OTHER" else told.method
        return f"{method} {told.route}".strip()
    return f"{genai_operation(record)} {record.model}".strip()


def genai_operation(record: Record) -> str:
    return GENAI_OPERATIONS.get(record.operation, record.operation)


def exchange_attributes(record: Record, told: Span) -> Attributes:
    first_token_at = record.first_token_at
    said: dict[str, AttributeValue | None] = {
        "http.request.method": told.method,
        "http.route": told.route,
        "http.response.status_code": record.status if told.method else None,
        "error.type": None if record.outcome == "ok" else record.error_code or record.outcome,
        "glm_gateway.request_id": record.request_id,
        "glm_gateway.outcome": record.outcome,
        "glm_gateway.tenant": record.tenant,
        "glm_gateway.tier": record.tier,
        "glm_gateway.queued_seconds": record.queued_seconds,
        "glm_gateway.queue_position": record.queue_position,
        "glm_gateway.retries": record.retries,
        "glm_gateway.glm_code": record.glm_code,
    }
    if record.model:
        said |= {
            "gen_ai.operation.name": genai_operation(record),
            "gen_ai.provider.name": PROVIDER,
            "gen_ai.request.model": record.model,
            "gen_ai.response.model": record.model if record.outcome == "ok" else None,
            "gen_ai.request.stream": record.stream,
            "gen_ai.response.time_to_first_chunk": (
                None if first_token_at is None else first_token_at - record.received_at
            ),
        }
    spoken = present(said)
    if record.usage_known:
        spoken |= {
            "gen_ai.usage.input_tokens": record.input_tokens,
            "gen_ai.usage.output_tokens": record.output_tokens,
            "gen_ai.usage.cache_read.input_tokens": record.cached_tokens,
            "gen_ai.usage.reasoning.output_tokens": record.reasoning_tokens,
        }
    return spoken


def call_attributes(record: Record, call: UpstreamCall) -> Attributes:
    fault = call.fault
    return present(
        {
            "gen_ai.operation.name": genai_operation(record),
            "gen_ai.provider.name": PROVIDER,
            "gen_ai.request.model": call.model,
            "http.response.status_code": call.http_status,
            "error.type": None if fault is None else fault.kind,
            "glm_gateway.account": call.account,
            "glm_gateway.glm_code": None if fault is None else fault.code,
        }
    )


def present(said: Mapping[str, AttributeValue | None]) -> dict[str, AttributeValue]:
    """Leave out what is empty, zero or did not happen."""
    return {name: value for name, value in said.items() if value}
