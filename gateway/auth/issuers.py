"""Issuers of tokens as the operator lists them, and which caller the claims of a token mean. Verifies nothing."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, get_args

from msgspec import Meta, Struct

from gateway.auth.callers import Caller, ModelNames, Name
from gateway.catalog import Tier
from gateway.errors import AuthenticationFailed

Algorithm = Literal["HS256", "RS256", "ES256", "EdDSA"]
Text = Annotated[str, Meta(min_length=1)]

AD_HOC_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@|:/+=-]{0,127}")


class Issuer(Struct, frozen=True, kw_only=True):
    """
    Somebody whose tokens are believed, how far, and whom they mean.

    ``issuer`` and ``audience`` are what the claims ``iss`` and ``aud`` have to say; of several audiences one is
    enough. ``algorithms`` are the only ones believed. ``leeway_seconds``: how far its clock and ours may differ.

    A claim is given by its name or by a path such as ``org.team``. ``tenant_claim`` names a tenant of the
    configuration, and no other than ``tenants`` (None: any). With ``ad_hoc`` it names tenants that nobody has
    listed: they get the tier that ``tier_claim`` says, ``tier`` when it says none, never one above ``max_tier``
    (None: ``tier``), and ``models`` (None: every model).
    """

    name: Name
    issuer: Text
    audience: Annotated[tuple[Text, ...], Meta(min_length=1)]
    algorithms: Annotated[tuple[Algorithm, ...], Meta(min_length=1)]
    leeway_seconds: Annotated[float, Meta(ge=0, le=300)] = 30.0
    tenant_claim: Text = "sub"
    tenants: Annotated[tuple[Name, ...], Meta(min_length=1)] | None = None
    ad_hoc: bool = False
    tier_claim: Text | None = None
    tier: Tier = "V0"
    max_tier: Tier | None = None
    models: ModelNames | None = None


class Admission:
    """Turns the claims of one issuer's tokens, once they are verified, into callers."""

    def __init__(self, issuer: Issuer, *, tenants: Mapping[str, Caller], model_id: Callable[[str], str]) -> None:
        """Take the callers that the operator has listed, by name."""
        self._issuer = issuer
        self._tenants = {
            name: caller for name, caller in tenants.items() if issuer.tenants is None or name in issuer.tenants
        }
        self._models = None if issuer.models is None else frozenset(map(model_id, issuer.models))

    def caller(self, claims: Mapping[str, Any]) -> Caller:
        """Return the caller; raise AuthenticationFailed when the claims mean none."""
        path = self._issuer.tenant_claim
        name = value_at(path, claims)
        if not isinstance(name, str):
            raise AuthenticationFailed(
                f"The token does not say who calls: its claim {path!r} is not a text.", code="invalid_token"
            )
        if self._issuer.ad_hoc:
            return self._ad_hoc(name, tier=self._tier(claims))
        caller = self._tenants.get(name)
        if caller is None:
            raise AuthenticationFailed(
                f"The token is valid, but its claim {path!r} names no tenant that its issuer may speak for. "
                "The gateway's operator can add it.",
                code="unknown_tenant",
            )
        return caller

    def _ad_hoc(self, name: str, *, tier: Tier) -> Caller:
        if not AD_HOC_NAME.fullmatch(name):
            raise AuthenticationFailed(
                f"The claim {self._issuer.tenant_claim!r} of the token cannot name a tenant; it has to be of 1 to "
                "128 letters, digits, spaces or ._@|:/+=-, a letter or digit first.",
                code="invalid_token",
            )
        # No listed tenant and no other issuer's can have a name like this, so nobody gets into their slots.
        return Caller(name=f"{self._issuer.name}/{name}", tier=tier, models=self._models)

    def _tier(self, claims: Mapping[str, Any]) -> Tier:
        issuer, tiers = self._issuer, get_args(Tier)
        claimed = value_at(issuer.tier_claim, claims) if issuer.tier_claim is not None else None
        if claimed is not None and claimed not in tiers:
            raise AuthenticationFailed(
                f"The claim {issuer.tier_claim!r} of the token has to be one of {', '.join(tiers)}.",
                code="invalid_token",
            )
        tier: Tier = min(claimed or issuer.tier, issuer.max_tier or issuer.tier, key=tiers.index)
        return tier


def value_at(path: str, claims: Mapping[str, Any]) -> Any:
    """Return the claim of that name, else what is at the end of the path; None when there is neither."""
    # Names such as https://example.com/team hold dots of their own.
    if path in claims:
        return claims[path]
    value: Any = claims
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
