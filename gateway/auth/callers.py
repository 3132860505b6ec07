"""Tenants as the operator lists them, and callers as requests see them. No credentials but digests of keys."""

from collections.abc import Callable
from hashlib import sha256
from typing import Annotated, Literal

from msgspec import Meta, Struct

from gateway.catalog import Tier

ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
KeyDigest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="64 lower-case hex digits")]
ModelNames = Annotated[tuple[str, ...], Meta(min_length=1)]
Name = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}$",
        description="a name of 1 to 64 letters, digits, spaces or ._@-",
    ),
]


class Tenant(Struct, frozen=True, kw_only=True):
    """
    One team or program that may call, and what it may use.

    ``key_sha256`` are hex digests of its keys: several while a key is being replaced, none when it calls with
    tokens only. ``models`` None: every model. ``queue_timeout_seconds`` None: the gateway's own.
    ``reasoning_effort`` None: the model's own.
    """

    name: Name
    key_sha256: tuple[KeyDigest, ...] = ()
    tier: Tier
    models: ModelNames | None = None
    strict: bool = False
    queue_timeout_seconds: Annotated[float, Meta(ge=0, le=3600)] | None = None
    reasoning_effort: ReasoningEffort | None = None


class Caller(Struct, frozen=True, kw_only=True, cache_hash=True):
    """A tenant as a request sees it; ``models`` holds ids of the catalogue, None means every model."""

    name: str
    tier: Tier
    models: frozenset[str] | None = None
    strict: bool = False
    queue_timeout_seconds: float | None = None
    reasoning_effort: ReasoningEffort | None = None

    @classmethod
    def of(cls, tenant: Tenant, *, model_id: Callable[[str], str]) -> "Caller":
        """Return the caller that a tenant is; ``model_id`` turns a name in ``models`` into the catalogue's id."""
        return cls(
            name=tenant.name,
            tier=tenant.tier,
            models=None if tenant.models is None else frozenset(map(model_id, tenant.models)),
            strict=tenant.strict,
            queue_timeout_seconds=tenant.queue_timeout_seconds,
            reasoning_effort=tenant.reasoning_effort,
        )


def digest(key: str | bytes) -> str:
    """
    Return the hex SHA-256 under which a key is kept.

    No salt and no slow hash: keys are long and random, not chosen by people, so there is nothing to guess.
    """
    return sha256(key.encode() if isinstance(key, str) else key).hexdigest()
