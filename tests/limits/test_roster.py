"""Who shares the limits, and what is whose without Redis."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.limits.roster import SETTLING, Roster
from gateway.limits.wire import Peer


def roster(replica: str = "b", *others: str) -> Roster:
    """Return what ``replica`` knows once it has settled, with the others."""
    known = Roster(replica, lease_seconds=15, settle_seconds=1)
    known.see([], now=0)
    known.see([(other, 15_000) for other in others], now=1)
    return known


@given(limit=st.integers(0, 100), count=st.integers(1, 9))
def test_shares_add_up_to_the_limit_when_all_know_each_other(limit: int, count: int) -> None:
    names = [f"{number}" for number in range(count)]

    shares = [roster(name, *names).share(limit, model="m", what="account:x") for name in names]

    assert limit == sum(shares)
    assert max(shares) - min(shares) <= 1


def test_share_is_less_when_others_hold_more_than_theirs() -> None:
    """A replica's own holdings take nothing off, nor do those of one that has left or of another model."""
    known = roster("b", "a", "c")
    known.mark("m", [("a account:x", 4), ("b account:x", 9), ("c account:x", 1), ("gone account:x", 9)])

    assert 2 == known.share(9, model="m", what="account:x")
    assert 3 == known.share(9, model="other", what="account:x")


def test_others_are_forgotten_when_they_are_not_seen_for_a_lease() -> None:
    known = roster("b", "a")
    known.see([], now=1.5)
    assert ["a", "b"] == known.replicas

    for second in range(2, 18):
        known.see([], now=second)

    assert ["b"] == known.replicas


def test_others_get_a_lease_to_come_back_when_redis_was_away_for_all() -> None:
    known = roster("b", "a")

    known.see([], now=100)

    assert [Peer("a", 15_000)] == known.peers(now=100)


def test_others_are_awaited_for_a_lease_when_nobody_has_said_lately_who_is_there() -> None:
    """The node of a Cluster that says so may be away, while another that has books starts empty."""
    known = roster("b", "a")

    assert [Peer("a", 15_000)] == known.peers(now=100)


def test_newcomer_gives_others_time_to_be_seen() -> None:
    """Before two beats have passed, books that are new may have been lost by replicas it has not met."""
    newcomer = Roster("b", lease_seconds=15, settle_seconds=1)
    newcomer.see([("a", 15_000)], now=5)

    assert [Peer("a", 15_000), Peer(SETTLING, 1000)] == newcomer.peers(now=5)
    assert [Peer("a", 14_000)] == newcomer.peers(now=6)


def test_replica_counts_no_more_when_it_takes_leave() -> None:
    known = roster("b", "a")
    known.join("c", now=1)

    known.leave("a")

    assert ["b", "c"] == known.replicas


def test_marks_are_forgotten_when_nothing_is_held_any_more() -> None:
    """Tenants come and go; what is left of them would only grow."""
    known = roster("b", "a")
    known.mark("m", [("a tenant:x", 4)])

    known.mark("m", [("a tenant:x", 0), ("a tenant:y", 0)])

    assert {} == known.marks["m"]["a"]


def test_marks_of_a_replica_are_forgotten_when_it_is_gone() -> None:
    """Processes come and go, too, and not all of them say goodbye."""
    known = roster("b", "a")
    known.mark("m", [("a tenant:x", 4), ("b tenant:x", 3)])

    known.see([("c", 15_000)], now=1.5)
    assert 4 == known.marks["m"]["a"]["tenant:x"]
    for now in range(2, 18):
        known.see([("c", 15_000)], now=now)

    assert {"b": {"tenant:x": 3}} == known.marks["m"]
