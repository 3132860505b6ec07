"""Slots in this process: exact for one replica. Decides first and awaits afterwards, so it needs no lock."""

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from gateway.errors import RateLimited
from gateway.limits.limiter import Scope, Slot

MAX_RETRY_AFTER_SECONDS = 30.0


@dataclass(slots=True, eq=False)
class Waiter:
    """Somebody in line; the account is told through ``turn``."""

    scope: Scope
    turn: asyncio.Future[str]


class MemoryLimiter:
    """
    The limiter of one process; see the port for what it promises.

    ``queue_size`` bounds the waiters of one tenant for one model. ``clock`` is monotonic, in seconds.
    """

    def __init__(self, *, queue_size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._queue_size = queue_size
        self._clock = clock
        self._held: set[Slot] = set()
        self._by_tenant: Counter[tuple[str, str]] = Counter()
        self._by_account: Counter[tuple[str, str]] = Counter()
        # By model, then by tenant in the order in which tenants are served.
        self._lines: dict[str, OrderedDict[str, deque[Waiter]]] = {}

    async def acquire(self, scope: Scope, *, timeout_seconds: float) -> Slot:
        """Return a slot; see the port."""
        account = self._room(scope) if self._line(scope) is None else None
        if account is not None:
            return self._take(scope, account, waited_seconds=0.0)
        started = self._clock()
        waiter = self._join(scope)
        try:
            async with asyncio.timeout(timeout_seconds):
                account = await waiter.turn
        except TimeoutError as error:
            self._forgo(waiter)
            raise self._full(scope, f"No slot became free within {timeout_seconds:g} s.") from error
        except BaseException:
            self._forgo(waiter)
            raise
        return self._hold(scope, account, waited_seconds=self._clock() - started)

    async def release(self, slot: Slot) -> None:
        """Give a slot back; see the port."""
        if slot not in self._held:
            return
        self._held.remove(slot)
        self._uncount(slot.scope, slot.account)
        self._hand_off(slot.scope.model)

    def remaining(self, scope: Scope) -> int:
        """Return how many more could start; see the port."""
        return max(0, scope.limit - self._by_tenant[scope.tenant, scope.model])

    def _line(self, scope: Scope) -> deque[Waiter] | None:
        tenants = self._lines.get(scope.model)
        return tenants.get(scope.tenant) if tenants is not None else None

    def _room(self, scope: Scope) -> str | None:
        """Return the account with the most room in proportion, None when the tenant or every account is full."""
        if self._by_tenant[scope.tenant, scope.model] >= scope.limit:
            return None
        loads = [
            (self._by_account[account.name, scope.model] / account.limit, account.name)
            for account in scope.accounts
            if self._by_account[account.name, scope.model] < account.limit
        ]
        return min(loads)[1] if loads else None

    def _take(self, scope: Scope, account: str, *, waited_seconds: float) -> Slot:
        self._count(scope, account)
        return self._hold(scope, account, waited_seconds=waited_seconds)

    def _hold(self, scope: Scope, account: str, *, waited_seconds: float) -> Slot:
        slot = Slot(scope=scope, account=account, waited_seconds=waited_seconds)
        self._held.add(slot)
        return slot

    def _count(self, scope: Scope, account: str) -> None:
        self._by_tenant[scope.tenant, scope.model] += 1
        self._by_account[account, scope.model] += 1

    def _uncount(self, scope: Scope, account: str) -> None:
        for counter, key in ((self._by_tenant, scope.tenant), (self._by_account, account)):
            counter[key, scope.model] -= 1
            if not counter[key, scope.model]:
                del counter[key, scope.model]

    def _join(self, scope: Scope) -> Waiter:
        line = self._lines.setdefault(scope.model, OrderedDict()).setdefault(scope.tenant, deque())
        if len(line) >= self._queue_size:
            raise self._full(scope, f"{self._queue_size} requests are waiting already.")
        waiter = Waiter(scope, asyncio.get_running_loop().create_future())
        line.append(waiter)
        return waiter

    def _forgo(self, waiter: Waiter) -> None:
        """Leave the line, or pass on a turn that came at the very moment of leaving."""
        model = waiter.scope.model
        if waiter.turn.done() and not waiter.turn.cancelled():
            self._uncount(waiter.scope, waiter.turn.result())
            self._hand_off(model)
            return
        line = self._line(waiter.scope)
        if line is not None and waiter in line:
            line.remove(waiter)
            self._tidy(model, waiter.scope.tenant)

    def _hand_off(self, model: str) -> None:
        """Give every free slot of ``model`` to whoever is next, tenant after tenant."""
        while any(self._serve_next(model, tenant) for tenant in list(self._lines.get(model, ()))):
            pass

    def _serve_next(self, model: str, tenant: str) -> bool:
        """Move a tenant's line by one; False when whoever is next in it has to wait on."""
        line = self._lines[model][tenant]
        waiter = line[0]
        if not waiter.turn.done():  # Done here means cancelled: its task will notice in a moment.
            account = self._room(waiter.scope)
            if account is None:
                return False
            self._count(waiter.scope, account)
            waiter.turn.set_result(account)
            self._lines[model].move_to_end(tenant)
        line.popleft()
        self._tidy(model, tenant)
        return True

    def _tidy(self, model: str, tenant: str) -> None:
        """Forget a line that is empty, so that tenants and models leave nothing behind."""
        tenants = self._lines[model]
        if not tenants[tenant]:
            del tenants[tenant]
        if not tenants:
            del self._lines[model]

    def _full(self, scope: Scope, reason: str) -> RateLimited:
        return RateLimited(
            f"Your tier allows {scope.limit} requests at once for {scope.model}. {reason} Try again shortly.",
            retry_after_seconds=1,
        )
