"""
Who calls: tenants, their keys, and the one place where credentials are read off a request.

Knows ASGI header pairs and digests. Keeps no plain key, knows no route, no slot, no HTTP framework.
"""

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Annotated, Literal

from msgspec import Meta, Struct

from gateway.catalog import Tier
from gateway.errors import AuthenticationFailed

ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
KeyDigest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="64 lower-case hex digits")]
Name = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}$",
        description="a name of 1 to 64 letters, digits, spaces or ._@-",
    ),
]

HOW_TO_SEND_A_KEY = "Send your key in an 'Authorization: Bearer <key>' header, or in 'x-api-key' or 'api-key'."


class Tenant(Struct, frozen=True, kw_only=True):
    """
    One team or program that may call, and what it may use.

    ``key_sha256`` are hex digests of its keys, several while a key is being replaced. ``models`` None: every
    model. ``queue_timeout_seconds`` None: the gateway's own. ``reasoning_effort`` None: the model's own.
    """

    name: Name
    key_sha256: Annotated[tuple[KeyDigest, ...], Meta(min_length=1)]
    tier: Tier
    models: Annotated[tuple[str, ...], Meta(min_length=1)] | None = None
    strict: bool = False
    queue_timeout_seconds: Annotated[float, Meta(ge=0)] | None = None
    reasoning_effort: ReasoningEffort | None = None


class Caller(Struct, frozen=True, kw_only=True):
    """A tenant as a request sees it; ``models`` holds ids of the catalogue, None means every model."""

    name: str
    tier: Tier
    models: frozenset[str] | None = None
    strict: bool = False
    queue_timeout_seconds: float | None = None
    reasoning_effort: ReasoningEffort | None = None


def digest(key: str | bytes) -> str:
    """
    Give the hex SHA-256 under which a key is kept.

    No salt and no slow hash: keys are long and random, not chosen by people, so there is nothing to guess.
    """
    return sha256(key.encode() if isinstance(key, str) else key).hexdigest()


class Authenticator:
    """
    Tells callers apart by their keys.

    A key is looked up by its digest. How long a comparison of digests takes says nothing about the key, since
    whoever could choose a digest byte by byte would have broken SHA-256; so an ordinary dict is safe here.
    """

    __slots__ = ("_callers",)

    def __init__(self, tenants: Iterable[Tenant], *, model_id: Callable[[str], str] = str) -> None:
        """Take the tenants; ``model_id`` turns a name in ``Tenant.models`` into the catalogue's id."""
        self._callers = {
            key: caller
            for tenant in tenants
            for caller in [_caller(tenant, model_id=model_id)]
            for key in tenant.key_sha256
        }

    def authenticate(self, headers: Iterable[tuple[bytes, bytes]]) -> Caller:
        """
        Give the caller whose key is in the headers of an ASGI scope.

        Raises ``AuthenticationFailed`` when there is no key or nobody has it: the caller's fault.
        """
        key = presented_key(headers)
        if not key:
            raise AuthenticationFailed(
                f"This request carries no API key. {HOW_TO_SEND_A_KEY}", code="missing_api_key"
            )
        caller = self._callers.get(sha256(key).hexdigest())
        if caller is None:
            raise AuthenticationFailed(
                "Incorrect API key: no tenant of this gateway has it. Use a key that the gateway's operator "
                "gave you; keys of OpenAI or Zhipu do not work here."
            )
        return caller


def presented_key(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """
    Give the key that a request presents, empty when it presents none.

    OpenAI's clients send ``Authorization: Bearer``, Azure's ``api-key``, Anthropic-style ones ``x-api-key``.
    ``Authorization`` is believed first, whatever the order, so that one request means one caller.
    """
    other = b""
    for name, value in headers:
        if name == b"authorization":
            scheme, _, key = value.partition(b" ")
            if scheme.lower() == b"bearer":
                return key.strip()
        elif name in (b"x-api-key", b"api-key"):
            other = other or value.strip()
    return other


def _caller(tenant: Tenant, *, model_id: Callable[[str], str]) -> Caller:
    return Caller(
        name=tenant.name,
        tier=tenant.tier,
        models=None if tenant.models is None else frozenset(map(model_id, tenant.models)),
        strict=tenant.strict,
        queue_timeout_seconds=tenant.queue_timeout_seconds,
        reasoning_effort=tenant.reasoning_effort,
    )
