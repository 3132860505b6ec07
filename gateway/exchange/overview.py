"""Who holds and waits for slots, and which accounts are in order: what is counted, joined with the terms."""

from collections.abc import Sequence

from gateway.catalog import Model
from gateway.errors import GatewayError
from gateway.exchange.terms import AccountTier, Terms
from gateway.glm.errors import BUSINESS_CODES
from gateway.limits.health import Health, Standing
from gateway.limits.limiter import Limiter, Occupancy
from gateway.metrics import AccountSlots, AccountState, Slots, TenantSlots


def overview(limiter: Limiter, *, terms: Terms, health: Health) -> Slots:
    """Return the slots and accounts as they are now; what the terms do not have any more is left out."""
    rows = limiter.snapshot()
    used = {(row.name, row.model): row.everywhere for row in rows if row.kind == "account"}
    return Slots(
        tenants=tuple(tenant_slots(row, terms=terms) for row in rows if row.kind == "tenant"),
        accounts=tuple(
            account_slots(account, model, in_use=used.get((account.name, model.id), 0), health=health)
            for account in terms.accounts
            for model in terms.catalog.models
        ),
        states=tuple(state_of(one.name, health.standings(one.name)) for one in terms.accounts),
        leases_expired=limiter.leases_expired,
        degraded=limiter.degraded,
    )


def tenant_slots(row: Occupancy, *, terms: Terms) -> TenantSlots:
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


def account_slots(account: AccountTier, model: Model, *, in_use: int, health: Health) -> AccountSlots:
    limit = model.limits.of(account.tier)
    return AccountSlots(
        account=account.name,
        model=model.id,
        limit=limit,
        learned_limit=health.allowed(account.name, model.id, limit=limit),
        in_use=in_use,
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
