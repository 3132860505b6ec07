"""The families of calls of Redis."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry

from gateway.metrics.unlocked import Count, Seconds

OTHER: Final = "other"
OPERATIONS: Final = ("script", "subscribe", "ping", "recall")
ERRORS: Final = ("connect", "timeout", "readonly", "loading", "full", "protocol")
DURATION: Final = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1)


class RedisFamilies:
    """What Prometheus sees of calls of Redis; an observer of them."""

    def __init__(self, registry: CollectorRegistry, *, prefix: str) -> None:
        self._duration = Seconds(
            "redis_operation_duration",
            "Calls of Redis",
            ("operation",),
            namespace=prefix,
            unit="seconds",
            registry=registry,
            buckets=DURATION,
        )
        self._errors = Count(
            "redis_errors", "Failed calls of Redis", ("operation", "kind"), namespace=prefix, registry=registry
        )
        for operation in OPERATIONS:
            self._duration.labels(operation)
            for kind in ERRORS:
                self._errors.labels(operation, kind)

    def redis_call(self, operation: str) -> Callable[[float], None]:
        """Return the observer of how long calls of one kind take, in seconds."""
        return self._duration.labels(operation if operation in OPERATIONS else OTHER).observe

    def count_redis_error(self, operation: str, *, kind: str) -> None:
        """Count a call of Redis that failed."""
        known = operation if operation in OPERATIONS else OTHER
        self._errors.labels(known, kind if kind in ERRORS else OTHER).inc()
