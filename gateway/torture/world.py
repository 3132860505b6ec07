"""What a trial is made of: tenants of every tier, two accounts, two models, and how long. Data only."""

import hashlib
from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import Struct

from gateway.simulator import Account
from gateway.simulator.accounts import Tier
from gateway.simulator.faults import Fault, Latency, Stall

RedisKind = Literal["single", "cluster", "sentinel"]

TIERS: tuple[Tier, ...] = ("V0", "V1", "V2", "V3")
LIMITS = (3, 6, 12, 24)
"""
Requests at once for V0 to V3, of tenants and accounts alike, for every model of the trial.

Both accounts together have room for so many that in turn every tenant gets more than the smallest may have: else
no tenant's own limit were ever reached.
"""

MODELS = ("glm-4.5-air", "glm-4-flash-250414")
CEILING = 100
"""How many times its limit the simulator lets an account have, so that an excess is counted and not prevented."""

QUICK, STEADY, ENDLESS = "A quick one.", "A steady one.", "An endless one."
SERVICE_SECONDS = {QUICK: 0.15, STEADY: 0.6}
FAULTS: tuple[Fault, ...] = (
    Latency(contains=QUICK, seconds=SERVICE_SECONDS[QUICK], times=None),
    Latency(contains=STEADY, seconds=SERVICE_SECONDS[STEADY], headers=True, times=None),
    Stall(contains=ENDLESS, times=None),
)
"""How long the simulator takes, by what the prompt says; the endless one ends when its caller leaves."""


class Tenant(Struct, frozen=True):
    """A caller of the gateways."""

    name: str
    tier: Tier

    @property
    def key(self) -> str:
        """What it authenticates with."""
        return f"sk-torture-{self.name}-0123456789"

    @property
    def limit(self) -> int:
        """How many requests it may have under way for one model."""
        return LIMITS[TIERS.index(self.tier)]


TENANTS = tuple(Tenant(f"{tier}-{which}".lower(), tier) for tier in TIERS for which in ("a", "b"))
ACCOUNTS = (
    Account(name="main", key="5e1f0000000000000000000000000101.tortureMain", tier="V3"),
    Account(name="spare", key="5e1f0000000000000000000000000102.tortureSpare", tier="V1"),
)


class World(Struct, frozen=True, kw_only=True):
    """
    One trial. It goes on for ``seconds``, and until everything was done once.

    ``harms`` None: all that can be done is. An empty tuple: nothing is, and the simulator refuses what is above
    the limits, as Zhipu does.
    A caller waits ``queue_timeout_seconds`` for its slot at most. ``grace_seconds`` is how long after its waking
    what a paused gateway held may go on.
    """

    seconds: float = 120.0
    seed: int = 0
    redis: RedisKind = "single"
    harms: tuple[str, ...] | None = None
    callers: int = 240
    gateways: int = 3
    lease_seconds: float = 3.0
    queue_timeout_seconds: float = 8.0
    grace_seconds: float = 0.2

    @property
    def ceilings(self) -> dict[str, tuple[int, ...]]:
        """The limits of the simulator, by model."""
        factor = 1 if self.harms == () else CEILING
        return dict.fromkeys(MODELS, tuple(limit * factor for limit in LIMITS))

    def configuration(self, *, upstream_url: str, redis_url: str) -> str:
        """Return what the gateways read."""
        return "\n".join(
            [
                f"upstream_url = {quoted(upstream_url)}",
                f"lease_seconds = {self.lease_seconds}",
                f"queue_timeout_seconds = {self.queue_timeout_seconds}",
                *("[redis]", f"url = {quoted(redis_url)}"),
                *("[logs]", 'format = "text"', 'level = "warning"'),
                *tables(),
            ]
        )


def tables() -> Iterator[str]:
    for model in MODELS:
        yield f"[limits.{quoted(model)}]"
        yield from (f"{tier} = {limit}" for tier, limit in zip(TIERS, LIMITS, strict=True))
    for account in ACCOUNTS:
        yield f'[[accounts]]\nname = "{account.name}"\napi_key = "{account.key}"\ntier = "{account.tier}"'
    for tenant in TENANTS:
        digest = hashlib.sha256(tenant.key.encode()).hexdigest()
        yield f'[[tenants]]\nname = "{tenant.name}"\nkey_sha256 = ["{digest}"]\ntier = "{tenant.tier}"'


def quoted(text: str) -> str:
    """Return a string as TOML writes it, which is as JSON does."""
    return msgspec.json.encode(text).decode()
