"""One model's books in Redis, as a replica talks to them; when Redis is away, it gives way to its share."""

import asyncio
import logging
from dataclasses import dataclass
from time import monotonic

import msgspec

from gateway.limits.ledger import Full, Granted, Turn, Waiting, Wish, wish_of
from gateway.limits.limiter import Slot
from gateway.limits.link import Away, Link, end
from gateway.limits.lobby import NOBODY, Lobby, Waiter
from gateway.limits.outage import Outage, OutageBooks, books_without_redis
from gateway.limits.roster import Roster
from gateway.limits.wire import Acquire, Hold, Keep, Kept, Operation, Release, Reply, Request

MAX_OPERATIONS = 200
"""In one call, so that none keeps Redis from others for long."""

ROLL_SECONDS = 1.5
"""How long one who would not stand in line waits for new books to open: a newcomer's take a second."""

ROLL_CALL_SECONDS = 0.02
"""How soon such a one asks again. Most often all replicas have registered by then."""

NO_BOUND = 2**31
"""The size of the queue for those who stand in it already."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Counts:
    """What happened so far: leases of any replica that ran out."""

    expired: int = 0


class SharedBooks:
    """
    The books of one model in Redis; what its lobby asks while Redis is there.

    What is said in one tick of the loop, and while a call is under way, goes into one call. One is under way at
    a time, so that what was said first is done first. ``elsewhere`` has what other replicas hold, as last heard.
    """

    def __init__(
        self, lobby: Lobby, *, link: Link, roster: Roster, lease_seconds: float, on_outage: Outage, counts: Counts
    ) -> None:
        self.elsewhere: dict[str, int] = {}
        self._lobby = lobby
        self._link = link
        self._roster = roster
        self._lease_seconds = lease_seconds
        self._on_outage = on_outage
        self._counts = counts
        self._epoch = ""
        self._sent_at = 0.0
        self._said: list[Operation] = []
        self._renew = False
        self._given_back: dict[int, float] = {}
        self._instead: OutageBooks | None = None
        self._talking: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def away(self) -> bool:
        """Whether the books are out of reach."""
        return self._instead is not None

    def allowance(self, tenant: str, limit: int) -> int:
        """Return how many slots a tenant may have here; others hold the rest of its ``limit``, as last heard."""
        if self._instead is not None:
            return self._instead.share_of(tenant, limit)
        return limit - self.elsewhere.get(f"tenant:{tenant}", 0)

    def ask(self, number: int, wish: Wish, *, queue_size: int) -> Granted | Waiting | Full | None:
        """Ask Redis; it answers later."""
        self._say(Acquire(number, wish.tenant, wish.limit, wish.pool, queue_size))
        return None

    def ask_again(self, waiter: Waiter) -> None:
        """Ask Redis what became of somebody."""
        self._say(acquire(waiter))

    def give_back(self, number: int) -> None:
        """Tell Redis, now or when it is back, unless the lease ends before."""
        self._given_back[number] = asyncio.get_running_loop().time() + self._lease_seconds
        self._say(Release(number))

    def turn(self, turn: Turn) -> None:
        """
        Take a slot that Redis gave to one who waits, or give it back if nobody does.

        Whether the lease has not ended since, which it may when this process was paused, Redis is asked.
        """
        if self.away or turn.number in self._given_back:
            return
        waiter = self._lobby.waiting.get(turn.number)
        if waiter is not None and self._overslept(waiter.told_at):
            self.ask_again(waiter)
        else:
            self._take(turn)

    def renew(self) -> None:
        """Renew the leases of all that is held, and keep the books from being forgotten."""
        self._renew = True
        self._say(Keep())

    def overslept(self, slot: Slot) -> bool:
        """Tell whether a slot may be over before it is used, as this process was paused with it in its hands."""
        return not self.away and true_time() - slot.since > self._lease_seconds / 3

    async def come_back(self) -> None:
        """See whether Redis is there again; if so, make its books whole, and go on with them."""
        if self._instead is not None and self._instead.ready and self._talking is None:
            self._instead.pause()
            await self._register(call_roll=True)
            if self._instead is not None:
                self._instead.go_on()

    async def aclose(self, *, timeout_seconds: float) -> None:
        """Give Redis a moment to hear what was said last; nothing is said afterwards."""
        if self._talking is not None:
            await asyncio.wait([self._talking], timeout=timeout_seconds)
        self._closed = True
        if self._talking is not None:
            await end([self._talking])

    def _say(self, operation: Operation) -> None:
        if not (self.away or self._closed):
            self._said.append(operation)
            if self._talking is None:
                self._talking = asyncio.get_running_loop().create_task(self._talk())

    async def _talk(self) -> None:
        try:
            while self._said and not self._closed:
                if self._epoch:
                    await self._pass_on()
                else:
                    await self._register()
        finally:
            self._talking = None

    async def _pass_on(self) -> None:
        """Tell Redis what was said, but for what nobody waits for any more."""
        said, self._said = self._said[:MAX_OPERATIONS], self._said[MAX_OPERATIONS:]
        wanted = [one for one in said if not isinstance(one, Acquire) or one.number in self._lobby.waiting]
        holds = self._holds() if self._renew else []
        self._renew = False
        reply = await self._send(self._request(holds, wanted))
        if reply is not None and (reply.stale or self._overslept(self._sent_at)):
            await self._register()
        elif reply is not None:
            self._take_in(wanted, reply)

    async def _register(self, *, call_roll: bool = False) -> None:
        """Tell books that are new, or were away, all that is held here, given back and waited for."""
        self._said.clear()
        self._renew = False
        now = asyncio.get_running_loop().time()
        self._given_back = {number: until for number, until in self._given_back.items() if until > now}
        waiting = dict(self._lobby.waiting)
        said: list[Operation] = [*map(Release, self._given_back), *map(acquire, waiting.values()), Keep()]
        request = self._request(self._holds(), said)
        peers = self._roster.peers(now=now)
        reply = await self._send(msgspec.structs.replace(request, peers=peers, call_roll=call_roll))
        if reply is not None and self._overslept(self._sent_at):
            await self._register(call_roll=call_roll)
        elif reply is not None:
            self._instead, self._lobby.books = None, self
            self._take_in(said, reply)
            self._catch_up(waiting)

    def _catch_up(self, known: dict[int, Waiter]) -> None:
        """Say what has happened here while the books were being made whole."""
        for number in self._given_back:
            self._say(Release(number))
        for number, waiter in self._lobby.waiting.items():
            if number not in known:
                self._say(acquire(waiter))

    async def _send(self, request: Request) -> Reply | None:
        """Return what Redis answers; None when it is away."""
        self._sent_at = asyncio.get_running_loop().time()
        try:
            reply = await self._link.ask(request)
        except Away as error:
            if not self.away:
                self._fall_back(error)
            return None
        self._epoch = reply.epoch
        return reply

    def _fall_back(self, error: Away) -> None:
        log.warning("The slots of %s are out of reach: %s", self._lobby.model, error)
        self._said.clear()
        self._instead = books_without_redis(
            self._lobby, self._roster, on_outage=self._on_outage, give_back=self.give_back
        )
        self._instead.take_over()

    def _take_in(self, said: list[Operation], reply: Reply) -> None:
        self._counts.expired += reply.expired
        for number in reply.lost:
            self._lobby.lose(number)
        for operation, answer in zip(said, reply.answers, strict=True):
            if isinstance(operation, Release):
                self._given_back.pop(operation.number, None)
            elif isinstance(answer, Kept):
                self.elsewhere = dict(answer.elsewhere)
                self._roster.mark(self._lobby.model, pairs(answer.marks).items())
            elif isinstance(operation, Acquire) and isinstance(answer, Granted):
                self._take(Turn(operation.number, answer.account))
            elif isinstance(operation, Acquire) and isinstance(answer, Full) and reply.closed:
                self._wait_for_the_roll(operation.number, answer)
            elif isinstance(operation, Acquire) and isinstance(answer, Waiting | Full):
                self._lobby.answer(operation.number, answer)
                waiter = self._lobby.waiting.get(operation.number)
                # A turn from before a pause may still be under way: of who has slept every turn is asked about.
                if waiter is not None and not self._overslept(waiter.told_at):
                    waiter.told_at = self._sent_at
        for turn in reply.turns:
            self.turn(turn)

    def _wait_for_the_roll(self, number: int, answer: Full) -> None:
        """Ask again soon for one who does not stand in line; while nobody is admitted, that is no answer yet."""
        loop, waiter = asyncio.get_running_loop(), self._lobby.waiting.get(number)
        if waiter is not None and waiter.queue_size == NOBODY and loop.time() - waiter.since < ROLL_SECONDS:
            loop.call_later(ROLL_CALL_SECONDS, self._ask_if_there, number)
        else:
            self._lobby.answer(number, answer)

    def _ask_if_there(self, number: int) -> None:
        if (waiter := self._lobby.waiting.get(number)) is not None:
            self.ask_again(waiter)

    def _take(self, turn: Turn) -> None:
        if not self._lobby.grant(turn.number, turn.account) and turn.number not in self._given_back:
            self.give_back(turn.number)

    def _overslept(self, since: float) -> bool:
        """
        Tell whether what Redis was told then may have ended, or will before it is told again.

        Where nothing is wrong everything is told anew within a third of a lease. This process was paused, or its
        machine was.
        """
        return true_time() - since > self._lease_seconds * 2 / 3

    def _request(self, holds: list[Hold], operations: list[Operation]) -> Request:
        return Request(
            model=self._lobby.model,
            replica=self._roster.replica,
            replicas=len(self._roster.replicas),
            epoch=self._epoch,
            lease_ms=round(self._lease_seconds * 1000),
            holds=holds,
            operations=operations,
        )

    def _holds(self) -> list[Hold]:
        return [
            Hold(slot.number, slot.scope.tenant, slot.scope.limit, slot.account, slot.account_limit)
            for slot in self._lobby.held.values()
        ]


def acquire(waiter: Waiter) -> Acquire:
    """Ask for what somebody waits for; the queue is not too long for one who stands in it."""
    wish = wish_of(waiter.scope)
    queue_size = NO_BOUND if waiter.position else waiter.queue_size
    return Acquire(waiter.number, wish.tenant, wish.limit, wish.pool, queue_size)


def true_time() -> float:
    """Return the loop's time, also while it stands still: that of some does while they do what there is to do."""
    return max(monotonic(), asyncio.get_running_loop().time())


def pairs(flat: list[str]) -> dict[str, int]:
    """Return names and numbers as Redis lists a hash."""
    return dict(zip(flat[::2], map(int, flat[1::2]), strict=True))
