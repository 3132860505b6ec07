"""Slots shared through a real Redis: leases, lost messages, round trips, and Redis gone in every way it can go."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable

import msgspec
import pytest

from gateway.errors import RateLimited, SlotsUnavailable
from gateway.limits.ledger import Turn
from gateway.limits.link import NEWS, REPLICAS, Away, end
from gateway.limits.redis import RedisLimiter, call_seconds
from gateway.limits.wire import Reply, Request
from tests.limits.conftest import LEASE_SECONDS, StartReplica
from tests.limits.redis_proxy import RedisProxy
from tests.limits.requests import MODEL, Requests, scope, until
from tests.redis_server import RedisServer


async def know_each_other(*replicas: RedisLimiter) -> None:
    await until(lambda: all(one.replicas == len(replicas) for one in replicas))


async def holder_and_waiter(one: RedisLimiter, never_asks: RedisLimiter) -> tuple[Requests, Requests]:
    """Have one replica hold the only slot, and another wait for it that does not ask what became of it."""
    never_asks._check_seconds = 3600
    holding, waiting = Requests(one), Requests(never_asks)
    await holding.join("holder", scope(limit=1))
    await holding.until_served("holder")
    await waiting.join("waiting", scope(limit=1))
    await waiting.until_waiting(1)
    return holding, waiting


async def die(replica: RedisLimiter) -> None:
    """End as a process does that is killed: without a word."""
    await end(replica._tasks)
    for _, books in replica._models.values():
        books._closed = True


def held(server: RedisServer) -> int:
    """Return how many slots the books in Redis count."""
    return server.number("HGET", f"glm-gateway:{{{MODEL}}}:counts", "account:main")


@pytest.mark.parametrize("limiters", [1, 2])
async def test_first_request_gets_a_slot_though_it_would_not_wait(
    own_redis: RedisServer, start_replica: StartReplica, limiters: int
) -> None:
    """New books are not open before all replicas have said what they hold; that does not make them full."""
    replicas = [await start_replica(own_redis) for _ in range(limiters)]

    slot = await replicas[0].acquire(scope(limit=1), timeout_seconds=0)

    with pytest.raises(RateLimited):
        await replicas[-1].acquire(scope(limit=1), timeout_seconds=0)
    assert slot.account == "main"


async def test_slot_that_was_given_back_is_no_longer_told_of(
    redis: RedisServer, start_replica: StartReplica
) -> None:
    """What others hold is as last heard; what is held here is exact."""
    here, there = [await start_replica(redis) for _ in range(2)]
    await there.acquire(scope(limit=5), timeout_seconds=20)
    slot = await here.acquire(scope(limit=5), timeout_seconds=20)
    await until(lambda: here.remaining(scope(limit=5)) == 3)

    here.release(slot)

    assert 4 == here.remaining(scope(limit=5))
    assert [(0, 1), (0, 1)] == [(row.here, row.everywhere) for row in here.snapshot()]


async def test_slot_goes_to_another_replica_when_it_is_given_back(
    redis: RedisServer, start_replica: StartReplica
) -> None:
    """Freed here, served there, and nobody has to ask."""
    one, other = await holder_and_waiter(await start_replica(redis), await start_replica(redis))

    one.free("holder")

    await other.until_served("waiting")


@pytest.mark.parametrize(
    "news", [b"?", msgspec.msgpack.encode(["marks", MODEL, "?"]), b"\x93\xa2\xff\xff\xa1?\xc0"]
)
async def test_news_that_nobody_understands_is_passed_over(
    redis: RedisServer, start_replica: StartReplica, news: bytes
) -> None:
    """All databases of a Redis share its channels: other gateways, and other versions, speak there too."""
    never_asks = await start_replica(redis)
    one, other = await holder_and_waiter(await start_replica(redis), never_asks)

    assert 2 == await never_asks.link.client.execute_command("PUBLISH", NEWS, news)
    one.free("holder")

    await other.until_served("waiting")


async def test_slot_comes_anyway_when_the_notice_of_it_is_lost(
    redis: RedisServer, start_replica: StartReplica
) -> None:
    """Whoever waits asks again, at least every second."""
    deaf = await start_replica(redis)
    await end(deaf._tasks[1:])
    one, other = Requests(await start_replica(redis)), Requests(deaf)
    await one.join("holder", scope(limit=1))
    await one.until_served("holder")
    await other.join("waiting", scope(limit=1))
    await other.until_waiting(1)

    one.free("holder")

    await other.until_served("waiting")


async def test_turns_are_heard_of_again_when_the_line_was_cut_without_a_word(
    redis: RedisServer, start_replica: StartReplica
) -> None:
    """A machine that is gone, as before a failover, closes no connection; whoever only listens has to ask."""
    proxy = RedisProxy(redis)
    async with proxy.listening():
        deaf = await start_replica(proxy)
        proxy.cut_off()
        await until(lambda: not deaf._listening.is_set())
        await until(deaf._listening.is_set)

        one, other = await holder_and_waiter(await start_replica(redis), deaf)
        one.free("holder")

        await other.until_served("waiting")


async def test_slots_return_when_their_replica_was_killed(redis: RedisServer, start_replica: StartReplica) -> None:
    """A lease that nobody renews ends, by the clock of Redis."""
    killed, other = await start_replica(redis), await start_replica(redis)
    await know_each_other(killed, other)
    for _ in range(2):
        await killed.acquire(scope(limit=2), timeout_seconds=5)

    await die(killed)

    assert "main" == (await other.acquire(scope(limit=2), timeout_seconds=3 * LEASE_SECONDS)).account


async def test_slot_is_kept_when_it_is_held_for_longer_than_a_lease(
    redis: RedisServer, start_replica: StartReplica
) -> None:
    """Holders renew."""
    one, other = await start_replica(redis), await start_replica(redis)
    slot = await one.acquire(scope(limit=1), timeout_seconds=5)

    with pytest.raises(RateLimited):
        await other.acquire(scope(limit=1), timeout_seconds=2 * LEASE_SECONDS)

    assert not slot.lost


@pytest.mark.parametrize("lease_seconds", [0.5, 1, 1.9, 2, 15])
def test_leases_are_renewed_in_time_though_redis_is_slow(lease_seconds: float) -> None:
    """They are told anew every third of a lease and a beat; what is heard after two thirds is not believed."""
    longest = call_seconds(lease_seconds)

    assert lease_seconds / 3 + longest < lease_seconds
    assert 0 < longest < lease_seconds * 2 / 3
    assert longest <= 1


async def test_holder_is_told_when_its_slot_was_given_to_another(
    redis: RedisServer, start_replica: StartReplica
) -> None:
    """A replica that slept through its lease learns what it lost, and takes nothing back from its new holder."""
    slept, other = await start_replica(redis), await start_replica(redis)
    await know_each_other(slept, other)
    slot = await slept.acquire(scope(limit=1), timeout_seconds=5)
    told = asyncio.Event()
    slot.on_lost(told.set)
    await end(slept._tasks)
    theirs = await other.acquire(scope(limit=1), timeout_seconds=3 * LEASE_SECONDS)

    slept._renew(at_once=True)
    await asyncio.wait_for(told.wait(), 2)
    slept.release(slot)

    assert slept.leases
    assert slot.lost
    assert not theirs.lost
    assert 1 == held(redis)


async def waiting_through_a_pause(slept: RedisLimiter, other: Requests) -> Requests:
    """Have somebody wait at one replica for what another holds; the first was paused for a lease since."""
    await other.join("holder", scope(limit=1))
    await other.until_served("holder")
    requests = Requests(slept)
    await requests.join("waiting", scope(limit=1))
    await requests.until_waiting(1)
    (waiter,) = slept._models[MODEL][0].waiting.values()
    waiter.told_at -= LEASE_SECONDS
    return requests


async def test_turn_is_asked_for_again_when_it_comes_later_than_its_lease(
    redis: RedisServer, start_replica: StartReplica
) -> None:
    """A replica that was paused finds turns in its sockets that others have had since."""
    slept, other = await start_replica(redis), Requests(await start_replica(redis))
    requests = await waiting_through_a_pause(slept, other)
    lobby, books = slept._models[MODEL]
    (waiter,) = lobby.waiting.values()

    books.turn(Turn(waiter.number, "main"))
    await until(lambda: books._talking is None)

    assert [] == requests.served
    other.free("holder")
    await requests.until_served("waiting")


async def test_turn_of_before_a_pause_is_none_though_redis_was_asked_since(
    redis: RedisServer, start_replica: StartReplica
) -> None:
    """It comes on another connection than the answer by which whoever waits is in line anew."""
    slept, other = await start_replica(redis), Requests(await start_replica(redis))
    requests = await waiting_through_a_pause(slept, other)
    lobby, books = slept._models[MODEL]
    (waiter,) = lobby.waiting.values()

    books.ask_again(waiter)
    await until(lambda: books._talking is None)
    books.turn(Turn(waiter.number, "main"))
    await until(lambda: books._talking is None)

    assert {} == lobby.held
    other.free("holder")
    await requests.until_served("waiting")


async def test_answer_is_asked_for_again_when_it_is_read_later_than_its_lease(
    redis: RedisServer, start_replica: StartReplica
) -> None:
    """What Redis granted before this replica was paused may be somebody else's when it wakes up."""
    slept, other = await start_replica(redis), Requests(await start_replica(redis))
    slept.release(await slept.acquire(scope(limit=1), timeout_seconds=5))
    await until(lambda: held(redis) == 0)
    await end(slept._tasks)
    ask = slept.link.ask
    slept_once = asyncio.Event()

    async def ask_and_sleep(request: Request) -> Reply:
        reply = await ask(request)
        if not slept_once.is_set():
            slept_once.set()
            await other.join("holder", scope(limit=1))
            await other.until_served("holder")
            slept._models[MODEL][1]._sent_at -= LEASE_SECONDS
        return reply

    slept.link.ask = ask_and_sleep  # type: ignore[method-assign]

    with pytest.raises(RateLimited):
        await slept.acquire(scope(limit=1), timeout_seconds=3)
    assert ["holder"] == other.served


async def test_slot_is_asked_for_again_when_it_is_taken_up_later_than_its_lease(
    redis: RedisServer, start_replica: StartReplica
) -> None:
    """A process may be paused between the answer of Redis and the request that it is for."""
    replica = await start_replica(redis)
    lobby, _ = replica._model(MODEL)
    grant = lobby.grant
    granted: list[int] = []

    def grant_and_sleep(number: int, account: str) -> bool:
        was_there = grant(number, account)
        if not granted:
            time.sleep(LEASE_SECONDS)  # as a process that is stopped does
        granted.append(number)
        return was_there

    lobby.grant = grant_and_sleep  # type: ignore[method-assign]

    slot = await replica.acquire(scope(limit=1), timeout_seconds=5)

    assert (2, slot.number) == (len(set(granted)), granted[-1])
    await until(lambda: held(redis) == 1)


async def test_round_trips_are_two_when_a_request_comes_alone(
    redis: RedisServer, start_replica: StartReplica
) -> None:
    """One to enter, one to leave."""
    limiter = await start_replica(redis, lease_seconds=600)
    limiter.release(await limiter.acquire(scope(), timeout_seconds=5))
    await until(lambda: held(redis) == 0)
    await end(limiter._tasks)
    before = redis.calls("evalsha")

    slot = await limiter.acquire(scope(), timeout_seconds=5)
    entered = redis.calls("evalsha") - before
    limiter.release(slot)
    await until(lambda: held(redis) == 0)

    assert (1, 2) == (entered, redis.calls("evalsha") - before)


