"""What Prometheus sees: each finished exchange, in families whose labels nobody outside can multiply."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram

from gateway.catalog import Model
from gateway.metrics import DURATION, Metrics
from gateway.record import Record, UpstreamFault

MODELS = (
    Model(id="glm-4.7", operations=("chat",)),
    Model(id="embedding-3", operations=("embeddings",)),
)
OK = Record(
    request_id="req_1",
    operation="chat",
    received_at=100.0,
    ended_at=103.0,
    tenant="team-a",
    tier="V1",
    model="glm-4.7",
    status=200,
    queued_seconds=0.5,
    upstream_seconds=2.4,
    write_seconds=0.09,
    response_start_seconds=2.0,
    usage_known=True,
    input_tokens=10,
    output_tokens=21,
    cached_tokens=4,
)
STREAM = replace(OK, stream=True, first_token_at=101.0, max_gap_seconds=0.25, reasoning_tokens=5)


class Seen:
    """A registry after some records, asked by family and labels."""

    def __init__(self, *records: Record) -> None:
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry, models=MODELS)
        for record in records:
            self.metrics.observe(record)

    def __call__(self, sample: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"glm_gateway_{sample}", labels)

    def label_values(self, label: str) -> set[str]:
        return {
            sample.labels[label]
            for family in self.registry.collect()
            for sample in family.samples
            if label in sample.labels
        }


def test_families_are_those_that_dashboards_use() -> None:
    """Names and labels are a promise to whoever has drawn a graph of them."""
    families = {family.name: family for family in Seen(STREAM).registry.collect()}

    where = {"operation", "model"}
    expected: dict[str, set[str]] = {
        "requests": {*where, "tier", "code", "outcome"},
        "request_duration_seconds": {*where, "stream"},
        "time_to_first_token_seconds": where,
        "time_per_output_token_seconds": where,
        "stream_max_gap_seconds": where,
        "overhead_seconds": {"operation"},
        "upstream_response_start_seconds": where,
        "tokens": {"model", "tier", "type"},
        "usage_missing": where,
        "upstream_errors": {*where, "http_status", "business_code", "class"},
        "upstream_retries": {*where, "reason"},
        "client_disconnects": {"operation", "phase"},
        "auth_failures": {"reason"},
        "streams_active": where,
        "event_loop_lag_seconds": set(),
        "draining": set(),
        "build_info": {"version", "revision"},
    }
    assert {f"glm_gateway_{name}" for name in expected} == set(families)
    for name, labels in expected.items():
        for sample in families[f"glm_gateway_{name}"].samples:
            assert labels == sample.labels.keys() - {"le"}


def test_histograms_have_few_buckets() -> None:
    """Each bucket is a series for every model; twenty are enough."""
    histograms = [family for family in Seen(STREAM).registry.collect() if family.type == "histogram"]

    for family in histograms:
        bounds = {sample.labels["le"] for sample in family.samples if "le" in sample.labels}
        assert len(bounds) <= 20


def test_exchange_is_counted_and_timed() -> None:
    seen = Seen(OK, OK)

    chat = {"operation": "chat", "model": "glm-4.7"}
    assert seen("requests_total", **chat, tier="V1", code="200", outcome="ok") == 2
    assert seen("request_duration_seconds_sum", **chat, stream="false") == 6
    assert seen("upstream_response_start_seconds_sum", **chat) == 4
    assert seen("overhead_seconds_sum", operation="chat") == pytest.approx(0.02)
    assert seen("time_to_first_token_seconds_count", **chat) is None
    tokens = {
        kind: seen("tokens_total", model="glm-4.7", tier="V1", type=kind) for kind in seen.label_values("type")
    }
    assert tokens == {"input": 20, "output": 42, "cached_input": 8, "reasoning": 0}


def test_stream_is_timed_by_its_tokens() -> None:
    seen = Seen(STREAM)

    chat = {"operation": "chat", "model": "glm-4.7"}
    assert seen("request_duration_seconds_count", **chat, stream="true") == 1
    assert seen("time_to_first_token_seconds_sum", **chat) == 1
    assert seen("time_per_output_token_seconds_sum", **chat) == pytest.approx(2 / 20)
    assert seen("stream_max_gap_seconds_sum", **chat) == 0.25


@pytest.mark.parametrize("output_tokens", [0, 1])
def test_time_per_token_is_not_guessed_when_there_is_no_gap_between_tokens(output_tokens: int) -> None:
    seen = Seen(replace(STREAM, output_tokens=output_tokens))

    assert seen("time_per_output_token_seconds_count", operation="chat", model="glm-4.7") == 0


def test_series_are_there_before_the_first_request() -> None:
    """Prometheus cannot see the first increment of a series that it has not seen at zero."""
    seen = Seen()

    for model, operation in (("glm-4.7", "chat"), ("embedding-3", "embeddings")):
        for tier in ("V0", "V1", "V2", "V3"):
            assert seen("tokens_total", model=model, tier=tier, type="input") == 0
            ok = {"tier": tier, "code": "200", "outcome": "ok"}
            assert seen("requests_total", operation=operation, model=model, **ok) == 0


@pytest.mark.parametrize(
    ("record", "counted"),
    [
        pytest.param(replace(OK, usage_known=False), 1, id="answer without usage"),
        pytest.param(replace(OK, usage_known=False, outcome="client_disconnect"), 1, id="caller left mid-stream"),
        pytest.param(OK, None, id="usage known"),
        pytest.param(
            replace(OK, usage_known=False, operation="transcription"), None, id="operation without tokens"
        ),
        pytest.param(replace(OK, usage_known=False, response_start_seconds=None), None, id="GLM was not reached"),
        pytest.param(
            replace(OK, usage_known=False, status=400, outcome="client_error"), None, id="refused by GLM"
        ),
    ],
)
def test_missing_usage_is_counted_for(record: Record, counted: float | None) -> None:
    """Only an answer that should have told its tokens, and did not, is missing them."""
    seen = Seen(record)

    assert seen("usage_missing_total", operation=record.operation, model="glm-4.7") == counted


def test_faults_and_retries_are_counted_by_class() -> None:
    """Zhipu's own code decides the class; without one, how the call failed does."""
    faults = [
        UpstreamFault(http_status=429, code="1305", kind="overload"),
        UpstreamFault(http_status=0, code="", kind="timeout"),
        UpstreamFault(http_status=500, code="9999", kind="weather"),
    ]

    seen = Seen(replace(OK, status=502, outcome="upstream_error", faults=faults, retries=2))

    where = {"operation": "chat", "model": "glm-4.7"}

    def by_class(status: str, code: str, kind: str) -> float | None:
        labels = {**where, "http_status": status, "business_code": code, "class": kind}
        return seen("upstream_errors_total", **labels)

    assert by_class("429", "1305", "overload") == 1
    assert by_class("0", "", "timeout") == 1
    assert by_class("500", "other", "other") == 1
    assert {"overload", "timeout", "invalid_api_key", "missing_api_key"} == seen.label_values("reason")


