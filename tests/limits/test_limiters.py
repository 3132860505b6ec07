"""
What every limiter promises, in memory and in Redis alike.

The nine rules of slots, and the tests that fail when one is broken; those without a file are here:

1. Never more than the limit: test_limits_hold_when_many_come_at_once, the machines of test_memory.py and
   test_machine.py, test_ledger_lua.py, and test_outages.py while Redis is harmed.
2. Fair: test_first_come_is_first_served_…, test_tenants_are_served_in_turn_…, test_newcomer_waits_behind_…; in
   any order of events in test_machine.py.
3. Bounded waiting: test_caller_is_refused_when_its_wait_is_over, …_at_once_when_the_line_is_full,
   …_at_once_when_it_would_wait_in_vain, test_line_is_shorter_at_once_when_a_waiter_leaves; what the caller is
   told, in tests/exchange/test_refusals.py.
4. Given back once, at once: test_nothing_happens_when_a_slot_is_given_back_twice; however an exchange ends, in
   tests/contract/test_disconnect.py and tests/exchange/test_exchange.py.
5. Leases, in test_redis.py: test_slots_return_when_their_replica_was_killed, test_slot_is_kept_when_…,
   test_holder_is_told_when_its_slot_was_given_to_another.
6. Hand-off, in test_redis.py: test_slot_goes_to_another_replica_…, test_slot_comes_anyway_….
7. Redis away, in test_redis.py: test_replica_keeps_to_its_share_…, test_callers_are_refused_…,
   test_nobody_enters_beyond_the_limit_when_redis_forgets; shares in test_roster.py.
8. Learns: test_health.py, tests/exchange/test_accounts.py; over real sockets in tests/contract/test_accounts.py.
9. Cheap, in test_redis.py: test_round_trips_are_two_…, test_round_trips_are_shared_….
"""

import asyncio
from collections import Counter
from itertools import pairwise

import pytest

from gateway.errors import NoAccount, RateLimited
from gateway.limits.limiter import AccountLimit, Limiter, Scope
from gateway.limits.memory import MemoryLimiter
from gateway.limits.pace import ENOUGH, Pace
from gateway.limits.redis import RedisLimiter
from tests.limits.requests import MODEL, Requests, scope, until


async def test_limits_hold_when_many_come_at_once(limiter: Limiter) -> None:
    """Never more than a tenant's and an account's limit at any instant, and everybody is served in the end."""
    tenants = {"a": 1, "b": 2, "c": 9}
    accounts = {"main": 3, "spare": 1}
    held: Counter[str] = Counter()
    most: Counter[str] = Counter()

    async def work(tenant: str) -> None:
        for _ in range(5):
            slot = await limiter.acquire(scope(tenant, limit=tenants[tenant], **accounts), timeout_seconds=20)
            held.update((tenant, slot.account))
            most.update({one: held[one] - most[one] for one in held if held[one] > most[one]})
            await asyncio.sleep(0)
            held.subtract((tenant, slot.account))
            limiter.release(slot)

    await asyncio.gather(*(work(tenant) for tenant in "aabbbccc"))

    assert {**accounts, "a": 1, "b": 2} == {one: most[one] for one in (*accounts, "a", "b")}
    assert all(row.here == 0 for row in limiter.snapshot())


async def test_first_come_is_first_served_when_a_tenant_waits(requests: Requests) -> None:
    """A line of one tenant moves in the order of arrival, each with its place in line."""
    for name in ("first", "second", "third"):
        await requests.join(name, scope(limit=1))

    for name in ("first", "second", "third"):
        await requests.until_served(name)
        requests.free(name) if name != "third" else None

    assert ["first", "second", "third"] == requests.served


async def test_slot_is_taken_at_once_only_when_nobody_is_passed_by_it(limiter: Limiter) -> None:
    """Who asks for a free slot gets none beyond the limit, and none that somebody stands in line for."""
    requests = Requests(limiter)
    await requests.join("first", scope(limit=1))
    await requests.join("second", scope(limit=1))
    await requests.until_served("first")

    assert limiter.take(scope(limit=1)) is None
    assert limiter.take(scope(limit=2)) is None

    requests.free("first")
    await requests.until_served("second")
    requests.free("second")
    assert ["first", "second"] == requests.served
    assert all(row.here == 0 for row in limiter.snapshot())