async def test_round_trips_are_shared_when_requests_coincide(
    redis: RedisServer, start_replica: StartReplica
) -> None:
    """A hundred requests of one tick enter in one call and leave in one."""
    limiter = await start_replica(redis, lease_seconds=600)
    wide = scope(limit=100, main=100)
    limiter.release(await limiter.acquire(wide, timeout_seconds=5))
    await until(lambda: held(redis) == 0)
    await end(limiter._tasks)
    before = redis.calls("evalsha")

    slots = await asyncio.gather(*(limiter.acquire(wide, timeout_seconds=5) for _ in range(100)))
    for slot in slots:
        limiter.release(slot)
    await until(lambda: held(redis) == 0)

    assert 2 == redis.calls("evalsha") - before


async def test_slot_that_was_to_be_given_back_soon_is_not_left_when_a_replica_ends(
    redis: RedisServer, start_replica: StartReplica
) -> None:
    limiter = await start_replica(redis)
    slot = await limiter.acquire(scope(), timeout_seconds=5)
    limiter.release(slot, after_seconds=60)

    await limiter.aclose()

    assert 0 == held(redis)


async def test_replica_is_not_awaited_when_it_was_seen_before_the_clock_was_set_back(
    redis: RedisServer, start_replica: StartReplica
) -> None:
    """Redis' own clock may go wrong and be mended; who was killed meanwhile would count until then."""
    seconds, _ = redis.ask("TIME")
    redis.ask("ZADD", REPLICAS, (seconds + 3600) * 1000, "killed", (seconds + 60) * 1000, "patient")

    replica = await start_replica(redis)

    assert 2 == replica.replicas


