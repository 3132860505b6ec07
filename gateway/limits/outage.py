"""Books for one model while Redis is away: this replica's share of the limits, or nothing for anybody."""

import asyncio
from collections.abc import Callable
from typing import Literal, Protocol

from gateway.errors import SlotsUnavailable
from gateway.limits.ledger import Full, Granted, Waiting, Wish, wish_of
from gateway.limits.limiter import AccountLimit
from gateway.limits.lobby import Books, Lobby, Waiter
from gateway.limits.local import LocalBooks
from gateway.limits.roster import Roster

RETRY_AFTER_SECONDS = 1.0

SETTLE_SECONDS = 0.1
"""How long nothing is given out, so that what others took just before is heard of."""

Outage = Literal["share", "refuse"]
GiveBack = Callable[[int], None]


class OutageBooks(Books, Protocol):
    """Books that stand in for those in Redis."""

    ready: bool
    """Whether they give out what they have."""

    def take_over(self) -> None:
        """Become the lobby's books."""

    def pause(self) -> None:
        """Give nothing out, because Redis may be back."""

    def go_on(self) -> None:
        """Give out again; it was not."""

    def share_of(self, tenant: str, limit: int) -> int:
        """Return how many slots a tenant may have here, of its ``limit``."""


class ShareBooks(LocalBooks):
    """
    The books of this replica's share. What is held already counts against it.

    ``give_back`` is told of all that Redis has to hear of later.
    """

    def __init__(self, lobby: Lobby, roster: Roster, *, give_back: GiveBack) -> None:
        super().__init__(lobby)
        self.ready = False
        self._roster = roster
        self._tell = give_back

    def take_over(self) -> None:
        """Write down who holds and line up who waits, in their order; soon they are served."""
        lobby = self._lobby
        self.pause()
        for slot in lobby.held.values():
            self.enter(slot.number, slot.scope, slot.account)
        lobby.books = self
        for waiter in list(lobby.waiting.values()):
            queue_size = len(lobby.waiting) if waiter.position else waiter.queue_size
            answer = self.ask(waiter.number, wish_of(waiter.scope), queue_size=queue_size)
            if not isinstance(answer, Granted):  # which it is not, as nothing is given out yet
                lobby.answer(waiter.number, answer)
        asyncio.get_running_loop().call_later(SETTLE_SECONDS, self._settle)

    def ask(self, number: int, wish: Wish, *, queue_size: int) -> Granted | Waiting | Full:
        """Answer at once, by this replica's share."""
        return super().ask(number, self._share_of(wish), queue_size=queue_size)

    def ask_again(self, waiter: Waiter) -> None:
        """Let this replica's share of the limits hold that are stated now."""
        self.restate(waiter, self._share_of(wish_of(waiter.scope)))

    def give_back(self, number: int) -> None:
        """Hand on what was given back."""
        self._tell(number)
        super().give_back(number)

    def share_of(self, tenant: str, limit: int) -> int:
        """Return this replica's share."""
        return self._share(limit, f"tenant:{tenant}")

    def _share(self, limit: int, what: str) -> int:
        return self._roster.share(limit, model=self._lobby.model, what=what)

    def _share_of(self, wish: Wish) -> Wish:
        """Return what may be asked for of this replica's share."""
        pool = [AccountLimit(one.name, self._share(one.limit, f"account:{one.name}")) for one in wish.pool]
        return Wish(wish.tenant, self.share_of(wish.tenant, wish.limit), tuple(pool))

    def _settle(self) -> None:
        """Begin to give out, by what is known now."""
        self.ready = True
        for waiter in self._lobby.waiting.values():
            self.ask_again(waiter)
        self.go_on()

    def pause(self) -> None:
        """Line up whoever comes."""
        self.ledger.closed = True

    def go_on(self) -> None:
        """Serve those who came in the meantime."""
        self.serve(self.ledger.open())


class NoBooks:
    """No slots for anybody; what is under way may finish."""

    ready = True

    def __init__(self, lobby: Lobby, *, give_back: GiveBack) -> None:
        self.give_back = give_back
        self._lobby = lobby

    def take_over(self) -> None:
        """Refuse all who wait."""
        self._lobby.books = self
        for waiter in list(self._lobby.waiting.values()):
            self._lobby.refuse(waiter, unavailable())

    def ask(self, number: int, wish: Wish, *, queue_size: int) -> Granted | Waiting | Full | None:  # noqa: ARG002
        """Refuse."""
        raise unavailable()

    def ask_again(self, waiter: Waiter) -> None:
        """Do nothing; nobody waits."""

    def pause(self) -> None:
        """Do nothing; nothing is given out."""

    def go_on(self) -> None:
        """Do nothing; nothing is given out."""

    def share_of(self, tenant: str, limit: int) -> int:  # noqa: ARG002
        """Return 0."""
        return 0


def books_without_redis(lobby: Lobby, roster: Roster, *, on_outage: Outage, give_back: GiveBack) -> OutageBooks:
    """Return what stands in for Redis. Whoever never heard how many share the limits has no share of them."""
    if on_outage == "share" and roster.ever_seen:
        return ShareBooks(lobby, roster, give_back=give_back)
    return NoBooks(lobby, give_back=give_back)


def unavailable() -> SlotsUnavailable:
    return SlotsUnavailable(
        "The gateway cannot reach Redis, which counts its slots. Try again shortly.",
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )
