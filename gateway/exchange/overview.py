"""Who holds and waits for slots, and which accounts are in order: what is counted, joined with the terms."""

from collections.abc import Sequence

from gateway.errors import GatewayError
from gateway.exchange.terms import Terms
from gateway.glm.errors import BUSINESS_CODES
from gateway.limits.health import Health, Standing
from gateway.limits.limiter import Limiter, Usage
from gateway.metrics import AccountSlots, AccountState, Slots, TenantSlots


def overview(limiter: Limiter, *, terms: Terms, health: Health) -> Slots:
    """Return the slots and accounts as they are now; what the terms do not have any more is left out."""
    limits = {model.id: model.limits for model in terms.catalog.models}
    tiers = {account.name: account.tier for account in terms.accounts}
    rows = limiter.snapshot()
    accounts = [
        AccountSlots(
            account=row.name,
            model=row.model,
            limit=limits[row.model].of(tiers[row.name]),
            learned_limit=row.limit,
            in_use=row.everywhere,
        )
        for row in rows
        if row.kind == "account" and row.name in tiers and row.model in limits
    ]
    return Slots(
        tenants=tuple(tenant_slots(row, terms=terms) for row in rows if row.kind == "tenant"),
        accounts=tuple(accounts),
        states=tuple(state_of(name, health.standings(name)) for name in tiers),
        leases_expired=limiter.leases_expired,
        degraded=limiter.degraded,
    )


def tenant_slots(row: Usage, *, terms: Terms) -> TenantSlots:
    return TenantSlots(
        tenant=row.name,
        tier=terms.tier(row.name),
        model=row.model,
        limit=row.limit,
        in_use=row.here,
        in_use_globally=row.everywhere,
        waiting=row.waiting,
        oldest_wait_seconds=row.oldest_wait_seconds,
    )


def state_of(account: str, standings: Sequence[Standing]) -> AccountState:
    """Return whether an account is in order, and what is not."""
    return AccountState(
        account=account,
        healthy=not standings,
        reason=", ".join(f"{said(one.error)} for {one.model or 'every model'}" for one in standings),
        aside_seconds=max((one.seconds for one in standings), default=0.0),
    )


def said(error: GatewayError) -> str:
    """Return what an account's trouble is called, in Zhipu's terms where it has a code."""
    known = BUSINESS_CODES.get(error.glm_code or "")
    return f"GLM {known.code} ({known.meaning})" if known is not None else f"{error.code or error.type}"