async def test_line_is_left_when_a_replica_ends(redis: RedisServer, start_replica: StartReplica) -> None:
    """Nobody stands behind those who waited there, and no slot is kept for them until their leases end."""
    ending = await start_replica(redis, lease_seconds=60)
    one, other = await holder_and_waiter(await start_replica(redis, lease_seconds=60), ending)

    await ending.aclose()

    with pytest.raises(SlotsUnavailable):
        await other.until_served("waiting")
    assert 0 == redis.number("ZCARD", f"glm-gateway:{{{MODEL}}}:lines")
    one.free("holder")


async def test_nothing_is_left_in_redis_when_all_have_gone(
    redis: RedisServer, start_replica: StartReplica
) -> None:
    """Idle books leave one key, which ends by itself."""
    limiter = await start_replica(redis)
    limiter.release(await limiter.acquire(scope(), timeout_seconds=5))

    await limiter.aclose()

    head = f"glm-gateway:{{{MODEL}}}:head"
    assert [head.encode()] == redis.ask("KEYS", "*")
    assert redis.number("PTTL", head) > 0


def flush(server: RedisServer) -> None:
    server.ask("FLUSHALL")


def forget_scripts(server: RedisServer) -> None:
    server.ask("SCRIPT", "FLUSH")


def restart(server: RedisServer) -> None:
    server.kill()
    server.start()


def restart_with_old_books(server: RedisServer) -> None:
    """Come back with what was saved before anything was held."""
    server.kill()
    server.saved.rename(server.dump)
    server.start()


def both(server: RedisServer) -> None:
    flush(server)
    forget_scripts(server)


@pytest.mark.parametrize(
    "harm", [flush, forget_scripts, restart, restart_with_old_books, both], ids=lambda harm: harm.__name__
)
async def test_nobody_enters_beyond_the_limit_when_redis_forgets(
    own_redis: RedisServer, start_replica: StartReplica, harm: Callable[[RedisServer], None]
) -> None:
    """What replicas hold is in the new books before anybody is admitted, even by one that nobody has heard of."""
    one, other = [await start_replica(own_redis, lease_seconds=60) for _ in range(2)]
    await know_each_other(one, other)
    one.release(await one.acquire(scope(limit=3), timeout_seconds=5))
    await until(lambda: held(own_redis) == 0)
    own_redis.save()
    slots = [await replica.acquire(scope(limit=3), timeout_seconds=5) for replica in (one, other, other)]

    harm(own_redis)
    newcomer = await start_replica(own_redis, lease_seconds=60)
    refused = await asyncio.gather(
        *(each.acquire(scope(limit=3), timeout_seconds=LEASE_SECONDS) for each in (newcomer, one, other)),
        return_exceptions=True,
    )

    assert [RateLimited] * 3 == [type(one) for one in refused]
    assert not any(slot.lost for slot in slots)
    await until(lambda: held(own_redis) == 3)
    one.release(slots[0])
    assert "main" == (await newcomer.acquire(scope(limit=3), timeout_seconds=5)).account


async def test_newcomer_awaits_others_when_books_are_from_before(
    own_redis: RedisServer, start_replica: StartReplica
) -> None:
    """A server that has never run the script may have missed the last that was written."""
    silent = await start_replica(own_redis, lease_seconds=60)
    silent.release(await silent.acquire(scope(limit=1), timeout_seconds=5))
    await until(lambda: held(own_redis) == 0)
    own_redis.save()
    await silent.acquire(scope(limit=1), timeout_seconds=5)
    await die(silent)

    restart_with_old_books(own_redis)
    newcomer = await start_replica(own_redis, lease_seconds=60)

    with pytest.raises(RateLimited):
        await newcomer.acquire(scope(limit=1), timeout_seconds=1.5)


