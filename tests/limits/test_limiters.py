"""What every limiter promises, in memory and in Redis alike."""

import asyncio
from collections import Counter

import pytest

from gateway.errors import RateLimited
from gateway.limits.limiter import AccountLimit, Limiter, Scope
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

    assert 1 == refused.value.retry_after_seconds
    limiter.release(slot)


async def test_caller_is_refused_at_once_when_the_line_is_full(limiter: Limiter, requests: Requests) -> None:
    """The bound is on the waiters of one tenant for one model."""
    for number in range(4):
        await requests.join(f"{number}", scope(limit=1))

    with pytest.raises(RateLimited, match="3 of your requests are waiting"):
        await limiter.acquire(scope(limit=1), timeout_seconds=20)

    await requests.join("other", scope("b", limit=1))
    await requests.until_served("other")


async def test_line_is_shorter_at_once_when_a_waiter_leaves(requests: Requests) -> None:
    """Nobody stands behind one who has left."""
    for name in ("holder", "leaving", "staying"):
        await requests.join(name, scope(limit=1))
    await requests.until_served("holder")

    await requests.leave("leaving")
    requests.free("holder")
    await requests.until_served("staying")

    assert ["holder", "staying"] == requests.served


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


async def test_waiter_is_served_when_an_account_gets_more_room(requests: Requests) -> None:
    """Limits that change are read again while somebody waits."""
    accounts = [AccountLimit("main", 0)]
    await requests.join("patient", Scope(tenant="a", model=MODEL, limit=1, accounts=accounts))
    await requests.until_waiting(1)

    accounts[0] = AccountLimit("main", 1)
    await requests.until_served("patient")

    assert "main" == requests.slots["patient"].account


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
