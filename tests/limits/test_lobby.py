"""The meeting of requests and books, with books that a test plays."""

import pytest

from gateway.errors import RateLimited
from gateway.limits.ledger import Full, Granted, Waiting, Wish
from gateway.limits.lobby import Lobby, Waiter
from tests.limits.requests import MODEL, scope


class SlowBooks:
    """Books that give one slot at once, and of the rest say nothing in time, as a Redis that is late."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.given_back: list[int] = []

    def ask(self, number: int, wish: Wish, *, queue_size: int) -> Granted | Waiting | Full | None:
        del wish, queue_size
        self.asked.append(number)
        return Granted("main") if len(self.asked) == 1 else None

    def ask_again(self, waiter: Waiter) -> None:
        self.asked.append(waiter.number)

    def give_back(self, number: int) -> None:
        self.given_back.append(number)


async def test_tier_is_named_when_it_is_known_here_to_be_full() -> None:
    """Also to who gives up before the books have answered; and they are told that it has."""
    books, lobby = SlowBooks(), Lobby(MODEL, queue_size=3, check_seconds=60)
    lobby.books = books
    await lobby.acquire(scope(limit=1), timeout_seconds=20)

    with pytest.raises(RateLimited, match="Your tier allows 1 requests at once"):
        await lobby.acquire(scope(limit=1), timeout_seconds=0.001)

    assert books.asked[1:] == books.given_back
    lobby.close(RateLimited("…"))
