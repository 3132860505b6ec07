"""What every exchange shares: the rooms it goes through, and the policy it keeps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec import Struct

from gateway.auth import Caller
from gateway.catalog import Catalog, Model, Tier
from gateway.limits.limiter import AccountLimit, Limiter, Scope
from gateway.recall import Recall
from gateway.record import Sink
from gateway.upstream.http import Upstream


class Policy(Struct, frozen=True, kw_only=True):
    """
    How exchanges behave where there is a choice; times in seconds.

    ``disconnect_grace_seconds`` is how long GLM may go on for a caller that left, 0 to cut it off at once.
    """

    queue_timeout_seconds: float
    heartbeat_seconds: float
    disconnect_grace_seconds: float
    max_retries: int


class Account(Struct, frozen=True):
    """A Zhipu account: its name and its own tier."""

    name: str
    tier: Tier


@dataclass(frozen=True, kw_only=True)
class Desk:
    """
    The rooms and the policy of every exchange.

    ``clock`` is monotonic, ``now`` is Unix time, both in seconds; ``new_id`` makes unguessable ids of letters and
    digits; ``jitter`` gives a number from 0 to 1.
    """

    catalog: Catalog
    limiter: Limiter
    upstream: Upstream
    recall: Recall
    accounts: Sequence[Account]
    policy: Policy
    sinks: Sequence[Sink]
    clock: Callable[[], float]
    now: Callable[[], float]
    new_id: Callable[[], str]
    jitter: Callable[[], float]

    def scope(self, caller: Caller, model: Model) -> Scope:
        """Return what a caller's slot for a model is counted per."""
        return Scope(
            tenant=caller.name,
            model=model.id,
            limit=model.limits.of(caller.tier),
            accounts=[AccountLimit(one.name, model.limits.of(one.tier)) for one in self.accounts],
        )
