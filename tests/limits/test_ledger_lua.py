"""ledger.lua does what ledger.py does: same answers, same books, whatever replicas ask for in whatever order."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis as blocking_redis
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import astuple

import gateway.limits
from gateway.limits.ledger import Granted
from gateway.limits.limiter import AccountLimit
from gateway.limits.wire import (
    Acquire,
    Hold,
    Keep,
    Kept,
    Operation,
    Peer,
    Release,
    Reply,
    Request,
    decode_reply,
    encode,
)
from tests.limits.books import Books, name
from tests.redis_server import RedisServer

LEASE_MS = 900
KEYS = ("head", "slots", "leases", "counts", "lines", "turns", "pools", "roll", "marks")
SCRIPT = Path(gateway.limits.__file__).with_name("ledger.lua").read_text("utf-8")
PARKED = 2**52
REPLICAS = ("a", "b", "c")
POOLS = [[("x", 2)], [("x", 2), ("y", 3)], [("x", 2), ("y", 0)], [("x", 1), ("y", 1)], [("y", 6), ("x", 4)]]


class Scripted:
    """The books in Redis, at times of the test's choice."""

    def __init__(self, server: RedisServer) -> None:
        self.client = blocking_redis.Redis(port=server.port)
        self.client.flushall()
        self._script = self.client.register_script(SCRIPT)

    def apply(self, request: Request, *, now: int) -> Reply:
        keys = [f"books:{{glm}}:{key}" for key in KEYS]
        return decode_reply(self._script(keys=keys, args=[encode(request), now]))

    def read(self, key: str, command: str, *rest: Any) -> Any:
        return self.client.execute_command(command, f"books:{{glm}}:{key}", *rest)  # type: ignore[no-untyped-call]

    def state(self) -> dict[str, Any]:
        """Return what the keys say, in the terms of the books in Python."""
        records = {
            id_.decode(): msgspec.msgpack.decode(record) for id_, record in self.read("slots", "HGETALL").items()
        }
        lines: dict[str, list[str]] = {}
        for member in self.read("lines", "ZRANGE", 0, -1):
            tenant, _, id_ = member.decode().split("\0")
            lines.setdefault(tenant, []).append(id_)
        turns = self.read("turns", "ZRANGE", 0, -1, "WITHSCORES")
        return {
            "holders": {id_: tuple(record) for id_, record in records.items() if len(record) == 2},
            "lines": lines,
            "order": [
                tenant.decode() for _, tenant in sorted((int(turn) % PARKED, tenant) for tenant, turn in turns)
            ],
            "leases": {id_.decode(): int(end) for id_, end in self.read("leases", "ZRANGE", 0, -1, "WITHSCORES")},
            "counts": {what.decode(): int(n) for what, n in self.read("counts", "HGETALL").items()},
            "roll": {who.decode(): int(end) for who, end in self.read("roll", "ZRANGE", 0, -1, "WITHSCORES")},
            "waiting": sum(int(n) for n in self.read("pools", "HVALS")),
        }


def state(books: Books) -> dict[str, Any]:
    lines = {tenant: [name(number) for number in line.waiters] for tenant, line in books.ledger.lines.items()}
    return {
        "holders": {name(number): astuple(holder) for number, holder in books.ledger.holders.items()},
        "lines": lines,
        "order": sorted(lines, key=lambda tenant: books.ledger.lines[tenant].turn),
        "leases": {name(number): end for number, end in books.leases.items()},
        "counts": dict(books.counts()),
        "roll": books.roll,
        "waiting": sum(map(len, lines.values())),
    }


TENANT_OF = {number: ("t", "u", "tu")[number % 3] for number in range(1, 10)}

numbers = st.sampled_from(sorted(TENANT_OF))
pools = st.sampled_from([[AccountLimit(*one) for one in pool] for pool in POOLS])
limits = st.sampled_from([1, 3, 9, 9, 9])
acquires = st.builds(
    lambda number, *rest: Acquire(number, TENANT_OF[number], *rest),
    numbers,
    limits,
    pools,
    st.sampled_from([0, 2, 9, 9]),
)
holds = st.builds(
    lambda number, *rest: Hold(number, TENANT_OF[number], *rest),
    numbers,
    limits,
    st.sampled_from(["x", "y"]),
    limits,
)
operations = st.one_of(acquires, acquires, st.builds(Release, numbers), st.just(Keep()))
steps = st.fixed_dictionaries(
    {
        "replica": st.sampled_from(REPLICAS),
        "later": st.sampled_from([0, 1, 10, 100, 100, 100, 299, 500, 1000, 5000, -299, -3_600_000]),
        "holds": st.lists(holds, max_size=2, unique_by=lambda hold: hold.number),
        "operations": st.lists(operations, max_size=6),
        "peers": st.none() | st.lists(st.builds(Peer, st.sampled_from(REPLICAS), st.integers(0, 900)), max_size=2),
        "flush": st.sampled_from([False] * 20 + [True]),
        "call_roll": st.sampled_from([False] * 20 + [True]),
        "knows": st.sampled_from([True] * 9 + [False]),
    }
)