def test_callers_that_leave_are_counted_by_how_far_they_got() -> None:
    seen = Seen(replace(STREAM, outcome="client_disconnect", phase="before_first_byte"))

    assert seen("client_disconnects_total", operation="chat", phase="before_first_byte") == 1


@pytest.mark.parametrize("code", ["missing_api_key", "invalid_api_key"])
def test_failed_authentication_is_counted_by_reason(code: str) -> None:
    record = Record(request_id="r", operation="chat", received_at=1.0, ended_at=1.1, status=401)

    seen = Seen(replace(record, outcome="client_error", error_code=code))

    assert seen("auth_failures_total", reason=code) == 1
    refused = {"model": "other", "tier": "none", "code": "401", "outcome": "client_error"}
    assert seen("requests_total", operation="chat", **refused) == 1


def test_streams_under_way_are_a_gauge() -> None:
    seen = Seen()

    seen.metrics.streams_active(operation="chat", model="glm-4.7").inc()

    assert seen("streams_active", operation="chat", model="glm-4.7") == 1


@given(text=st.text())
def test_labels_stay_few_whatever_is_sent(text: str) -> None:
    """Nothing that a caller or GLM can choose becomes a label."""
    fault = UpstreamFault(http_status=500, code=text, kind=text)

    seen = Seen(replace(OK, model=text, tenant=text, error_code=text, account=text, faults=[fault], retries=1))
    seen.metrics.streams_active(operation="chat", model=text)

    assert seen.label_values("model") <= {"glm-4.7", "embedding-3", "other"}
    assert len(seen.label_values("business_code")) == 1
    if len(text) > 10:
        values = [sample.labels.values() for family in seen.registry.collect() for sample in family.samples]
        assert not any(text in labels for labels in values)


@given(amounts=st.lists(st.one_of(st.sampled_from(DURATION), st.floats(min_value=0, allow_nan=False))))
def test_histogram_counts_as_the_library_does(amounts: list[float]) -> None:
    """Finding the bucket faster changes nothing about which one it is."""
    quick = Metrics(CollectorRegistry(), models=()).duration.labels("chat", "glm-4.7", "false")
    plain = Histogram("plain", "Plain.", buckets=DURATION, registry=None)

    for amount in amounts:
        quick.observe(amount)
        plain.observe(amount)

    assert [one.get() for one in plain._buckets] == [one.get() for one in quick._buckets]
    assert plain._sum.get() == quick._sum.get()
