"""Situations in which an alert must fire, and ones in which it must not, for ``promtool test rules``."""

from collections.abc import Mapping
from functools import partial

from msgspec import Struct

Labels = Mapping[str, str]
CHAT = {"operation": "chat", "model": "glm-4.7"}
JOB = "{job}"
TIER = {"tier": "V1", "model": "glm-4.7"}
ACCOUNT = {"account": "main", "model": "glm-4.7"}
WAITED = {"le": "+Inf"}


class Situation(Struct, frozen=True, kw_only=True):
    """
    Series in Prometheus' notation for tests, of the job ``{job}``; a sample, and a look at the rules, every
    ``interval``.

    ``minutes`` is when they have been looked at often enough.
    ``fires`` names the alerts that burn then, in all.
    """

    name: str
    series: Mapping[str, str]
    minutes: int
    fires: frozenset[str] = frozenset()
    interval: str = "1m"


def said(family: str, /, instance: str = "a", **labels: str) -> str:
    """Write a series of a gateway's; a name ending in ``_`` says a label that Python has a word for."""
    told = {name.rstrip("_"): value for name, value in {"job": JOB, "instance": instance, **labels}.items()}
    name = family if family == "up" or family.startswith(("process_", "kube_")) else f"glm_gateway_{family}"
    return f"{name}{{{','.join(f'{label}={value!r}' for label, value in told.items())}}}"


def requests(outcome: str, *, code: str = "200", instance: str = "a", operation: str = "chat") -> str:
    where = {**CHAT, "operation": operation}
    return said("requests_total", **where, tier="V1", outcome=outcome, code=code, instance=instance)


def first_tokens(late: int, *, of: int, samples: int, operation: str = "chat") -> dict[str, str]:
    """Write streams as a histogram: so many a sample, and how many of them began late."""
    where = {**CHAT, "operation": operation}
    return {
        said("time_to_first_token_seconds_bucket", **where, le="5.0"): f"0+{of - late}x{samples}",
        said("time_to_first_token_seconds_count", **where): f"0+{of}x{samples}",
    }


def quantile(family: str, *, slow: int, of: int, samples: int = 30, **labels: str) -> dict[str, str]:
    """Write a histogram of two buckets: so many a sample, and how many of them took up to a second."""
    return {
        said(f"{family}_bucket", **labels, le="0.01"): f"0+{of - slow}x{samples}",
        said(f"{family}_bucket", **labels, le="1.0"): f"0+{of}x{samples}",
        said(f"{family}_bucket", **labels, le="+Inf"): f"0+{of}x{samples}",
    }


RUNS = {said("build_info", version="1"): "1x130"}
"""A gateway that is there; without one GlmGatewayAbsent fires."""


def availability(ok: int, failed: int, *, minutes: int, interval: str = "1m") -> Mapping[str, str]:
    samples = minutes // int(interval.rstrip("m")) + 1
    return {
        **RUNS,
        requests("ok"): f"0+{ok}x{samples}",
        requests("upstream_error", code="502"): f"0+{failed}x{samples}",
        requests("client_error", code="400"): f"0+{ok}x{samples}",
    }


def fires(
    name: str, series: Mapping[str, str], *others: str, minutes: int = 30, interval: str = "1m"
) -> Situation:
    return Situation(
        name=name,
        series={**RUNS, **series},
        minutes=minutes,
        fires=frozenset(f"GlmGateway{one}" for one in others),
        interval=interval,
    )


def quiet(name: str, series: Mapping[str, str], *, minutes: int = 30, interval: str = "1m") -> Situation:
    return fires(name, series, minutes=minutes, interval=interval)


def refused_at(instance: str) -> str:
    refusal = {"http_status": "429", "business_code": "1302", "class_": "rate_limit"}
    return said("upstream_errors_total", instance=instance, **CHAT, **refusal)


def refused(values: str) -> dict[str, str]:
    return {refused_at("a"): values}


def closed(client: str, broken: str) -> dict[str, str]:
    where = {"model": "glm-realtime"}
    return {
        said("realtime_sessions_closed_total", **where, closed_by="client", code="1000"): client,
        said("realtime_sessions_closed_total", **where, closed_by="gateway", code="1011"): broken,
    }


