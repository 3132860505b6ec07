"""The families of this process: its configuration, its event loop, whether it is about to end."""

from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from gateway import __version__
from gateway.metrics.unlocked import Count, Seconds

LAG: Final = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)


class ProcessFamilies:
    """What Prometheus sees of this process; the server sets ``draining`` and tells ``event_loop_lag``."""

    def __init__(self, registry: CollectorRegistry, *, prefix: str, revision: str) -> None:
        gauge = partial(Gauge, namespace=prefix, registry=registry)
        self._reloads = Count(
            "config_reloads",
            "Changed configurations, by what became of them",
            ("result",),
            namespace=prefix,
            registry=registry,
        )
        self._reloaded_at = gauge(
            "config_last_reload_success_timestamp_seconds", "When the configuration was last taken over"
        )
        self._reload_successful = gauge(
            "config_last_reload_successful", "0 while the configuration that is there was refused"
        )
        self.event_loop_lag = Seconds(
            "event_loop_lag",
            "How late the event loop wakes up",
            namespace=prefix,
            unit="seconds",
            registry=registry,
            buckets=LAG,
        )
        self.draining = gauge("draining", "1 while this process is told to stop")
        gauge("build_info", "What is running", ("version", "revision")).labels(__version__, revision).set(1)
        for result in ("success", "failure"):
            self._reloads.labels(result)
        self._reloaded_at.set_to_current_time()
        self._reload_successful.set(1)

    def count_reload(self, *, succeeded: bool) -> None:
        """Count a changed configuration that was taken over, or refused."""
        self._reloads.labels("success" if succeeded else "failure").inc()
        self._reload_successful.set(succeeded)
        if succeeded:
            self._reloaded_at.set_to_current_time()
