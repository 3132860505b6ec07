"""Slots that replicas share through Redis: exact while it is there, a share of them while it is not."""

import asyncio
import uuid
from contextlib import suppress
from time import monotonic
from typing import Any, Self

import msgspec
from redis.asyncio.client import PubSub

from gateway.limits.ledger import Turn
from gateway.limits.limiter import Occupancy, Scope, Slot
from gateway.limits.link import NEWS, TURNS, Away, Link, end
from gateway.limits.lobby import Lobby
from gateway.limits.occupancy import occupancies
from gateway.limits.outage import Outage, unavailable
from gateway.limits.roster import Roster
from gateway.limits.shared import Counts, SharedBooks
from gateway.redis_client.client import Client, connect
from gateway.redis_client.faults import FAULTS, kind_of
from gateway.redis_client.observer import RedisObserver

CALL_SECONDS = 1.0
"""The longest that Redis may take for an answer before it counts as away."""

CHECK_SECONDS = 1.0
BEAT_SECONDS = 0.5
BEATS_TO_SETTLE = 2

decode_turns = msgspec.msgpack.Decoder(tuple[str, list[Turn]]).decode
decode_news = msgspec.msgpack.Decoder(tuple[str, str, Any]).decode


class RedisLimiter:
    """
    The limiter of replicas that share their limits; see the port for what it promises.

    ``queue_size`` bounds the waiters of one tenant for one model. What a replica holds is given to others
    ``lease_seconds`` after it was last heard of. ``on_outage``: while Redis is away, "share" admits against this
    replica's part of the limits, "refuse" admits nothing, and neither does a replica that never reached Redis.

    That the limits hold without Redis rests on all replicas being without it: one that alone is cut off for longer
    than the lease uses its share while the others use everything.
    """

    leases = True

    def __init__(
        self,
        client: Client,
        *,
        queue_size: int,
        lease_seconds: float,
        on_outage: Outage,
        observer: RedisObserver | None = None,
    ) -> None:
        self.replica = uuid.uuid4().hex
        self.counts = Counts()
        self.link = Link(client, timeout_seconds=call_seconds(lease_seconds), observer=observer)
        self._queue_size = queue_size
        self._lease_seconds = lease_seconds
        self._on_outage = on_outage
        self._beat_seconds = min(BEAT_SECONDS, lease_seconds / 6)
        self._check_seconds = min(CHECK_SECONDS, lease_seconds / 3)
        self._roster = Roster(
            self.replica, lease_seconds=lease_seconds, settle_seconds=BEATS_TO_SETTLE * self._beat_seconds
        )
        self._models: dict[str, tuple[Lobby, SharedBooks]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._listening = asyncio.Event()
        self._renewed_at = 0.0

    @classmethod
    def create(
        cls,
        url: str,
        *,
        queue_size: int,
        lease_seconds: float,
        on_outage: Outage,
        observer: RedisObserver | None = None,
    ) -> Self:
        """Return a limiter at a Redis URL. Raises AddressError."""
        return cls(
            connect(url, timeout_seconds=call_seconds(lease_seconds)),
            queue_size=queue_size,
            lease_seconds=lease_seconds,
            on_outage=on_outage,
            observer=observer,
        )

    @property
    def degraded(self) -> bool:
        """Whether slots of some model are counted without Redis."""
        return any(books.away for _, books in self._models.values())

    @property
    def leases_expired(self) -> int:
        """How many slots came back because nobody renewed them."""
        return self.counts.expired

    @property
    def replicas(self) -> int:
        """How many replicas share the limits, as last heard."""
        return len(self._roster.replicas)

    def take(self, scope: Scope) -> Slot | None:
        """Return None, as Redis has to be asked."""
        del scope
        return None

    async def acquire(self, scope: Scope, *, timeout_seconds: float) -> Slot:
        """Return a slot; see the port. Raises SlotsUnavailable, too."""
        lobby, books = self._model(scope.model)
        began = monotonic()
        while True:
            left_seconds = max(0.0, timeout_seconds - (monotonic() - began))
            slot = await lobby.acquire(scope, timeout_seconds=left_seconds)
            if not books.overslept(slot):
                return slot
            lobby.release(slot)

    def release(self, slot: Slot, *, after_seconds: float = 0.0) -> None:
        """Give a slot back; see the port."""
        lobby, _ = self._model(slot.scope.model)
        lobby.release(slot, after_seconds=after_seconds)

    def recheck(self, model: str) -> None:
        """Read again what is waited for; see the port."""
        for lobby, _ in self._models.values():
            if model in ("", lobby.model):
                lobby.recheck()

    def remaining(self, scope: Scope) -> int:
        """Return how many more could start; see the port."""
        lobby, books = self._model(scope.model)
        return max(0, books.allowance(scope.tenant, scope.limit) - lobby.tenants.get(scope.tenant, 0))

    def snapshot(self) -> list[Occupancy]:
        """Return who uses how much; see the port."""
        return [
            row for lobby, books in self._models.values() for row in occupancies(lobby, elsewhere=books.elsewhere)
        ]

    async def start(self) -> None:
        """Get to know the other replicas, if Redis answers, and stay in touch."""
        with suppress(Away):
            await self._be_seen()
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._beat()), loop.create_task(self._listen())]
        with suppress(TimeoutError):
            await asyncio.wait_for(self._listening.wait(), CALL_SECONDS)

    async def aclose(self) -> None:
        """Tell Redis what was given back last, and take leave."""
        await end(self._tasks)
        for lobby, _ in self._models.values():
            lobby.close(unavailable())
        await asyncio.gather(*(books.aclose(timeout_seconds=CALL_SECONDS) for _, books in self._models.values()))
        with suppress(Away):
            await self.link.be_seen(self.replica, lease_ms=0)
        await self.link.client.aclose()

    def _model(self, name: str) -> tuple[Lobby, SharedBooks]:
        model = self._models.get(name)
        if model is None:
            lobby = Lobby(name, queue_size=self._queue_size, check_seconds=self._check_seconds)
            books = SharedBooks(
                lobby,
                link=self.link,
                roster=self._roster,
                lease_seconds=self._lease_seconds,
                on_outage=self._on_outage,
                counts=self.counts,
            )
            lobby.books = books
            model = self._models[name] = (lobby, books)
        return model

    async def _beat(self) -> None:
        """Be seen, renew leases, and come back to Redis where it was away."""
        while True:
            self._renew(at_once=False)
            with suppress(Away):
                known = await self._be_seen()
                if not known:
                    self._renew(at_once=True)
                if self._listening.is_set():
                    await asyncio.gather(*(books.come_back() for _, books in self._models.values()))
            await asyncio.sleep(self._beat_seconds)

    async def _be_seen(self) -> bool:
        known, replicas = await self.link.be_seen(self.replica, lease_ms=round(self._lease_seconds * 1000))
        self._roster.see(replicas, now=asyncio.get_running_loop().time())
        return known

    def _renew(self, *, at_once: bool) -> None:
        """Renew all leases when it is time; ``at_once`` because Redis seems to have forgotten who is there."""
        now = asyncio.get_running_loop().time()
        if at_once or now - self._renewed_at >= self._lease_seconds / 3 - self._beat_seconds:
            self._renewed_at = now
            for _, books in self._models.values():
                books.renew()

    async def _listen(self) -> None:
        """Hear of turns and of other replicas; what is missed meanwhile is asked for every second."""
        channels = (NEWS, TURNS + self.replica)
        while True:
            try:
                async with self.link.client.pubsub() as subscription:
                    await subscription.subscribe(*channels)
                    await self._attend(subscription, channels=len(channels))
            except FAULTS as fault:
                self.link.observer.count_redis_error("subscribe", kind=kind_of(fault))
            self._listening.clear()
            await asyncio.sleep(self._beat_seconds)

    async def _attend(self, subscription: PubSub, *, channels: int) -> None:
        """
        Hear whatever is said, until something goes wrong.

        Whoever only listens would never learn that nobody is there any more: long silence is asked about.
        """
        silent = False
        while True:
            message = await subscription.get_message(timeout=CALL_SECONDS)
            if message is None:
                if silent:
                    raise TimeoutError("Redis does not say that it is there.")
                await subscription.ping()
            elif message["type"] == "message":
                self._hear(message["channel"].decode(), message["data"])
            elif message["type"] == "subscribe" and message["data"] == channels:
                self._listening.set()
                self._renew(at_once=True)
            silent = message is None

    def _hear(self, channel: str, data: bytes) -> None:
        """Take in a message. Databases share their channels: one that cannot be read is of another gateway."""
        try:
            self._understand(channel, data)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            self.link.observer.count_redis_error("subscribe", kind=kind_of(error))

    def _understand(self, channel: str, data: bytes) -> None:
        if channel == NEWS:
            self._note(*decode_news(data))
        else:
            name, turns = decode_turns(data)
            for turn in turns:
                self._model(name)[1].turn(turn)

    def _note(self, kind: str, about: str, what: Any) -> None:
        """Note what all replicas are told: of each other, of new books, of who took more than its share."""
        match kind:
            case "joined":
                self._roster.join(about, now=asyncio.get_running_loop().time())
            case "left":
                self._roster.leave(about)
            case "roll":
                self._model(about)[1].renew()
            case "marks":
                self._roster.mark(about, msgspec.convert(what, list[tuple[str, int]]))


def call_seconds(lease_seconds: float) -> float:
    """Return how long Redis may take for an answer: not so long that what it answers is over, or leases end."""
    return min(CALL_SECONDS, lease_seconds / 2)
