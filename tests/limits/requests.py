"""Requests as tests of limits play them: they join, are served in some order, and give back what they got."""

import asyncio
from collections.abc import Callable

from gateway.limits.limiter import AccountLimit, Limiter, Scope, Slot

MODEL = "glm-4.7"
PATIENCE_SECONDS = 20.0


def scope(tenant: str = "a", *, limit: int = 2, **accounts: int) -> Scope:
    """Return what a request of ``tenant`` asks for; the account "main" has room for 10 unless others are given."""
    limits = [AccountLimit(name, most) for name, most in (accounts or {"main": 10}).items()]
    return Scope(tenant=tenant, model=MODEL, limit=limit, accounts=limits)


class Requests:
    """Requests of one replica, by name. ``served`` has the names in the order in which they got their slots."""

    def __init__(self, limiter: Limiter, served: list[str] | None = None) -> None:
        self.served: list[str] = served if served is not None else []
        self.slots: dict[str, Slot] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._limiter = limiter

    async def join(self, name: str, where: Scope, *, timeout_seconds: float = PATIENCE_SECONDS) -> None:
        """Let a request ask for its slot; in line or served, it is behind those that joined before."""

        async def wait() -> None:
            self.slots[name] = await self._limiter.acquire(where, timeout_seconds=timeout_seconds)
            self.served.append(name)

        task = self.tasks[name] = asyncio.get_running_loop().create_task(wait())
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.sleep(0)

    async def until_served(self, *names: str) -> None:
        """Wait until requests have their slots; raises what refused them."""
        await asyncio.gather(*(self.tasks[name] for name in names))

    async def until_waiting(self, count: int) -> None:
        """Wait until so many are known to stand in line."""
        await until(lambda: sum(row.waiting for row in self._limiter.snapshot()) == count)

    async def leave(self, name: str) -> None:
        """Let a request that waits go away."""
        self.tasks[name].cancel()
        await asyncio.wait([self.tasks[name]])

    def free(self, name: str) -> None:
        """Let a request give its slot back."""
        self._limiter.release(self.slots.pop(name))


async def until(true: Callable[[], object], *, seconds: float = 10.0) -> None:
    """Wait until something has come true."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - the state is in Redis
            await asyncio.sleep(0.005)