async def test_tenants_are_served_in_turn_when_they_wait_for_the_same_account(requests: Requests) -> None:
    """One caller's flood does not starve another."""
    await requests.join("holder", scope("z", main=1))
    await requests.until_served("holder")
    for name, tenant in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("c1", "c")):
        await requests.join(name, scope(tenant, main=1))

    for count in range(1, 6):
        requests.free(requests.served[-1])
        await until(lambda wanted=count + 1: len(requests.served) == wanted)  # type: ignore[misc]

    assert ["holder", "a1", "b1", "c1", "a2", "a3"] == requests.served


async def test_other_tenant_enters_when_only_the_first_is_full(requests: Requests) -> None:
    """A line of one tenant's own making is nobody else's."""
    for name in ("a1", "a2"):
        await requests.join(name, scope("a", limit=1))

    await requests.join("b1", scope("b", limit=1))
    await requests.until_served("a1", "b1")

    assert ["a1", "b1"] == requests.served
    await requests.leave("a2")


async def test_newcomer_waits_behind_the_line_when_its_limit_was_raised(requests: Requests) -> None:
    """A changed limit does not let later requests of a tenant pass earlier ones."""
    for name in ("holder", "waiting"):
        await requests.join(name, scope(limit=1))
    await requests.until_served("holder")

    await requests.join("later", scope(limit=5))
    await requests.until_waiting(2)
    requests.free("holder")
    await requests.until_served("waiting", "later")

    assert ["holder", "waiting", "later"] == requests.served


async def test_least_loaded_account_is_taken_when_there_are_several(limiter: Limiter) -> None:
    """Load is what is held in proportion to the account's limit, and an account put aside is left alone."""
    where = scope(limit=10, small=2, aside=0, large=4)

    slots = [await limiter.acquire(where, timeout_seconds=20) for _ in range(6)]

    assert ["small", "large", "large", "small", "large", "large"] == [slot.account for slot in slots]
    with pytest.raises(RateLimited):
        await limiter.acquire(where, timeout_seconds=0)


async def test_caller_is_refused_when_its_wait_is_over(limiter: Limiter) -> None:
    """A wait ends with the queue timeout and an advice when to come back."""
    slot = await limiter.acquire(scope(limit=1), timeout_seconds=20)

    with pytest.raises(RateLimited, match=r"allows 1 requests at once for glm-4\.7\. None became free") as refused:
        await limiter.acquire(scope(limit=1), timeout_seconds=0.01)

    assert (1, "rate_limit_exceeded") == (refused.value.retry_after_seconds, refused.value.code)
    limiter.release(slot)


async def test_caller_is_refused_at_once_when_the_line_is_full(limiter: Limiter, requests: Requests) -> None:
    """The bound is on the waiters of one tenant for one model."""
    for number in range(4):
        await requests.join(f"{number}", scope(limit=1))

    with pytest.raises(RateLimited, match="3 of your requests are waiting") as refused:
        await limiter.acquire(scope(limit=1), timeout_seconds=20)

    assert "queue_full" == refused.value.code
    await requests.join("other", scope("b", limit=1))
    await requests.until_served("other")


async def test_line_is_shorter_at_once_when_a_waiter_leaves(requests: Requests) -> None:
    """Nobody stands behind one who has left, and its place is free for another."""
    await requests.join("holder", scope(limit=1))
    await requests.until_served("holder")
    for name in ("leaving", "staying", "last"):
        await requests.join(name, scope(limit=1))
    await requests.until_waiting(3)

    await requests.leave("leaving")
    await requests.join("newcomer", scope(limit=1))
    order = ["holder", "staying", "last", "newcomer"]
    for served, following in pairwise(order):
        requests.free(served)
        await requests.until_served(following)

    assert order == requests.served
    assert 3 == requests.slots["newcomer"].position


async def test_turn_is_passed_on_when_its_owner_is_cancelled_in_that_moment(requests: Requests) -> None:
    """Given and cancelled in one tick of the loop: the slot goes to the next, not to nobody."""
    for name in ("holder", "leaving", "staying"):
        await requests.join(name, scope(limit=1))
    await requests.until_served("holder")

    requests.free("holder")
    await requests.leave("leaving")
    await requests.until_served("staying")

    assert ["holder", "staying"] == requests.served


