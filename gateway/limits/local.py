"""Books in this process: a ledger, and the lobby whose turns it decides."""

from collections import deque

from gateway.limits.ledger import Full, Granted, Holder, Ledger, Turn, Waiting, Wish, wish_of
from gateway.limits.limiter import Scope
from gateway.limits.lobby import Lobby, Waiter


class LocalBooks:
    """The books of one model, for one process."""

    def __init__(self, lobby: Lobby) -> None:
        self.ledger = Ledger()
        self._lobby = lobby

    def ask(self, number: int, wish: Wish, *, queue_size: int) -> Granted | Waiting | Full:
        """Answer at once."""
        return self.ledger.acquire(number, wish, queue_size=queue_size)

    def ask_again(self, waiter: Waiter) -> None:
        """Let the limits hold that are stated now."""
        self.restate(waiter, wish_of(waiter.scope))

    def restate(self, waiter: Waiter, wish: Wish) -> None:
        """Let other limits hold for a waiter from now on."""
        self.serve(self.ledger.restate(waiter.number, wish))
        waiter.held = self.ledger.tenants.get(waiter.scope.tenant, 0)

    def give_back(self, number: int) -> None:
        """Hand what was given back to whoever is next."""
        if turns := self.ledger.release(number):
            self.serve(turns)

    def enter(self, number: int, scope: Scope, account: str) -> None:
        """Write down what is held already."""
        self.serve(self.ledger.enter(number, Holder(scope.tenant, account)))

    def serve(self, turns: list[Turn]) -> None:
        """Give out slots; those that nobody is there to take any more go to the next."""
        left = deque(turns)
        while left:
            turn = left.popleft()
            if not self._lobby.grant(turn.number, turn.account):
                left.extend(self.ledger.release(turn.number))
