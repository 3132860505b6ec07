"""What the port for metrics tells: Prometheus' families, the slots, and this process as a person sees it."""

import time

import msgspec
from litestar.types import ASGIApp
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from gateway import __version__, server
from gateway.app import Gateway
from gateway.metrics import Metrics, RecentFailures, State, streams_of


def create_registry() -> CollectorRegistry:
    """Return a registry that tells of the process itself."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


class Inside:
    """What a gateway shows inside; asked anew for each request."""

    def __init__(
        self, gateway: Gateway, *, metrics: Metrics, failures: RecentFailures, lifecycle: server.Lifecycle
    ) -> None:
        self._gateway = gateway
        self._metrics = metrics
        self._failures = failures
        self._lifecycle = lifecycle
        self._started_at = time.time()

    def create_app(self) -> ASGIApp:
        """Return the application that tells it."""
        return server.exposition(
            self._metrics.registry,
            prepare=self._prepare,
            documents={
                "/slots": lambda: msgspec.json.encode(self._gateway.slots()),
                "/state": lambda: msgspec.json.encode(self._state()),
            },
        )

    def _prepare(self) -> None:
        self._metrics.slots.take(self._gateway.slots())
        self._metrics.take_streams(self._gateway.desk.streams)

    def _state(self) -> State:
        return State(
            version=__version__,
            started_at=self._started_at,
            now=time.time(),
            draining=self._lifecycle.draining,
            streams=streams_of(self._gateway.desk.streams),
            slots=self._gateway.slots(),
            failures=self._failures.counted(),
        )