@settings(max_examples=100, deadline=None)
@given(st.lists(steps, max_size=40))
def test_lua_and_python_agree_when_replicas_do_anything(
    one_redis: RedisServer, steps: Sequence[dict[str, Any]]
) -> None:
    """Every reply and every key is the same, at every step."""
    ours, theirs, now = Books(), Scripted(one_redis), 1_700_000_000_000
    for step in steps:
        now += step["later"]
        if step["flush"]:
            now += 1
            ours = Books()
            theirs.client.flushdb()
        request = Request(
            model="glm",
            replica=step["replica"],
            replicas=2,
            epoch=ours.epoch if step["knows"] else "",
            lease_ms=LEASE_MS,
            holds=step["holds"],
            operations=step["operations"],
            peers=UNSET if step["peers"] is None else step["peers"],
            call_roll=step["call_roll"],
        )
        expected = ours.apply(request, now=now)
        actual = theirs.apply(request, now=now)

        assert expected == ordered(actual)
        assert state(ours) == theirs.state()


def ordered(reply: Reply) -> Reply:
    """Return a reply with counts by name and without marks; Redis keeps them in an order of its own."""
    answers = [Kept(sorted(one.elsewhere), []) if isinstance(one, Kept) else one for one in reply.answers]
    return msgspec.structs.replace(reply, answers=answers)


def ask(
    *operations_: Operation, replica: str = "a", holds_: Sequence[Hold] = (), peers: Sequence[Peer] = ()
) -> Request:
    return Request(
        model="glm",
        replica=replica,
        replicas=1,
        epoch="",
        lease_ms=LEASE_MS,
        holds=holds_,
        operations=operations_,
        peers=peers,
    )


def test_marks_of_a_replica_are_dropped_when_its_leases_have_ended(redis: RedisServer) -> None:
    """Replicas come and go, and every one has a new name."""
    books = Scripted(redis)
    books.apply(ask(), now=1000)
    most = [Acquire(number, "t", 2, [AccountLimit("x", 2)], 0) for number in (1, 2)]
    books.apply(msgspec.structs.replace(ask(*most), replicas=2), now=1000)
    assert 2 == books.read("marks", "HLEN")

    for later in (LEASE_MS / 2, LEASE_MS, LEASE_MS * 3 / 2):
        books.apply(ask(Keep(), replica="b"), now=1000 + round(later))

    assert 0 == books.read("marks", "HLEN")


def test_nothing_is_left_but_the_head_when_all_is_given_back(redis: RedisServer) -> None:
    """Idle books leave one key, which ends by itself."""
    books = Scripted(redis)
    one = Acquire(1, "t", 1, [AccountLimit("x", 1)], 5)
    two = Acquire(2, "t", 1, [AccountLimit("x", 1)], 5)
    books.apply(ask(one, two), now=1000)
    reply = books.apply(ask(Release(1), Release(2)), now=1001)

    assert [(2, "x")] == [(turn.number, turn.account) for turn in reply.turns]
    assert [b"books:{glm}:head"] == books.client.keys("*")
    assert books.read("head", "PTTL") > 0


def test_all_that_is_in_use_ends_by_itself_when_nobody_comes_any_more(redis: RedisServer) -> None:
    """A gateway that is taken away leaves nothing in a Redis that others use."""
    books = Scripted(redis)
    books.apply(ask(*(Acquire(number, "t", 1, [AccountLimit("x", 1)], 5) for number in (1, 2)), Keep()), now=1000)

    assert all(books.read(page, "PTTL") > 0 for page in PAGES)


def test_a_slot_stays_when_another_replica_releases_its_number(redis: RedisServer) -> None:
    """Numbers are a replica's own."""
    books = Scripted(redis)
    acquire = Acquire(1, "t", 1, [AccountLimit("x", 1)], 0)
    assert [Granted("x")] == books.apply(ask(acquire), now=1000).answers

    books.apply(ask(Release(1), replica="b"), now=1001)

    assert {"a:1": ("t", "x")} == books.state()["holders"]


PAGES = ("slots", "leases", "counts", "lines", "turns", "pools")


@pytest.mark.parametrize("evicted", [*combinations(PAGES, 1), *combinations(PAGES, 2)], ids=" and ".join)
def test_books_are_begun_anew_when_redis_has_evicted_some_pages(
    redis: RedisServer, evicted: tuple[str, ...]
) -> None:
    """Without one of them slots would be given out twice, or never come back."""
    books = Scripted(redis)
    one = Acquire(1, "t", 1, [AccountLimit("x", 1)], 5)
    two = Acquire(2, "t", 1, [AccountLimit("x", 1)], 5)
    books.apply(ask(one, two), now=1000)
    before = books.apply(ask(Keep()), now=1001)

    books.client.delete(*(f"books:{{glm}}:{page}" for page in evicted))
    hold = Hold(1, "t", 1, "x", 1)
    after = books.apply(ask(two, replica="b", peers=[Peer("a", 500)]), now=1002)
    books.apply(ask(holds_=[hold]), now=1003)

    assert (before.epoch != after.epoch, after.closed) == (True, True)
    assert ({"a:1": ("t", "x")}, ["b:2"]) == (books.state()["holders"], books.state()["lines"]["t"])
