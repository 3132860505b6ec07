"""Who uses how much of what, as rows for metrics and tables."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping

from gateway.limits.limiter import Occupancy
from gateway.limits.lobby import Lobby


def occupancies(lobby: Lobby, *, elsewhere: Mapping[str, int]) -> Iterator[Occupancy]:
    """
    Tell of every tenant and account that was ever asked for.

    ``elsewhere`` is what other replicas hold as last heard, by "tenant:<name>" and "account:<name>".
    """
    now = asyncio.get_running_loop().time()
    waiting = Counter(waiter.scope.tenant for waiter in lobby.waiting.values())
    since = {waiter.scope.tenant: waiter.since for waiter in reversed(lobby.waiting.values())}
    for tenant, scope in lobby.scopes.items():
        here = lobby.tenants.get(tenant, 0)
        yield Occupancy(
            model=lobby.model,
            kind="tenant",
            name=tenant,
            limit=scope.limit,
            here=here,
            everywhere=here + elsewhere.get(f"tenant:{tenant}", 0),
            waiting=waiting[tenant],
            oldest_wait_seconds=now - since.get(tenant, now),
        )
    limits = {account.name: account.limit for scope in lobby.scopes.values() for account in scope.accounts}
    for name, limit in limits.items():
        here = lobby.accounts.get(name, 0)
        yield Occupancy(
            model=lobby.model,
            kind="account",
            name=name,
            limit=limit,
            here=here,
            everywhere=here + elsewhere.get(f"account:{name}", 0),
        )
