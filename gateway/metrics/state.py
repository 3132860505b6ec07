"""What a person sees of this process: how it is now, and what went wrong lately."""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from gateway.metrics.slots import Slots
from gateway.record import Outcome, Record

REMEMBERED_SECONDS: Final = 900.0
REMEMBERED_FAILURES: Final = 2000


class Streams(Struct, frozen=True, kw_only=True):
    """How many streams and sessions of one operation and model are under way."""

    operation: str
    model: str
    count: int


class Failures(Struct, frozen=True):
    """
    Exchanges that ended in the same way lately: all but the last two fields are what they have in common.

    ``error_code`` is what callers were told, ``glm_code`` what Zhipu said, empty where it said nothing.
    ``last_at`` is the time of the latest, in seconds since 1970.
    """

    outcome: Outcome
    operation: str
    model: str
    status: int
    error_code: str
    glm_code: str
    count: int
    last_at: float


class State(Struct, frozen=True, kw_only=True):
    """This process at one moment; times are in seconds since 1970."""

    version: str
    started_at: float
    now: float
    draining: bool
    streams: tuple[Streams, ...]
    slots: Slots
    failures: tuple[Failures, ...]


Kind = tuple[Outcome, str, str, int, str, str]
"""What such exchanges have in common, as the first fields of ``Failures``."""


class RecentFailures:
    """
    What went wrong in the last quarter of an hour, a sink of finished exchanges.

    ``now`` gives seconds since 1970. At most the latest 2000 are remembered.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._failed: deque[tuple[float, Kind]] = deque(maxlen=REMEMBERED_FAILURES)

    def observe(self, record: Record) -> None:
        """Remember an exchange that failed; one whose caller left has not."""
        if record.outcome not in {"ok", "client_disconnect"}:
            kind = (
                record.outcome,
                record.operation,
                record.model,
                record.status,
                record.error_code,
                record.glm_code,
            )
            self._failed.append((self._now(), kind))

    def counted(self) -> tuple[Failures, ...]:
        """Return them by kind, the commonest first."""
        since = self._now() - REMEMBERED_SECONDS
        recent = [(at, kind) for at, kind in self._failed if at >= since]
        last = {kind: at for at, kind in recent}
        return tuple(
            Failures(*kind, count, last[kind]) for kind, count in Counter(kind for _, kind in recent).most_common()
        )


def streams_of(under_way: Mapping[tuple[str, str], int]) -> tuple[Streams, ...]:
    """Return what is under way, by operation and model, as rows."""
    return tuple(
        Streams(operation=operation, model=model, count=count)
        for (operation, model), count in sorted(under_way.items())
        if count
    )
