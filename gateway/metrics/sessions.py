"""The families of realtime sessions, counted as they end."""

from functools import partial
from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram

from gateway.glm.realtime.client import Sent
from gateway.glm.realtime.server import Received
from gateway.openai.realtime import client, server
from gateway.record import ClosedBy, SessionFacts

OTHER: Final = "other"
DIRECTIONS: Final = ("heard", "spoken")
CLOSE_CODES: Final = frozenset({1000, 1001, 1005, 1006, 1009, 1011, 1012})
DURATION: Final = (1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)
FIRST_AUDIO: Final = (0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 20, 30)
KNOWN_EVENTS: Final = frozenset(
    {
        *(str(kind.__struct_config__.tag) for kind in get_args(client.ClientEvent)),
        *(str(kind.__struct_config__.tag) for kind in get_args(Received)),
        *(str(kind.__struct_config__.tag) for kind in get_args(Sent)),
        *server.NAMES.values(),
        *server.BETA_NAMES.values(),
    }
)


class SessionFamilies:
    """What Prometheus sees of realtime sessions; sessions under way are among the streams."""

    def __init__(self, registry: CollectorRegistry, *, prefix: str) -> None:
        counter = partial(Counter, namespace=prefix, registry=registry)
        seconds = partial(Histogram, namespace=prefix, unit="seconds", registry=registry)
        self._closed = counter("realtime_sessions_closed", "Sessions that ended", ("model", "closed_by", "code"))
        self._duration = seconds("realtime_session_duration", "Handshake to close", ("model",), buckets=DURATION)
        self._first_audio = seconds(
            "realtime_first_audio",
            "End of a turn to the first sound of its answer",
            ("model",),
            buckets=FIRST_AUDIO,
        )
        self._events = counter("realtime_events", "Events of both sides", ("direction", "type"))
        self._audio = counter("realtime_audio_seconds", "Seconds of sound", ("model", "direction"))
        self._dropped = counter(
            "realtime_dropped_frames", "Frames of 100 ms of what users said that GLM never took", ("model",)
        )
        self._reconnects = counter("realtime_reconnects", "Connections to GLM that were replaced", ("model",))

    def begin_at_zero(self, model: str) -> None:
        """Show a model that has had no session."""
        for by in get_args(ClosedBy):
            self._closed.labels(model, by, 1000 if by == "client" else 1001)
        for direction in DIRECTIONS:
            self._audio.labels(model, direction)
        self._dropped.labels(model)
        self._reconnects.labels(model)

    def observe(self, session: SessionFacts, *, model: str, duration_seconds: float) -> None:
        """Count a session that has ended."""
        code = str(session.close_code) if session.close_code in CLOSE_CODES else OTHER
        self._closed.labels(model, session.closed_by, code).inc()
        self._duration.labels(model).observe(duration_seconds)
        for seconds in session.first_audio_seconds:
            self._first_audio.labels(model).observe(seconds)
        for (direction, name), count in session.events.items():
            self._events.labels(direction, name if name in KNOWN_EVENTS else OTHER).inc(count)
        self._audio.labels(model, "heard").inc(session.heard_seconds)
        self._audio.labels(model, "spoken").inc(session.spoken_seconds)
        self._dropped.labels(model).inc(session.dropped_frames)
        self._reconnects.labels(model).inc(session.reconnects)
