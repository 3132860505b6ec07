"""What every realtime session shares, besides what exchanges do."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import Struct

from gateway.exchange import Desk
from gateway.session.errands import Endpoints
from gateway.translate.realtime import Policy, Sound
from gateway.upstream.realtime import RealtimeUpstream


class SessionPolicy(Struct, frozen=True, kw_only=True):
    """
    How long things may take in a session, in seconds, and how the translator behaves.

    ``idle_seconds`` 0: a client may be silent for as long as it likes. ``drain_seconds`` is how long a session may
    go on once the process is told to stop. ``max_reconnects`` counts lost connections to GLM that are replaced,
    without one that held for a while.
    """

    translation: Policy = Policy()
    queue_seconds: float = 5.0
    max_seconds: float = 3600.0
    idle_seconds: float = 900.0
    drain_seconds: float = 60.0
    max_reconnects: int = 3


@dataclass(kw_only=True)
class SessionDesk:
    """
    The rooms and the policy of every session.

    ``desk`` is that of exchanges, with its slots and terms; ``endpoints`` do what is done beside sessions.
    """

    desk: Desk
    upstream: RealtimeUpstream
    sound: Sound
    endpoints: Endpoints
    policy: SessionPolicy
    is_draining: Callable[[], bool]