async def test_slots_outlast_what_fills_redis(own_redis: RedisServer, start_replica: StartReplica) -> None:
    """As the README advises: what has an end and was asked for longest ago goes, what is held stays booked."""
    replica = await start_replica(own_redis)
    slots = [await replica.acquire(scope(limit=2), timeout_seconds=1) for _ in range(2)]
    room = own_redis.ask("INFO", "memory")["used_memory"] + 8 * 2**20
    own_redis.ask("CONFIG", "SET", "maxmemory", room, "maxmemory-policy", "volatile-lru")
    memories = "for n = 1, 100 do redis.call('SET', ARGV[1] .. n, string.rep('x', 1000), 'PX', 3600000) end"

    for batch in range(120):
        if batch == 60:
            await asyncio.sleep(
                2
            )  # Redis tells ages in seconds: what was kept so far is older than any renewal then.
        await asyncio.to_thread(own_redis.ask, "EVAL", memories, 0, batch)  # The replica goes on meanwhile.
    with pytest.raises(RateLimited):
        await replica.acquire(scope(limit=2), timeout_seconds=0.1)

    assert own_redis.ask("INFO", "stats")["evicted_keys"] > 3000
    assert (2, False) == (held(own_redis), replica.degraded)
    for slot in slots:
        replica.release(slot)
    await until(lambda: held(own_redis) == 0)


def kill(server: RedisServer) -> None:
    server.kill()


def stall(server: RedisServer) -> None:
    server.stall()


def make_read_only(server: RedisServer) -> None:
    server.ask("REPLICAOF", "127.0.0.1", 1)


def fill(server: RedisServer) -> None:
    server.ask("CONFIG", "SET", "maxmemory", 1)


def recover(server: RedisServer) -> None:
    server.resume() if server.running else server.start()
    server.ask("REPLICAOF", "NO", "ONE")
    server.ask("CONFIG", "SET", "maxmemory", 0)


HARM = pytest.mark.parametrize("harm", [kill, stall, make_read_only, fill], ids=lambda harm: harm.__name__)


@HARM
async def test_replica_keeps_to_its_share_when_redis_is_away(
    own_redis: RedisServer, start_replica: StartReplica, harm: Callable[[RedisServer], None]
) -> None:
    """Five slots of two replicas: three of the first and two of the second, and all shared again afterwards."""
    one, other = await start_replica(own_redis), await start_replica(own_redis)
    await know_each_other(one, other)
    requests = [Requests(one), Requests(other)]
    for replica in requests:
        await replica.join("before", scope(limit=5))
        await replica.until_served("before")

    harm(own_redis)
    for replica in requests:
        for number in range(5):
            await replica.join(f"{number}", scope(limit=5))
    await until(lambda: sum(len(replica.served) for replica in requests) == 5)
    with pytest.raises(RateLimited):
        await one.acquire(scope(limit=5), timeout_seconds=0.05)

    assert [2, 3] == sorted(len(replica.served) for replica in requests)
    assert one.degraded
    recover(own_redis)
    await until(lambda: not one.degraded and not other.degraded and held(own_redis) == 5)
    for replica in requests:
        replica.free("before")
    await until(lambda: sum(len(replica.served) for replica in requests) == 7)
    assert not any(slot.lost for replica in requests for slot in replica.slots.values())


@pytest.mark.parametrize(("on_outage", "left"), [("share", {2, 3}), ("refuse", {0})])
async def test_callers_are_told_of_what_they_may_have_while_redis_is_away(
    own_redis: RedisServer, start_replica: StartReplica, on_outage: str, left: set[int]
) -> None:
    """Not of the whole limit, of which the others have the rest."""
    replicas = [await start_replica(own_redis, on_outage=on_outage) for _ in range(2)]
    await know_each_other(*replicas)
    slots = [await replica.acquire(scope(limit=7), timeout_seconds=5) for replica in replicas]

    own_redis.kill()
    await until(lambda: all(replica.degraded for replica in replicas))

    assert left == {replica.remaining(scope(limit=7)) for replica in replicas}
    for replica, slot in zip(replicas, slots, strict=True):
        replica.release(slot)


async def test_share_is_less_when_another_took_more_than_its_own(
    own_redis: RedisServer, start_replica: StartReplica
) -> None:
    """Nobody admits into what another still holds."""
    one, other = [await start_replica(own_redis, lease_seconds=60) for _ in range(2)]
    await know_each_other(one, other)
    for _ in range(4):
        await one.acquire(scope(limit=4), timeout_seconds=5)
    await until(lambda: other._roster.marks[MODEL][one.replica].get("tenant:a") == 4)

    own_redis.kill()

    with pytest.raises(RateLimited):
        await other.acquire(scope(limit=4), timeout_seconds=0.2)


