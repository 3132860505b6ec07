"""
The families of metrics that are counted as exchanges end; those of other things are beside this file.

Labels are bounded by construction: models are the catalogue's, codes are Zhipu's table, the rest is "other".
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final, get_args

from prometheus_client import CollectorRegistry, Gauge, disable_created_metrics

from gateway.catalog import Model
from gateway.glm.errors import BUSINESS_CODES, Kind
from gateway.metrics.process import ProcessFamilies
from gateway.metrics.redis import RedisFamilies
from gateway.metrics.sessions import SessionFamilies
from gateway.metrics.slots import TIERS, SlotFamilies
from gateway.metrics.unlocked import Count, Seconds
from gateway.record import Record, UpstreamFault

PREFIX: Final = "glm_gateway"
OTHER: Final = "other"
SWITCHING_PROTOCOLS: Final = 101
TOKEN_TYPES: Final = ("input", "output", "cached_input", "reasoning")
CACHE_RESULTS: Final = ("hit", "miss")
HEARING_OPERATIONS: Final = ("transcription", "translation")
METERED_OPERATIONS: Final = frozenset({"chat", "completions", "responses", "embeddings"})
FAULT_CLASSES: Final = frozenset({*get_args(Kind), "connect", "timeout", "disconnect", "protocol"})
AUTH_FAILURES: Final = ("missing_api_key", "invalid_api_key", "invalid_token", "token_expired", "unknown_tenant")
REJECTIONS: Final = {
    "rate_limit_exceeded": "wait_timeout",
    "queue_full": "queue_full",
    "wait_too_long": "wait_too_long",
    "slots_unavailable": "store_unavailable",
}
"""Why a slot was refused, by the code of the error."""

DURATION: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1200)
FIRST_TOKEN: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 2.5, 5, 7.5, 10, 15, 20, 30, 60, 120)
PER_TOKEN: Final = (0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5)
OVERHEAD: Final = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1)
WAIT: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60)


class Metrics:
    """
    What Prometheus sees of this process; ``observe`` is the sink of finished exchanges.

    ``take_streams`` and ``slots`` are told before each scrape what is under way. ``calls``, ``redis`` and
    ``process`` are the families of other things than exchanges.
    """

    def __init__(self, registry: CollectorRegistry, *, models: Iterable[Model], revision: str = "unknown") -> None:
        """Declare the families on ``registry``; ``models`` are the values that the label ``model`` may have."""
        counter = partial(Count, namespace=PREFIX, registry=registry)
        gauge = partial(Gauge, namespace=PREFIX, registry=registry)
        seconds = partial(Seconds, namespace=PREFIX, unit="seconds", registry=registry)
        where = ("operation", "model")

        self.requests = counter("requests", "Exchanges that ended", (*where, "tier", "code", "outcome"))
        self.duration = seconds(
            "request_duration", "First byte in to last byte out", (*where, "stream"), buckets=DURATION
        )
        self.first_token = seconds(
            "time_to_first_token", "First byte in to first streamed token out", where, buckets=FIRST_TOKEN
        )
        self.per_token = seconds(
            "time_per_output_token", "Mean gap between the tokens of a stream", where, buckets=PER_TOKEN
        )
        self.max_gap = seconds("stream_max_gap", "Longest silence in a stream", where, buckets=FIRST_TOKEN)
        self.overhead = seconds(
            "overhead", "Duration less queue, GLM and the caller's reading", ("operation",), buckets=OVERHEAD
        )
        self.response_start = seconds(
            "upstream_response_start", "Call of GLM to the head of its answer", where, buckets=FIRST_TOKEN
        )
        self.tokens = counter("tokens", "Tokens as GLM counts them", ("model", "tier", "type"))
        self.cached_texts = counter("cached_texts", "Texts to embed, known or not", ("model", "result"))
        self.audio_seconds = counter("audio_seconds", "Seconds of sound that was heard", where)
        self.usage_missing = counter("usage_missing", "Answers without token counts", where)
        self.upstream_errors = counter(
            "upstream_errors", "Failed calls of GLM", (*where, "http_status", "business_code", "class")
        )
        self.upstream_retries = counter("upstream_retries", "Repeated calls of GLM", (*where, "reason"))
        self.client_disconnects = counter("client_disconnects", "Callers that left early", ("operation", "phase"))
        self.auth_failures = counter("auth_failures", "Requests without a known key", ("reason",))
        self.active = gauge("streams_active", "Streams under way", where)
        self.limit = gauge("concurrency_limit", "Slots of a tenant, by its tier", ("tier", "model"))
        self.wait = seconds(
            "concurrency_wait", "How long requests waited for a slot", ("tier", "model", "outcome"), buckets=WAIT
        )
        self.rejections = counter(
            "concurrency_rejections", "Requests that got no slot", ("tier", "model", "reason")
        )
        self.redis = RedisFamilies(registry, prefix=PREFIX)
        self.slots = SlotFamilies(registry, prefix=PREFIX)
        self.sessions = SessionFamilies(registry, prefix=PREFIX)
        self.process = ProcessFamilies(registry, prefix=PREFIX, revision=revision)

        # They double what a scrape holds, and nothing here asks for them.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry
        self._models: frozenset[str] = frozenset()
        self._series: dict[_Kind, _Series] = {}
        for reason in AUTH_FAILURES:
            self.auth_failures.labels(reason)
        self.know(models)

    def know(self, models: Iterable[Model]) -> None:
        """Take the models that there are, anew after a reload; those that are gone keep their series."""
        models = tuple(models)
        self._models |= {model.id for model in models}
        self.slots.know(model.id for model in models)
        for model in models:
            self._begin_at_zero_for(model)

    def observe(self, record: Record) -> None:
        """Count one finished exchange."""
        kind = (record.operation, record.model, record.tier, record.stream, record.status, record.outcome)
        series = self._series.get(kind) or self._series_of(record)
        series.count()
        duration_seconds = record.duration_seconds
        series.duration(duration_seconds)
        if record.session is None:
            series.overhead(record.overhead_seconds)
        if record.response_start_seconds is not None:
            series.response_start(record.response_start_seconds)
        if record.first_token_at is not None:
            series.observe_stream(record, first_token_at=record.first_token_at)
        if record.usage_known:
            series.observe_tokens(record)
        if record.cache_hits or record.cache_misses:
            self._observe_cache(record)
        if record.audio_seconds:
            where = (record.operation, self._model(record.model))
            self.audio_seconds.labels(*where).inc(record.audio_seconds)
        if record.session is not None and record.status == SWITCHING_PROTOCOLS:
            model = self._model(record.model)
            self.sessions.observe(record.session, model=model, duration_seconds=duration_seconds)
        if record.account:
            series.waited(record.queued_seconds)
        if record.faults or record.outcome != "ok" or not record.usage_known:
            self._observe_trouble(record)

    def take_streams(self, under_way: Mapping[tuple[str, str], int]) -> None:
        """Show how many streams are under way, by operation and model."""
        for (operation, model), count in under_way.items():
            self.active.labels(operation, self._model(model)).set(count)

    def _observe_cache(self, record: Record) -> None:
        model = self._model(record.model)
        self.cached_texts.labels(model, "hit").inc(record.cache_hits)
        self.cached_texts.labels(model, "miss").inc(record.cache_misses)

    def _observe_trouble(self, record: Record) -> None:
        where = (record.operation, self._model(record.model))
        for fault in record.faults:
            code = fault.code if fault.code in BUSINESS_CODES else (fault.code and OTHER)
            self.upstream_errors.labels(*where, fault.http_status, code, _class_of(fault)).inc()
        for fault in record.faults[: record.retries]:
            self.upstream_retries.labels(*where, _class_of(fault)).inc()
        if record.outcome == "client_disconnect":
            self.client_disconnects.labels(record.operation, record.phase).inc()
        self._observe_refusal(record)
        if record.error_code in AUTH_FAILURES:
            self.auth_failures.labels(record.error_code).inc()
        answered = record.status == 200 and record.response_start_seconds is not None
        if answered and not record.usage_known and record.operation in METERED_OPERATIONS:
            self.usage_missing.labels(*where).inc()

    def _observe_refusal(self, record: Record) -> None:
        """Count a request that waited for a slot, or was not even let wait, and got none."""
        if record.account:
            return
        where = (record.tier or "none", self._model(record.model))
        if (reason := REJECTIONS.get(record.error_code)) is not None:
            self.rejections.labels(*where, reason).inc()
            if reason == "wait_timeout":
                self.wait.labels(*where, "timeout").observe(record.queued_seconds)
        elif record.outcome == "client_disconnect" and record.phase == "queued":
            self.wait.labels(*where, "cancelled").observe(record.queued_seconds)

    def _series_of(self, record: Record) -> "_Series":
        model = self._model(record.model)
        kind = (record.operation, model, record.tier, record.stream, record.status, record.outcome)
        series = self._series.get(kind)
        if series is None:
            series = self._series[kind] = _Series(self, record, model=model)
        return series

    def _model(self, model: str) -> str:
        return model if model in self._models else OTHER

    # Prometheus cannot see the first increment of a series that it has not seen at zero.

    def _begin_at_zero_for(self, model: Model) -> None:
        for tier in TIERS:
            self.limit.labels(tier, model.id).set(model.limits.of(tier))
            for reason in REJECTIONS.values():
                self.rejections.labels(tier, model.id, reason)
            for operation in model.operations:
                self.requests.labels(operation, model.id, tier, 200, "ok")
            for kind in TOKEN_TYPES:
                self.tokens.labels(model.id, tier, kind)
        if "transcription" in model.operations:
            for hearing in HEARING_OPERATIONS:
                self.audio_seconds.labels(hearing, model.id)
        if "realtime" in model.operations:
            self.sessions.begin_at_zero(model.id)
        if "embeddings" in model.operations:
            for result in CACHE_RESULTS:
                self.cached_texts.labels(model.id, result)


_Kind = tuple[str, str, str, bool, int, str]
"""What exchanges counted in the same series have in common: operation, model, tier, manner, status and outcome."""


class _Series:
    """The series of one kind of exchange, found once instead of for every exchange."""

    __slots__ = (
        "add_cached",
        "add_input",
        "add_output",
        "add_reasoning",
        "count",
        "duration",
        "first_token",
        "max_gap",
        "overhead",
        "per_token",
        "response_start",
        "waited",
    )

    def __init__(self, metrics: Metrics, record: Record, *, model: str) -> None:
        operation, tier, stream = record.operation, record.tier or "none", record.stream
        self.count = metrics.requests.labels(operation, model, tier, record.status, record.outcome).inc
        self.duration = metrics.duration.labels(operation, model, str(stream).lower()).observe
        self.overhead = metrics.overhead.labels(operation).observe
        self.response_start = metrics.response_start.labels(operation, model).observe
        self.waited = metrics.wait.labels(tier, model, "acquired").observe
        tokens = (metrics.tokens.labels(model, tier, kind).inc for kind in TOKEN_TYPES)
        self.add_input, self.add_output, self.add_cached, self.add_reasoning = tokens
        if stream:
            self.first_token = metrics.first_token.labels(operation, model).observe
            self.max_gap = metrics.max_gap.labels(operation, model).observe
            self.per_token = metrics.per_token.labels(operation, model).observe

    def observe_stream(self, record: Record, *, first_token_at: float) -> None:
        self.first_token(first_token_at - record.received_at)
        self.max_gap(record.max_gap_seconds)
        if record.output_tokens > 1:
            self.per_token((record.ended_at - first_token_at) / (record.output_tokens - 1))

    def observe_tokens(self, record: Record) -> None:
        self.add_input(record.input_tokens)
        self.add_output(record.output_tokens)
        if record.cached_tokens:
            self.add_cached(record.cached_tokens)
        if record.reasoning_tokens:
            self.add_reasoning(record.reasoning_tokens)


def _class_of(fault: UpstreamFault) -> str:
    row = BUSINESS_CODES.get(fault.code)
    if row is not None:
        return row.kind
    return fault.kind if fault.kind in FAULT_CLASSES else OTHER