async def test_turn_is_passed_on_when_its_owner_has_just_been_cancelled(requests: Requests) -> None:
    """Cancelled and given in one tick of the loop: again the slot goes to the next."""
    for name in ("holder", "leaving", "staying"):
        await requests.join(name, scope(limit=1))
    await requests.until_served("holder")

    requests.tasks["leaving"].cancel()
    requests.free("holder")
    await requests.until_served("staying")

    assert ["holder", "staying"] == requests.served


async def test_nothing_happens_when_a_slot_is_given_back_twice(limiter: Limiter) -> None:
    """A slot counts until it is given back, and no longer."""
    kept = await limiter.acquire(scope(limit=2), timeout_seconds=20)
    slot = await limiter.acquire(scope(limit=2), timeout_seconds=20)

    limiter.release(slot)
    limiter.release(slot)

    assert 1 == limiter.remaining(scope(limit=2))
    assert "main" == (await limiter.acquire(scope(limit=2), timeout_seconds=20)).account
    with pytest.raises(RateLimited):
        await limiter.acquire(scope(limit=2), timeout_seconds=0)
    limiter.release(kept)


async def test_slot_counts_for_a_moment_more_when_it_is_given_back_later(limiter: Limiter) -> None:
    """What was cut is not over before Zhipu has noticed."""
    where = scope(limit=1)
    slot = await limiter.acquire(where, timeout_seconds=20)

    limiter.release(slot, after_seconds=0.2)
    limiter.release(slot, after_seconds=0.2)

    with pytest.raises(RateLimited):
        await limiter.acquire(where, timeout_seconds=0)
    assert [0, 0] == [row.here for row in limiter.snapshot()]
    limiter.release(await limiter.acquire(where, timeout_seconds=20))
    assert [0, 0] == [row.here for row in limiter.snapshot()]


async def test_waiter_is_served_when_an_account_gets_more_room(requests: Requests) -> None:
    """Limits that change are read again while somebody waits."""
    accounts = [AccountLimit("main", 1)]
    for tenant in ("a", "b"):
        await requests.join(tenant, Scope(tenant=tenant, model=MODEL, limit=1, accounts=accounts))
    await requests.until_waiting(1)

    accounts[0] = AccountLimit("main", 2)
    await requests.until_served("b")

    assert "main" == requests.slots["b"].account


async def test_usage_tells_who_holds_and_who_waits(limiter: Limiter, requests: Requests) -> None:
    """Every tenant and account that was ever asked for has its row."""
    for name in ("holder", "waiting"):
        await requests.join(name, scope(limit=1, main=5))
    await requests.until_served("holder")

    tenant, account = limiter.snapshot()

    assert ("tenant", "a", 1, 1, 1) == (tenant.kind, tenant.name, tenant.limit, tenant.here, tenant.waiting)
    assert ("account", "main", 5, 1, 0) == (
        account.kind,
        account.name,
        account.limit,
        account.here,
        account.waiting,
    )
    assert tenant.oldest_wait_seconds > 0
    await requests.leave("waiting")


def pace_of(limiter: Limiter) -> Pace:
    """Return the service times of the model that tests ask for."""
    if isinstance(limiter, MemoryLimiter):
        return limiter._lobby(MODEL).pace
    assert isinstance(limiter, RedisLimiter)
    return limiter._model(MODEL)[0].pace


async def test_caller_is_refused_at_once_when_it_would_wait_in_vain(limiter: Limiter, requests: Requests) -> None:
    """By recent service times the third in line gets its slot after its deadline; the second still before it."""
    await requests.join("holder", scope(limit=1))
    await requests.until_served("holder")
    for _ in range(ENOUGH):
        pace_of(limiter).note("a", 8.0, now=asyncio.get_running_loop().time())
    for name in ("first", "second"):
        await requests.join(name, scope(limit=1), timeout_seconds=20)
    await requests.until_waiting(2)

    for _ in range(2):  # The place of the one who was refused is free again.
        with pytest.raises(RateLimited, match=r"At place 3 in line .* 24 s, too late") as refused:
            await limiter.acquire(scope(limit=1), timeout_seconds=20)
        assert ("wait_too_long", 24) == (refused.value.code, round(refused.value.retry_after_seconds or 0))

    await requests.until_waiting(2)
    requests.free("holder")
    await requests.until_served("first")
    await requests.leave("second")