async def test_books_are_made_whole_when_the_address_leads_to_another_primary(
    own_redis: RedisServer, redis: RedisServer, start_replica: StartReplica
) -> None:
    """The old one takes no more writes, and drops nobody who is connected to it."""
    proxy = RedisProxy(own_redis)
    async with proxy.listening():
        replica = await start_replica(proxy)
        slot = await replica.acquire(scope(), timeout_seconds=5)

        proxy.lead_to(redis)
        own_redis.ask("REPLICAOF", "127.0.0.1", redis.port)

        await until(lambda: held(redis) == 1 and not replica.degraded)
        assert not slot.lost


async def test_turn_is_none_when_it_is_heard_of_without_redis(
    own_redis: RedisServer, start_replica: StartReplica
) -> None:
    """What Redis gave out before it went away is not of this replica's share."""
    replica = await start_replica(own_redis, lease_seconds=60)
    requests = Requests(replica)
    await requests.join("holder", scope(limit=1))
    await requests.until_served("holder")
    await requests.join("waiting", scope(limit=1))
    await requests.until_waiting(1)
    lobby, books = replica._models[MODEL]
    (waiter,) = lobby.waiting.values()

    own_redis.kill()
    await until(lambda: replica.degraded)
    books.turn(Turn(waiter.number, "main"))

    assert (["holder"], 1) == (requests.served, len(lobby.held))
    requests.free("holder")
    await requests.until_served("waiting")


async def test_callers_are_refused_when_redis_is_away_and_settings_say_so(
    own_redis: RedisServer, start_replica: StartReplica
) -> None:
    """What is under way finishes; what waits and what comes gets a 503."""
    limiter = await start_replica(own_redis, on_outage="refuse")
    requests = Requests(limiter)
    for name in ("holder", "waiting"):
        await requests.join(name, scope(limit=1))
    await requests.until_served("holder")

    own_redis.kill()

    with pytest.raises(SlotsUnavailable):
        await requests.until_served("waiting")
    with pytest.raises(SlotsUnavailable):
        await limiter.acquire(scope("b"), timeout_seconds=5)
    requests.free("holder")
    own_redis.start()
    await until(lambda: not limiter.degraded)
    assert "main" == (await limiter.acquire(scope(limit=1), timeout_seconds=5)).account


async def test_callers_are_refused_when_redis_was_never_there(
    own_redis: RedisServer, start_replica: StartReplica
) -> None:
    """Who does not know how many replicas there are has no share; it begins when Redis does."""
    own_redis.kill()
    limiter = await start_replica(own_redis)

    with pytest.raises(SlotsUnavailable):
        await limiter.acquire(scope(), timeout_seconds=5)

    own_redis.start()
    await until(lambda: not limiter.degraded)
    assert "main" == (await limiter.acquire(scope(), timeout_seconds=5)).account


async def test_callers_are_refused_when_a_cluster_was_never_there() -> None:
    """What its client raises is no error of Redis to the client's own mind."""
    limiter = RedisLimiter.create(
        "redis+cluster://127.0.0.1:1", queue_size=3, lease_seconds=LEASE_SECONDS, on_outage="share"
    )
    await limiter.start()

    with pytest.raises(SlotsUnavailable):
        await limiter.acquire(scope(), timeout_seconds=5)

    await limiter.aclose()


async def test_nobody_waits_longer_than_told_when_redis_stalls(
    own_redis: RedisServer, start_replica: StartReplica
) -> None:
    """A socket that is silent costs no more than the queue timeout."""
    limiter = await start_replica(own_redis)
    slot = await limiter.acquire(scope(limit=1), timeout_seconds=5)

    own_redis.stall()
    async with asyncio.timeout(0.9):
        with pytest.raises(RateLimited):
            await limiter.acquire(scope(limit=1), timeout_seconds=0.1)

    limiter.release(slot)
    own_redis.resume()


async def test_release_is_not_lost_when_redis_is_away_for_a_moment(
    own_redis: RedisServer, start_replica: StartReplica
) -> None:
    """What was given back meanwhile is told when Redis is back, before the lease would have ended."""
    one, other = await start_replica(own_redis, lease_seconds=60), await start_replica(own_redis, lease_seconds=60)
    slot = await one.acquire(scope(limit=1), timeout_seconds=5)

    make_read_only(own_redis)
    one.release(slot)
    await until(lambda: one.degraded)
    recover(own_redis)

    assert "main" == (await other.acquire(scope(limit=1), timeout_seconds=10)).account