def memory(held: int, *, instance: str) -> dict[str, str]:
    """Write what a process holds, of the 1000 that its container may."""
    pod = {"namespace": JOB, "pod": "llm-1"}
    limit = partial(
        said, "kube_pod_container_resource_limits", instance="kube-state-metrics", **pod, resource="memory"
    )
    return {
        said("process_resident_memory_bytes", instance=instance, **pod): f"{held}x30",
        said("build_info", version="1", **pod): "1x30",
        limit(container="gateway"): "1000x30",
        limit(container="beside"): "100x30",
    }


SITUATIONS = (
    fires(
        "one in ten fails",
        availability(90, 10, minutes=90),
        "AvailabilityFastBurn",
        "AvailabilitySteadyBurn",
        "AvailabilitySlowBurn",
        minutes=90,
    ),
    quiet("one in a thousand fails", availability(999, 1, minutes=90), minutes=90),
    quiet(
        "all of very few fail",
        {**RUNS, requests("ok"): "0x130", requests("gateway_error"): "0x9 5x120"},
        minutes=90,
    ),
    fires(
        "it is over, but was not little",
        {**RUNS, requests("ok"): "0+10x120", requests("upstream_error"): "0+10x30 300x90"},
        "AvailabilitySlowBurn",
        minutes=80,
    ),
    fires(
        "one in twenty fails all morning",
        availability(950, 50, minutes=420, interval="4m"),
        "AvailabilitySteadyBurn",
        "AvailabilitySlowBurn",
        minutes=420,
        interval="4m",
    ),
    fires(
        "one in a hundred fails all day",
        availability(9900, 100, minutes=480, interval="4m"),
        "AvailabilitySlowBurn",
        minutes=480,
        interval="4m",
    ),
    fires(
        "nine in ten streams begin late",
        first_tokens(90, of=100, samples=90),
        "FirstTokenFastBurn",
        "FirstTokenSteadyBurn",
        "FirstTokenSlowBurn",
        minutes=90,
    ),
    fires(
        "streams of responses begin late",
        first_tokens(90, of=100, samples=90, operation="responses"),
        "FirstTokenFastBurn",
        "FirstTokenSteadyBurn",
        "FirstTokenSlowBurn",
        minutes=90,
    ),
    quiet(
        "what long recordings say begins late",
        first_tokens(90, of=100, samples=90, operation="transcription"),
        minutes=90,
    ),
    quiet("one in a hundred begins late", first_tokens(1, of=100, samples=90), minutes=90),
    fires(
        "a third begins late all morning",
        first_tokens(35, of=100, samples=106),
        "FirstTokenSteadyBurn",
        "FirstTokenSlowBurn",
        minutes=420,
        interval="4m",
    ),
    fires(
        "one in ten begins late all day",
        first_tokens(100, of=1000, samples=121),
        "FirstTokenSlowBurn",
        minutes=480,
        interval="4m",
    ),
    fires(
        "a gateway is gone",
        {
            said("build_info", version="1", instance="b"): "1x10 stale",
            said("up", instance="b"): "1x10 0x20",
            said("up"): "1x30",
        },
        "Down",
        minutes=20,
    ),
    quiet(
        "something else is gone",
        {said("up"): "1x30", said("up", instance="b"): "0x30"},
        minutes=20,
    ),
    fires(
        "no account is left",
        {said("account_healthy", account="main"): "0x30", requests("upstream_error", code="429"): "0x26 1+1x9"},
        "NoAccount",
        "AccountAside",
    ),
    fires(
        "the only account is aside for one of its models",
        {
            said("account_healthy", account="main"): "0x30",
            requests("upstream_error", code="429"): "0x26 1+1x9",
            requests("ok"): "0+20x40",
        },
        "AccountAside",
    ),
    fires(
        "one account of two is aside",
        {said("account_healthy", account="main"): "1x30", said("account_healthy", account="spare"): "0x30"},
        "AccountAside",
    ),
    fires(
        "an account is aside for one of two processes",
        {
            said("account_healthy", account="main"): "1x30",
            said("account_healthy", account="main", instance="b"): "0x30",
        },
        "AccountAside",
    ),
    quiet("an account came back at once", {said("account_healthy", account="main"): "1x27 0 1x10"}),
    fires("1302 came for the first time", refused("_x25 1x10"), "ConcurrencyRefused"),
    fires("1302 came again", refused("1x25 3x10"), "ConcurrencyRefused"),
    fires(
        "1302 came at once to a process that began late",
        {
            said("build_info", version="1", instance="b"): "_x25 1x10",
            said("process_start_time_seconds", instance="b"): "_x25 1490x10",
            refused_at("b"): "_x26 2x10",
        },
        "ConcurrencyRefused",
    ),
    quiet(
        "Prometheus was away for a quarter of an hour",
        {
            said("build_info", version="1"): "1x10 _x15 1x20",
            said("process_start_time_seconds"): "-9000x10 _x15 -9000x20",
            **refused("7x10 _x15 7x20"),
            **closed("50x10 _x15 50x20", "30x10 _x15 30x20"),
        },
        minutes=33,
    ),
    quiet("1302 came yesterday", refused("0 7x60"), minutes=60),
    fires(
        "fewer slots than the tier has",
        {said("account_limit", **ACCOUNT): "10x60", said("account_limit_learned", **ACCOUNT): "7x60"},
        "LimitLearned",
        minutes=40,
    ),
    quiet(
        "as many slots as the tier has",
        {said("account_limit", **ACCOUNT): "10x60", said("account_limit_learned", **ACCOUNT): "10x60"},
        minutes=40,
    ),
    fires(
        "a third meets an overloaded platform",
        {
            requests("ok"): "0+60x40",
            said(
                "upstream_errors_total", **CHAT, http_status="429", business_code="1305", class_="overload"
            ): "0+20x40",
        },
        "UpstreamOverloaded",
    ),
    quiet(
        "one in sixty meets an overloaded platform",
        {
            requests("ok"): "0+60x40",
            said(
                "upstream_errors_total", **CHAT, http_status="429", business_code="1305", class_="overload"
            ): "0+1x40",
        },
    ),
    fires(
        "two slots are booked that nobody holds",
        {
            said("concurrency_slots_in_use", **TIER): "2x40",
            said("concurrency_slots_in_use", **TIER, instance="b"): "1x40",
            said("concurrency_slots_in_use_global", **TIER): "5x40",
            said("concurrency_slots_in_use_global", **TIER, instance="b"): "5x40",
        },
        "SlotLeak",
    ),
    fires(
        "a process that holds slots cannot be asked",
        {
            said("up"): "1x40",
            said("up", instance="b"): "1x5 0x35",
            said("build_info", version="1", instance="b"): "1x5 stale",
            said("concurrency_slots_in_use", **TIER): "2x40",
            said("concurrency_slots_in_use", **TIER, instance="b"): "3x5 stale",
            said("concurrency_slots_in_use_global", **TIER): "5x40",
        },
        "Down",
    ),
    quiet(
        "the processes hold what is booked",
        {
            said("concurrency_slots_in_use", **TIER): "2x40",
            said("concurrency_slots_in_use", **TIER, instance="b"): "3x40",
            said("concurrency_slots_in_use_global", **TIER): "5x40",
            said("concurrency_slots_in_use_global", **TIER, instance="b"): "5x40",
        },
    ),
    quiet(
        "each process has books of its own",
        {
            said("concurrency_slots_in_use", **TIER): "2x40",
            said("concurrency_slots_in_use", **TIER, instance="b"): "3x40",
            said("concurrency_slots_in_use_global", **TIER): "2x40",
            said("concurrency_slots_in_use_global", **TIER, instance="b"): "3x40",
        },
    ),
    fires("somebody always waits", {said("concurrency_waiting", **TIER): "1x40"}, "TierSaturated"),
    quiet("somebody waits now and then", {said("concurrency_waiting", **TIER): "3x20 0 2x9"}),
    fires(
        "an account is full",
        {said("account_slots_in_use", **ACCOUNT): "10x40", said("account_limit_learned", **ACCOUNT): "10x40"},
        "AccountSaturated",
    ),
    quiet(
        "an account is half full",
        {said("account_slots_in_use", **ACCOUNT): "5x40", said("account_limit_learned", **ACCOUNT): "10x40"},
    ),
    fires(
        "somebody waits while others are served",
        {
            said("concurrency_oldest_wait_seconds", **TIER): "20x40",
            said("concurrency_wait_seconds_count", **TIER, outcome="acquired"): "0+10x40",
        },
        "TenantStarving",
    ),
    quiet(
        "nobody is served, so nobody is passed over",
        {
            said("concurrency_oldest_wait_seconds", **TIER): "20x40",
            said("concurrency_wait_seconds_count", **TIER, outcome="acquired"): "10x40",
        },
    ),
    fires(
        "one in ten gets no slot",
        {requests("ok"): "0+90x40", said("concurrency_rejections_total", reason="wait_timeout"): "0+10x40"},
        "Rejecting",
    ),
    quiet(
        "one in a hundred gets no slot",
        {requests("ok"): "0+99x40", said("concurrency_rejections_total", reason="wait_timeout"): "0+1x40"},
    ),
    fires(
        "Redis is away",
        {said("redis_degraded"): "0x40", said("redis_degraded", instance="b"): "1x40"},
        "RedisAway",
    ),
    quiet("Redis is there", {said("redis_degraded"): "0x40"}),
    fires(
        "Redis fails often",
        {said("redis_errors_total", operation="script", kind="timeout"): "0+60x40"},
        "RedisErrors",
    ),
    quiet(
        "Redis failed once",
        {said("redis_errors_total", operation="script", kind="timeout"): "0x10 1x30"},
    ),
    fires("leases ran out", {said("concurrency_leases_expired_total"): "0x25 3x10"}, "LeasesLost"),
    quiet("no lease ran out lately", {said("concurrency_leases_expired_total"): "0x5 3x30"}),
    fires("sessions break", closed("0+2x40", "_x20 1 2 3 4x20"), "RealtimeAbnormal"),
    fires("all sessions break at one blow", closed("0x40", "_x20 5x20"), "RealtimeAbnormal"),
    quiet("few of many sessions break at one blow", closed("0+20x40", "_x20 5x20")),
    quiet("one session broke", closed("0+2x40", "_x20 1x20")),
    fires(
        "half the answers lack usage",
        {said("usage_missing_total", **CHAT): "0+5x90", requests("ok"): "0+10x90"},
        "UsageMissing",
        minutes=80,
    ),
    fires(
        "half the responses lack usage",
        {
            said("usage_missing_total", **{**CHAT, "operation": "responses"}): "0+5x90",
            requests("ok", operation="responses"): "0+10x90",
        },
        "UsageMissing",
        minutes=80,
    ),
    quiet(
        "an answer in ten lacks usage",
        {said("usage_missing_total", **CHAT): "0+1x90", requests("ok"): "0+10x90"},
        minutes=80,
    ),
    fires(
        "the gateway takes its time",
        quantile("overhead_seconds", slow=5, of=100, operation="chat"),
        "OverheadHigh",
    ),
    fires(
        "the gateway takes its time for agents",
        quantile("overhead_seconds", slow=5, of=100, operation="responses"),
        "OverheadHigh",
    ),
    quiet("recordings take their time", quantile("overhead_seconds", slow=50, of=100, operation="transcription")),
    quiet("the gateway is quick", quantile("overhead_seconds", slow=0, of=100, operation="chat")),
    fires("the event loop is late", quantile("event_loop_lag_seconds", slow=5, of=100), "EventLoopLag"),
    quiet("the event loop is in time", quantile("event_loop_lag_seconds", slow=0, of=100)),
    fires("a configuration was refused", {said("config_last_reload_successful"): "1x20 0x20"}, "ReloadFailed"),
    quiet("a configuration was mended", {said("config_last_reload_successful"): "1x10 0x10 1x20"}),
    fires("a process does not end", {said("draining"): "1x60"}, "DrainStuck", minutes=50),
    quiet("a process ends", {said("draining"): "0x40 1x5 stale"}, minutes=50),
    fires(
        "keys are tried",
        {said("auth_failures_total", reason="invalid_api_key"): "0+120x60"},
        "KeysRefused",
        minutes=40,
    ),
    quiet("a key is mistyped", {said("auth_failures_total", reason="invalid_api_key"): "0+1x60"}, minutes=40),
    fires(
        "file descriptors run out",
        {said("process_open_fds"): "900x30", said("process_max_fds"): "1000x30"},
        "FewFileDescriptors",
    ),
    quiet(
        "file descriptors of another program run out",
        {said("process_open_fds", instance="x"): "900x30", said("process_max_fds", instance="x"): "1000x30"},
    ),
    fires("memory runs out", memory(950, instance="a"), "MemoryNearLimit"),
    quiet("memory is enough", memory(500, instance="a")),
    quiet("memory of another program runs out", memory(950, instance="x")),
    quiet(
        "nobody tells how much memory there may be", {said("process_resident_memory_bytes", pod="llm-1"): "950x30"}
    ),
)
