"""
What happened in one exchange: plain facts, written by the exchange and read by the sinks.

Knows no sink. Never holds a key, a prompt, an answer or audio. Times are readings of a monotonic clock in seconds.
"""

from collections import Counter
from collections.abc import Callable
from typing import Literal

from msgspec import Struct, field

from gateway.errors import Fault
from gateway.trace_context import TraceParent

Outcome = Literal["ok", "client_disconnect", Fault]
Phase = Literal["receiving", "queued", "before_first_byte", "streaming"]

ClosedBy = Literal["client", "glm", "gateway"]

NO_OPERATION = "none"


class UpstreamFault(Struct, kw_only=True):
    """One failed call to GLM; ``http_status`` 0 when there was no answer, ``code`` empty when it had none."""

    http_status: int
    code: str
    kind: str


class SessionFacts(Struct, kw_only=True):
    """
    What a record tells of a realtime session besides.

    ``events`` counts by direction and type, the directions being "from_client", "to_client", "from_glm", "to_glm".
    ``first_audio_seconds`` are the times from a turn's end to the first sound of its answer. ``dropped_frames``
    are 100 ms each of what the user said and GLM never took. ``closed_by`` is who ended it.
    """

    events: Counter[tuple[str, str]] = field(default_factory=Counter)
    first_audio_seconds: list[float] = field(default_factory=list)
    heard_seconds: float = 0.0
    spoken_seconds: float = 0.0
    dropped_frames: int = 0
    reconnects: int = 0
    closed_by: ClosedBy = "client"
    close_code: int = 0


class UpstreamCall(Struct, kw_only=True):
    """
    One call to GLM, or one connection of a session, from when GLM was asked until it was let go of.

    ``ended_at`` 0.0: with the exchange. ``http_status`` 0 when there was no answer; ``fault`` None: it succeeded.
    """

    model: str
    account: str
    asked_at: float
    ended_at: float = 0.0
    http_status: int = 0
    fault: UpstreamFault | None = None


class Span(Struct, kw_only=True):
    """
    What a trace tells of an exchange besides its record. Ids are of hex digits, 32 and 16.

    ``method`` is empty for what is no request of its own, ``route`` where none was found. ``waits`` are from when
    to when it stood in line for a slot, one for each time.
    """

    trace_id: str
    span_id: str
    method: str = ""
    route: str = ""
    waits: list[tuple[float, float]] = field(default_factory=list)
    calls: list[UpstreamCall] = field(default_factory=list)


class Record(Struct, kw_only=True):
    """
    One exchange from its first byte to its last.

    ``operation`` is that of the route, "none" where no route was found. ``model`` is the catalogue's id, empty
    until it is known. ``status`` is what the caller was told, and stays 200 when a stream fails later, which
    ``outcome`` tells; 499 when it left before being told anything. ``first_token_at`` None: no token was
    streamed. ``usage_known`` False: GLM did not tell. ``cache_hits`` and ``cache_misses`` count the texts to embed
    that were known and that were not; both 0 where nothing is kept. ``audio_seconds`` is how
    much of a recording was heard. ``session`` is there for realtime sessions only, ``parent`` for callers that
    told of their trace, and ``span`` where traces are kept.

    ``queue_position`` is the place in line on arrival, the last of several calls'; 0 when none had one.

    The seconds are parts of the duration that do not overlap: in line for slots, waiting for GLM (pauses before
    a repeated call included), reading from and writing to the caller.
    """

    request_id: str
    received_at: float
    operation: str = NO_OPERATION
    tenant: str = ""
    tier: str = ""
    model: str = ""
    stream: bool = False
    status: int = 0
    outcome: Outcome = "ok"
    error_code: str = ""
    glm_code: str = ""
    account: str = ""
    phase: Phase = "receiving"
    ended_at: float = 0.0
    read_seconds: float = 0.0
    queued_seconds: float = 0.0
    queue_position: int = 0
    upstream_seconds: float = 0.0
    write_seconds: float = 0.0
    response_start_seconds: float | None = None
    first_token_at: float | None = None
    max_gap_seconds: float = 0.0
    retries: int = 0
    faults: list[UpstreamFault] = field(default_factory=list)
    usage_known: bool = False
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    audio_seconds: float = 0.0
    session: SessionFacts | None = None
    parent: TraceParent | None = None
    span: Span | None = None

    @property
    def trace_id(self) -> str:
        """The trace that the exchange belongs to, empty when it belongs to none."""
        if self.span is not None:
            return self.span.trace_id
        return self.parent.trace_id if self.parent is not None else ""

    @property
    def own_parent(self) -> TraceParent | None:
        """The parent of exchanges that this one needs."""
        span, parent = self.span, self.parent
        if span is None:
            return parent
        sampled = parent.sampled if parent is not None else None
        return TraceParent(trace_id=span.trace_id, span_id=span.span_id, sampled=sampled)

    @property
    def duration_seconds(self) -> float:
        """Time from the first byte of the request to the last of the answer."""
        return self.ended_at - self.received_at

    @property
    def overhead_seconds(self) -> float:
        """Time that is ours: not spent in line, waiting for GLM, or waiting for the caller; 0 for a session."""
        if self.session is not None:
            return 0.0
        elsewhere = self.queued_seconds + self.upstream_seconds + self.read_seconds + self.write_seconds
        return max(0.0, self.ended_at - self.received_at - elsewhere)


Sink = Callable[[Record], None]