async def test_release_is_not_lost_when_it_comes_before_an_answer_that_was(
    own_redis: RedisServer, start_replica: StartReplica
) -> None:
    """Redis has written down what is held, but the replica does not know it, and gives the slot back meanwhile."""
    limiter = await start_replica(own_redis, lease_seconds=60)
    slot = await limiter.acquire(scope(limit=1), timeout_seconds=5)
    ask = limiter.link.ask
    unheard = asyncio.Event()

    async def ask_and_lose_an_answer(request: Request) -> Reply:
        reply = await ask(request)
        if request.call_roll and not unheard.is_set():
            unheard.set()
            limiter.release(slot)
            raise Away("The answer was lost.")
        return reply

    make_read_only(own_redis)
    limiter._renew(at_once=True)
    await until(lambda: limiter.degraded)
    limiter.link.ask = ask_and_lose_an_answer  # type: ignore[method-assign]
    recover(own_redis)
    await until(lambda: unheard.is_set() and not limiter.degraded)

    assert 0 == held(own_redis)


async def test_nothing_is_missed_that_happens_while_the_books_are_made_whole(
    own_redis: RedisServer, start_replica: StartReplica
) -> None:
    """What is given back then is free at once, and who comes then stands in line at once."""
    limiter = await start_replica(own_redis, lease_seconds=60)
    requests = Requests(limiter)
    await requests.join("holder", scope(limit=1))
    await requests.until_served("holder")
    ask = limiter.link.ask

    async def ask_while_much_happens(request: Request) -> Reply:
        reply = await ask(request)
        if request.call_roll:
            requests.free("holder")
            await requests.join("newcomer", scope(limit=1))
        return reply

    make_read_only(own_redis)
    limiter._renew(at_once=True)
    await until(lambda: limiter.degraded)
    limiter._model(MODEL)[0]._check_seconds = 3600
    limiter.link.ask = ask_while_much_happens  # type: ignore[method-assign]
    recover(own_redis)

    await until(lambda: "newcomer" in requests.served and not limiter.degraded)
    assert 1 == held(own_redis)


async def test_waiters_keep_their_order_when_redis_comes_back(
    own_redis: RedisServer, start_replica: StartReplica
) -> None:
    """Whoever waited through the outage is served in the order of arrival."""
    limiter = await start_replica(own_redis)
    requests = Requests(limiter)
    for name in ("holder", "first"):
        await requests.join(name, scope(limit=1))
    await requests.until_waiting(1)
    await requests.until_served("holder")

    own_redis.kill()
    await until(lambda: limiter.degraded)
    for name in ("second", "third"):
        await requests.join(name, scope(limit=1))
    own_redis.start()
    await until(lambda: not limiter.degraded)
    for name in ("holder", "first", "second"):
        requests.free(name) if name in requests.slots else None
        await until(lambda done=name: done != requests.served[-1])  # type: ignore[misc]
    await requests.until_served("third")

    assert ["holder", "first", "second", "third"] == requests.served


class Observer:
    """Notes which calls of Redis there were, and what became of those that failed."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.errors: set[tuple[str, str]] = set()

    def redis_call(self, operation: str) -> Callable[[float], None]:
        def observe(seconds: float) -> None:
            assert seconds >= 0
            self.calls[operation] += 1

        return observe

    def count_redis_error(self, operation: str, *, kind: str) -> None:
        self.errors.add((operation, kind))


@pytest.mark.parametrize(
    ("harm", "kinds"),
    [
        (kill, {("script", "connect"), ("ping", "connect"), ("subscribe", "connect")}),
        (stall, {("script", "timeout"), ("ping", "timeout")}),
        (make_read_only, {("script", "readonly"), ("ping", "readonly")}),
        (fill, {("script", "full")}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_calls_of_redis_are_told_with_what_became_of_them(
    own_redis: RedisServer,
    start_replica: StartReplica,
    harm: Callable[[RedisServer], None],
    kinds: set[tuple[str, str]],
) -> None:
    """By what they were for: slots, being seen, hearing of others."""
    observer = Observer()
    limiter = await start_replica(own_redis, observer=observer)
    limiter.release(await limiter.acquire(scope(), timeout_seconds=5))
    assert (observer.calls["script"] >= 1, observer.calls["ping"] >= 1, set()) == (True, True, observer.errors)

    harm(own_redis)
    await until(lambda: limiter.degraded and kinds <= observer.errors)

    recover(own_redis)
