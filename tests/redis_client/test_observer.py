"""Metrics are told of calls of Redis; nobody need be."""

from prometheus_client import CollectorRegistry

from gateway.metrics import Metrics
from gateway.redis_client.observer import Nobody, RedisObserver


def test_metrics_are_told_what_calls_are_for() -> None:
    registry = CollectorRegistry()
    observer: RedisObserver = Metrics(registry, models=()).redis

    observer.redis_call("recall")(0.25)
    observer.count_redis_error("recall", kind="full")

    duration = "glm_gateway_redis_operation_duration_seconds_sum"
    assert 0.25 == registry.get_sample_value(duration, {"operation": "recall"})
    errors = "glm_gateway_redis_errors_total"
    assert 1 == registry.get_sample_value(errors, {"operation": "recall", "kind": "full"})


def test_nobody_need_be_told() -> None:
    observer: RedisObserver = Nobody()

    observer.redis_call("recall")(0.25)
    observer.count_redis_error("recall", kind="connect")
