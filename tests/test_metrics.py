"""What Prometheus sees: each finished exchange, in families whose labels nobody outside can multiply."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from prometheus_client import CollectorRegistry, Histogram

from gateway.catalog import Limits, Model
from gateway.metrics import AccountSlots, AccountState, Metrics, Slots, TenantSlots
from gateway.metrics.families import DURATION
from gateway.record import Record, SessionFacts, UpstreamFault

MODELS = (
    Model(id="glm-4.7", operations=("chat",)),
    Model(id="embedding-3", operations=("embeddings",)),
    Model(id="glm-realtime", operations=("realtime",)),
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
        "cached_texts": {"model", "result"},
        "audio_seconds": where,
        "usage_missing": where,
        "upstream_errors": {*where, "http_status", "business_code", "class"},
        "upstream_retries": {*where, "reason"},
        "client_disconnects": {"operation", "phase"},
        "auth_failures": {"reason"},
        "streams_active": where,
        "concurrency_limit": {"tier", "model"},
        "concurrency_slots_in_use": {"tier", "model"},
        "concurrency_slots_in_use_global": {"tier", "model"},
        "concurrency_waiting": {"tier", "model"},
        "concurrency_oldest_wait_seconds": {"tier", "model"},
        "concurrency_wait_seconds": {"tier", "model", "outcome"},
        "concurrency_rejections": {"tier", "model", "reason"},
        "concurrency_leases_expired": set(),
        "account_slots_in_use": {"account", "model"},
        "account_limit": {"account", "model"},
        "account_limit_learned": {"account", "model"},
        "account_healthy": {"account"},
        "redis_operation_duration_seconds": {"operation"},
        "redis_errors": {"operation", "kind"},
        "redis_degraded": set(),
        "config_reloads": {"result"},
        "config_last_reload_success_timestamp_seconds": set(),
        "config_last_reload_successful": set(),
        "realtime_sessions_closed": {"model", "closed_by", "code"},
        "realtime_session_duration_seconds": {"model"},
        "realtime_first_audio_seconds": {"model"},
        "realtime_events": {"direction", "type"},
        "realtime_audio_seconds": {"model", "direction"},
        "realtime_dropped_frames": {"model"},
        "realtime_reconnects": {"model"},
        "event_loop_lag_seconds": set(),
        "draining": set(),
        "build_info": {"version", "revision"},
    }
    assert {f"glm_gateway_{name}" for name in expected} == set(families)
    for name, labels in expected.items():
        for sample in families[f"glm_gateway_{name}"].samples:
            assert labels == sample.labels.keys() - {"le"}


def test_seconds_of_sound_are_counted() -> None:
    """From zero on for models that hear, and by what was done with what they heard."""
    heard = replace(OK, operation="transcription", model="glm-asr", audio_seconds=2.5)

    seen = Seen()
    seen.metrics.know([Model(id="glm-asr", operations=("transcription",))])
    seen.metrics.observe(heard)
    seen.metrics.observe(heard)

    assert seen("audio_seconds_total", operation="transcription", model="glm-asr") == 5.0
    assert seen("audio_seconds_total", operation="translation", model="glm-asr") == 0


def test_texts_are_counted_by_whether_they_were_known() -> None:
    """From zero on for models that embed, and not at all for others."""
    embedded = replace(OK, operation="embeddings", model="embedding-3", cache_hits=3, cache_misses=1)

    seen = Seen(OK, embedded, embedded)

    assert (
        seen("cached_texts_total", model="embedding-3", result="hit"),
        seen("cached_texts_total", model="embedding-3", result="miss"),
    ) == (6, 2)
    assert Seen(OK)("cached_texts_total", model="embedding-3", result="hit") == 0
    assert seen("cached_texts_total", model="glm-4.7", result="hit") is None


def test_histograms_have_few_buckets() -> None:
    """Each bucket is a series for every model; twenty are enough."""
    histograms = [family for family in Seen(STREAM).registry.collect() if family.type == "histogram"]

    assert histograms
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
        pytest.param(replace(OK, usage_known=False, operation="responses"), 1, id="response without usage"),
        pytest.param(replace(OK, usage_known=False, operation="completions"), 1, id="completion without usage"),
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
    for reason in ("overload", "timeout"):
        assert seen("upstream_retries_total", **where, reason=reason) == 1


def test_callers_that_leave_are_counted_by_how_far_they_got() -> None:
    seen = Seen(replace(STREAM, outcome="client_disconnect", phase="before_first_byte"))

    assert seen("client_disconnects_total", operation="chat", phase="before_first_byte") == 1


@pytest.mark.parametrize(
    "code", ["missing_api_key", "invalid_api_key", "invalid_token", "token_expired", "unknown_tenant"]
)
def test_failed_authentication_is_counted_by_reason(code: str) -> None:
    record = Record(request_id="r", operation="chat", received_at=1.0, ended_at=1.1, status=401)

    seen = Seen(replace(record, outcome="client_error", error_code=code))

    assert seen("auth_failures_total", reason=code) == 1
    refused = {"model": "other", "tier": "none", "code": "401", "outcome": "client_error"}
    assert seen("requests_total", operation="chat", **refused) == 1


SERVED = replace(OK, account="main")
TIER = {"tier": "V1", "model": "glm-4.7"}


def test_wait_for_a_slot_is_timed() -> None:
    seen = Seen(SERVED, SERVED)

    assert seen("concurrency_wait_seconds_sum", **TIER, outcome="acquired") == 1
    assert seen("concurrency_wait_seconds_count", **TIER, outcome="acquired") == 2


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("rate_limit_exceeded", "wait_timeout"),
        ("queue_full", "queue_full"),
        ("wait_too_long", "wait_too_long"),
        ("slots_unavailable", "store_unavailable"),
    ],
)
def test_request_without_a_slot_is_counted_by_reason(code: str, reason: str) -> None:
    seen = Seen(replace(OK, status=429, outcome="rejected", error_code=code))

    assert seen("concurrency_rejections_total", **TIER, reason=reason) == 1
    waited = seen("concurrency_wait_seconds_count", **TIER, outcome="timeout")
    assert waited == (1 if reason == "wait_timeout" else None)


def test_request_that_left_the_line_is_counted_as_such() -> None:
    seen = Seen(replace(OK, outcome="client_disconnect", phase="queued"))

    assert seen("concurrency_wait_seconds_sum", **TIER, outcome="cancelled") == 0.5


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(replace(SERVED, error_code="rate_limit_exceeded"), id="had a slot before"),
        pytest.param(replace(OK, error_code="upstream_rate_limit_exceeded"), id="was refused by GLM"),
    ],
)
def test_no_rejection_is_counted_for_a_request_that(record: Record) -> None:
    seen = Seen(record)

    reasons = ("wait_timeout", "queue_full", "wait_too_long", "store_unavailable")
    assert {0} == {seen("concurrency_rejections_total", **TIER, reason=reason) for reason in reasons}


SLOTS = Slots(
    tenants=(
        TenantSlots(
            tenant="a",
            tier="V1",
            model="glm-4.7",
            limit=5,
            in_use=2,
            in_use_globally=4,
            waiting=3,
            oldest_wait_seconds=1,
        ),
        TenantSlots(tenant="b", tier="V1", model="glm-4.7", limit=5, in_use=1, in_use_globally=1),
        TenantSlots(tenant="c", tier=None, model="glm-4.7", limit=5, in_use=1, in_use_globally=1),
        TenantSlots(tenant="d", tier="V1", model="gone", limit=5, in_use=1, in_use_globally=1),
    ),
    accounts=(AccountSlots(account="main", model="glm-4.7", limit=10, learned_limit=8, in_use=5),),
    states=(AccountState(account="main"), AccountState(account="spare", healthy=False, reason="GLM 1113")),
    leases_expired=7,
    degraded=True,
)


def test_slots_are_told_by_tier_and_account() -> None:
    """Tenants of one tier are one series; their names are no labels."""
    seen = Seen()

    seen.metrics.slots.take(SLOTS)

    tiers = {
        name: seen(f"concurrency_{name}", **TIER)
        for name in ("slots_in_use", "slots_in_use_global", "waiting", "oldest_wait_seconds")
    }
    assert tiers == {"slots_in_use": 3, "slots_in_use_global": 5, "waiting": 3, "oldest_wait_seconds": 1}
    main = {"account": "main", "model": "glm-4.7"}
    accounts = [seen(f"account_{name}", **main) for name in ("slots_in_use", "limit", "limit_learned")]
    assert accounts == [5, 10, 8]
    assert [seen("account_healthy", account=name) for name in ("main", "spare")] == [1, 0]
    assert (seen("concurrency_leases_expired_total"), seen("redis_degraded")) == (7, 1)
    assert seen.label_values("model") == {model.id for model in MODELS}


def test_slots_are_told_when_nobody_uses_them() -> None:
    """Zeros too: comparing what is held here and everywhere needs both."""
    seen = Seen()

    for model in ("glm-4.7", "embedding-3"):
        for tier in ("V0", "V1", "V2", "V3"):
            for name in ("slots_in_use", "slots_in_use_global", "waiting"):
                assert seen(f"concurrency_{name}", tier=tier, model=model) == 0
            assert seen("concurrency_limit", tier=tier, model=model) == 1
    assert (seen("concurrency_leases_expired_total"), seen("redis_degraded")) == (0, 0)


def test_models_of_a_reload_are_known() -> None:
    """A new model is no "other", and a limit that has changed is told."""
    seen = Seen()
    limits = Limits(V0=2, V1=3, V2=4, V3=5)

    seen.metrics.know(
        [Model(id="glm-4.7", operations=("chat",), limits=limits), Model(id="glm-9", operations=("chat",))]
    )
    seen.metrics.observe(replace(OK, model="glm-9"))

    assert seen("concurrency_limit", **TIER) == 3
    assert seen("tokens_total", model="glm-9", tier="V1", type="input") == 10
    assert seen("concurrency_waiting", model="glm-9", tier="V0") == 0


def test_reloads_are_counted_by_result() -> None:
    seen = Seen()
    began = seen("config_last_reload_success_timestamp_seconds")
    successful = [seen("config_last_reload_successful")]

    seen.metrics.process.count_reload(succeeded=False)
    refused = seen("config_last_reload_success_timestamp_seconds")
    successful.append(seen("config_last_reload_successful"))
    seen.metrics.process.count_reload(succeeded=True)
    successful.append(seen("config_last_reload_successful"))

    assert [1, 0, 1] == successful
    assert [seen("config_reloads_total", result=result) for result in ("failure", "success")] == [1, 1]
    assert began == refused
    assert (began or 0) < (seen("config_last_reload_success_timestamp_seconds") or 0)


def test_calls_of_redis_are_timed_and_counted_by_kind() -> None:
    seen = Seen()

    seen.metrics.redis.redis_call("script")(0.25)
    seen.metrics.redis.count_redis_error("script", kind="timeout")
    seen.metrics.redis.count_redis_error("invented", kind="invented")

    assert seen("redis_operation_duration_seconds_sum", operation="script") == 0.25
    assert seen("redis_errors_total", operation="script", kind="timeout") == 1
    assert seen("redis_errors_total", operation="other", kind="other") == 1
    assert seen("redis_errors_total", operation="ping", kind="connect") == 0


def test_streams_under_way_are_a_gauge() -> None:
    seen = Seen()

    seen.metrics.take_streams({("chat", "glm-4.7"): 1})

    assert seen("streams_active", operation="chat", model="glm-4.7") == 1


@given(text=st.text())
def test_labels_stay_few_whatever_is_sent(text: str) -> None:
    """Nothing that a caller or GLM can choose becomes a label."""
    fault = UpstreamFault(http_status=500, code=text, kind=text)

    seen = Seen(replace(OK, model=text, tenant=text, error_code=text, account=text, faults=[fault], retries=1))
    seen.metrics.take_streams({("chat", text): 1})

    assert seen.label_values("model") <= {"glm-4.7", "embedding-3", "glm-realtime", "other"}
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


def test_session_is_counted_with_what_it_carried() -> None:
    """Events by type, but only types that are known: a client chooses the rest."""
    session = SessionFacts(
        events=Counter({("from_client", "response.create"): 2, ("from_client", "chosen.by.somebody"): 1}),
        first_audio_seconds=[0.4, 1.7],
        heard_seconds=12.5,
        spoken_seconds=3.0,
        dropped_frames=3,
        reconnects=1,
        closed_by="gateway",
        close_code=1001,
    )
    seen = Seen(
        Record(
            request_id="r",
            received_at=0.0,
            ended_at=61.0,
            operation="realtime",
            model="glm-realtime",
            tier="V1",
            status=101,
            session=session,
        )
    )

    assert 2.0 == seen("realtime_events_total", direction="from_client", type="response.create")
    assert 1.0 == seen("realtime_events_total", direction="from_client", type="other")
    assert 2.0 == seen("realtime_first_audio_seconds_count", model="glm-realtime")
    assert 12.5 == seen("realtime_audio_seconds_total", model="glm-realtime", direction="heard")
    assert 3.0 == seen("realtime_audio_seconds_total", model="glm-realtime", direction="spoken")
    assert 1.0 == seen("realtime_sessions_closed_total", model="glm-realtime", closed_by="gateway", code="1001")
    assert 61.0 == seen("realtime_session_duration_seconds_sum", model="glm-realtime")
    assert 1.0 == seen("realtime_reconnects_total", model="glm-realtime")
    assert 3.0 == seen("realtime_dropped_frames_total", model="glm-realtime")
    assert seen("overhead_seconds_count", operation="realtime") == 0.0