async def test_service_times_are_those_for_which_slots_are_held(limiter: Limiter) -> None:
    """They are learned by serving, not told."""
    for _ in range(ENOUGH):
        slot = await limiter.acquire(scope(limit=1), timeout_seconds=20)
        await asyncio.sleep(0.01)
        limiter.release(slot)

    wait_seconds = pace_of(limiter).wait_seconds(scope(limit=1), position=1, now=asyncio.get_running_loop().time())

    assert (wait_seconds or 0) >= 0.009


@pytest.mark.parametrize(
    ("full", "told"),
    [
        pytest.param(scope("a", limit=1), "Your tier allows 1 requests at once", id="the tier"),
        pytest.param(scope("a", limit=5, main=1), "The gateway itself has no free slot", id="the accounts"),
    ],
)
async def test_tier_is_named_only_when_it_is_what_is_full(
    limiter: Limiter, requests: Requests, full: Scope, told: str
) -> None:
    await requests.join("holder", full)
    await requests.until_served("holder")

    for timeout_seconds in (0, 0.05):
        with pytest.raises(RateLimited, match=told):
            await limiter.acquire(full, timeout_seconds=timeout_seconds)


async def test_waiters_are_told_when_no_account_is_left(limiter: Limiter, requests: Requests) -> None:
    """At once where it is said that limits have changed, and nothing of them is left in line."""
    accounts = [AccountLimit("main", 1)]
    for tenant in ("a", "b"):
        await requests.join(tenant, Scope(tenant=tenant, model=MODEL, limit=1, accounts=accounts))
    await requests.until_waiting(1)

    accounts[0] = AccountLimit("main", 0)
    limiter.recheck(MODEL)
    with pytest.raises(NoAccount):
        await requests.until_served("b")
    with pytest.raises(NoAccount):
        await limiter.acquire(Scope(tenant="c", model=MODEL, limit=1, accounts=accounts), timeout_seconds=20)

    accounts[0] = AccountLimit("main", 1)
    await requests.join("next", Scope(tenant="b", model=MODEL, limit=1, accounts=accounts))
    await requests.until_waiting(1)
    requests.free("a")
    await requests.until_served("next")
    assert ("main", 1) == (requests.slots["next"].account, requests.slots["next"].position)


async def test_waiters_are_told_when_nobody_says_that_limits_changed(requests: Requests) -> None:
    """They are read again every second anyway."""
    accounts = [AccountLimit("main", 1)]
    for tenant in ("a", "b"):
        await requests.join(tenant, Scope(tenant=tenant, model=MODEL, limit=1, accounts=accounts))
    await requests.until_waiting(1)

    accounts[0] = AccountLimit("main", 0)

    with pytest.raises(NoAccount):
        await requests.until_served("b")


async def test_less_is_given_out_when_an_account_was_found_to_take_less(
    limiter: Limiter, requests: Requests
) -> None:
    """What is held already stays; nothing more comes before it is below the new limit, then in the old order."""
    accounts = [AccountLimit("main", 3)]
    where = Scope(tenant="a", model=MODEL, limit=5, accounts=accounts)
    for name in ("1", "2", "3"):
        await requests.join(name, where)
    await requests.until_served("1", "2", "3")
    for name in ("4", "5"):
        await requests.join(name, where)
    await requests.until_waiting(2)

    accounts[0] = AccountLimit("main", 1)
    limiter.recheck("")
    for name in ("1", "2"):
        requests.free(name)
    with pytest.raises(RateLimited):
        await limiter.acquire(scope("b", main=1), timeout_seconds=0.05)
    assert ["1", "2", "3"] == requests.served

    requests.free("3")
    await requests.until_served("4")
    await requests.leave("5")


async def test_idle_tenants_are_forgotten_when_there_are_many(limiter: Limiter, requests: Requests) -> None:
    """Tokens can bring any number of tenants; those that hold or wait are still told of."""
    for name, tenant in (("holder", "busy"), ("waiting", "busy")):
        await requests.join(name, scope(tenant, limit=1, main=5000))
    await requests.until_served("holder")

    for number in range(2200):
        limiter.release(await limiter.acquire(scope(f"{number}", main=5000), timeout_seconds=20))

    rows = {row.name: row for row in limiter.snapshot() if row.kind == "tenant"}
    assert len(rows) <= 1002
    assert (1, 1) == (rows["busy"].here, rows["busy"].waiting)
    assert len(pace_of(limiter).tenants) <= 1002
    await requests.leave("waiting")
