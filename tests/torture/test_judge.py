"""The judge of a trial sees every excess, and excuses only what nobody can stop."""

from collections.abc import Callable

import pytest

from gateway.simulator.book import Place
from gateway.torture.judge import Call, Judge
from tests.fakes import Clock

MODEL = "glm-4.5-air"
LIMITS = {"account main": 2, "tenant a": 2, "tenant b": 2, "tenant c": 2}


@pytest.fixture
def clock() -> Clock:
    return Clock()


def at_once(call: Callable[[], None]) -> None:
    call()


@pytest.fixture
def judge(clock: Clock) -> Judge:
    return Judge(LIMITS, grace_seconds=0.2, clock=clock, later=at_once)


def enter(judge: Judge, *calls: str) -> None:
    for call in calls:
        judge.watch(Place("main", MODEL), call, 1)


def leave(judge: Judge, *calls: str) -> None:
    for call in calls:
        judge.watch(Place("main", MODEL), call, -1)


def broken(judge: Judge) -> list[str]:
    return [violation.what for violation in judge.violations]


def test_nothing_is_broken_when_limits_are_reached_again_and_again(judge: Judge) -> None:
    for number in range(5):
        enter(judge, f"a/one/{number}", f"b/two/{number}")
        leave(judge, f"a/one/{number}", f"b/two/{number}")

    assert [] == broken(judge)
    assert {2} == {judge.peaks[count] for count in judge.peaks if count.who == "account main"}


def test_account_is_seen_when_it_has_one_too_many(judge: Judge) -> None:
    enter(judge, "a/one/1", "a/one/2", "b/one/3")

    assert [f"account main has 3 of {MODEL} under way, and may have 2"] == broken(judge)


def test_request_counts_no_more_when_it_was_cut_before_another_came(clock: Clock) -> None:
    """The simulator takes in what happens in any order that it likes, and what is late is not an excess."""
    looks: list[Callable[[], None]] = []
    judge = Judge(LIMITS, grace_seconds=0.2, clock=clock, later=looks.append)

    enter(judge, "a/one/1", "a/one/2", "b/one/3")
    leave(judge, "a/one/1")
    for look in looks:
        look()

    assert [] == broken(judge)


def test_tenant_is_seen_when_it_has_one_too_many_on_several_accounts(judge: Judge) -> None:
    judge.limits = {**LIMITS, "account main": 9, "account spare": 9}
    enter(judge, "a/one/1", "a/two/2")

    judge.watch(Place("spare", MODEL), "a/two/3", 1)

    assert [f"tenant a has 3 of {MODEL} under way, and may have 2"] == broken(judge)


def test_paused_process_is_excused_for_what_it_held(judge: Judge, clock: Clock) -> None:
    """Its slots are given to others, and it cannot end what it has under way; for a moment after its waking."""
    enter(judge, "a/one/1", "a/one/2")
    judge.freeze("one")
    enter(judge, "b/two/3", "b/two/4")
    judge.wake()
    clock.now = 0.1
    leave(judge, "a/one/1", "a/one/2")

    assert 0.1 == judge.settle()
    assert ([], [0.1]) == (broken(judge), judge.excesses)


def test_others_are_not_excused_while_a_process_is_paused(judge: Judge) -> None:
    enter(judge, "a/one/1")
    judge.freeze("one")

    enter(judge, "b/two/2", "b/two/3", "a/two/4")

    assert [f"account main has 4 of {MODEL} under way, and may have 2, 1 of them paused"] == broken(judge)


def test_paused_process_is_not_excused_for_what_it_begins_after_its_waking(judge: Judge) -> None:
    enter(judge, "a/one/1", "a/one/2")
    judge.freeze("one")
    enter(judge, "b/two/3", "b/two/4")
    judge.wake()

    judge.watch(Place("main", MODEL), "c/one/5", 1)

    assert [f"account main has 5 of {MODEL} under way, and may have 2, 2 of them paused"] == broken(judge)


def test_excess_is_a_violation_when_it_outlasts_the_grace(judge: Judge, clock: Clock) -> None:
    enter(judge, "a/one/1", "a/one/2")
    judge.freeze("one")
    enter(judge, "b/two/3")
    judge.wake()
    clock.now = 0.3
    leave(judge, "a/one/1")

    judge.settle()

    assert ["an excess went on for 300 ms after a pause"] == broken(judge)


def test_excess_is_a_violation_when_it_does_not_end(judge: Judge, clock: Clock) -> None:
    enter(judge, "a/one/1", "a/one/2")
    judge.freeze("one")
    enter(judge, "b/two/3")
    judge.wake()
    clock.now = 1.0

    assert judge.settle() is None
    assert 1 == len(broken(judge))


def test_pause_is_not_measured_when_there_was_no_excess(judge: Judge, clock: Clock) -> None:
    enter(judge, "a/one/1")
    judge.freeze("one")
    clock.now = 1.0
    judge.wake()

    assert judge.settle() is None
    assert ([], []) == (broken(judge), judge.excesses)


def test_call_says_who_makes_it_where() -> None:
    call = Call("v0-a", "gateway-1", "7")

    assert call == Call.read(str(call))
