"""What every exchange shares: the rooms it goes through, and the policy it keeps."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from gateway.auth import Caller
from gateway.exchange.terms import Terms
from gateway.limits.health import Health
from gateway.limits.limiter import Limiter
from gateway.recall.recall import Recall
from gateway.record import Sink
from gateway.upstream.http import Upstream


class Policy(Struct, frozen=True, kw_only=True):
    """
    How exchanges behave where there is a choice; times in seconds.

    ``heartbeat_seconds`` 0: silence is left silent. ``disconnect_grace_seconds`` is how long GLM may go on for a
    caller that left, 0 to cut it off at once. ``stop_on_lost_lease``: work whose slot others may have is ended.
    """

    queue_timeout_seconds: float
    heartbeat_seconds: float
    disconnect_grace_seconds: float
    max_retries: int
    stop_on_lost_lease: bool = True


@dataclass(kw_only=True)
class Desk:
    """
    The rooms and the policy of every exchange.

    ``terms`` is replaced when the configuration is reloaded; an exchange keeps those that it began with.
    ``health`` is what calls taught about the accounts. ``memories`` hold what answers leave behind, by operation.
    ``clock`` is monotonic, ``now`` is Unix time, both in seconds; ``new_id`` makes unguessable ids of letters and
    digits; ``jitter`` gives a number from 0 to 1. ``streams`` counts those under way, by operation and model.
    ``traces``: some sink tells traces, so that exchanges write down what those need.
    """

    terms: Terms
    limiter: Limiter
    health: Health
    upstream: Upstream
    memories: Mapping[str, Recall]
    policy: Policy
    sinks: Sequence[Sink]
    clock: Callable[[], float]
    now: Callable[[], float]
    new_id: Callable[[], str]
    jitter: Callable[[], float]
    traces: bool = False
    streams: Counter[tuple[str, str]] = field(default_factory=Counter)

    def patience_seconds(self, caller: Caller) -> float:
        """Return how long a caller waits for a slot, and for a repeated call to begin."""
        own = caller.queue_timeout_seconds
        return own if own is not None else self.policy.queue_timeout_seconds
