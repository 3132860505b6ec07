"""Slots in this process: exact for one replica, and always there."""

from gateway.limits.limiter import Occupancy, Scope, Slot
from gateway.limits.lobby import Lobby
from gateway.limits.local import LocalBooks
from gateway.limits.occupancy import occupancies

CHECK_SECONDS = 1.0


class MemoryLimiter:
    """
    The limiter of one process; see the port for what it promises.

    ``queue_size`` bounds the waiters of one tenant for one model.
    """

    leases = False
    degraded = False
    leases_expired = 0

    def __init__(self, *, queue_size: int) -> None:
        self._queue_size = queue_size
        self._lobbies: dict[str, Lobby] = {}

    def take(self, scope: Scope) -> Slot | None:
        """Return a slot if one is free; see the port."""
        return self._lobby(scope.model).take(scope)

    async def acquire(self, scope: Scope, *, timeout_seconds: float) -> Slot:
        """Return a slot; see the port."""
        return await self._lobby(scope.model).acquire(scope, timeout_seconds=timeout_seconds)

    def release(self, slot: Slot, *, after_seconds: float = 0.0) -> None:
        """Give a slot back; see the port."""
        self._lobbies[slot.scope.model].release(slot, after_seconds=after_seconds)

    def recheck(self, model: str) -> None:
        """Read again what is waited for; see the port."""
        for lobby in self._lobbies.values():
            if model in ("", lobby.model):
                lobby.recheck()

    def remaining(self, scope: Scope) -> int:
        """Return how many more could start; see the port."""
        return max(0, scope.limit - self._lobby(scope.model).tenants.get(scope.tenant, 0))

    def snapshot(self) -> list[Occupancy]:
        """Return who uses how much; see the port."""
        return [row for lobby in self._lobbies.values() for row in occupancies(lobby, elsewhere={})]

    async def start(self) -> None:
        """Do nothing; there is nobody to reach."""

    async def aclose(self) -> None:
        """Do nothing; nobody else has to know."""

    def _lobby(self, model: str) -> Lobby:
        lobby = self._lobbies.get(model)
        if lobby is None:
            lobby = self._lobbies[model] = Lobby(model, queue_size=self._queue_size, check_seconds=CHECK_SECONDS)
            lobby.books = LocalBooks(lobby)
        return lobby
