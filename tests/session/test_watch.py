"""How long a call may last, and how long its user waits for an answer to sound."""

import pytest

from gateway.errors import Draining, SessionExpired, SlotLost
from gateway.session.desk import SessionPolicy
from gateway.session.watch import CLIENT_STALL_SECONDS, GLM_STALL_SECONDS, Watch

POLICY = SessionPolicy(max_seconds=100.0, idle_seconds=10.0, drain_seconds=5.0)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(clock: Clock) -> Watch:
    return Watch(clock)


def verdict(watch: Watch, *, draining: bool = False, responding: bool = False) -> type | None:
    error = watch.verdict(POLICY, draining=draining, responding=responding)
    return None if error is None else type(error)


def test_call_may_last_as_long_as_it_is_used(clock: Clock, watch: Watch) -> None:
    """Up to its longest; who waits for the end of a response need not say anything."""
    clock.now += 9.9
    assert verdict(watch) is None
    clock.now += 0.1
    assert verdict(watch) is SessionExpired
    assert verdict(watch, responding=True) is None
    watch.hear_client()
    assert verdict(watch) is None
    clock.now += 90.0
    assert verdict(watch, responding=True) is SessionExpired


def test_call_may_be_silent_where_that_is_set(clock: Clock, watch: Watch) -> None:
    clock.now += 99.0
    assert (
        watch.verdict(SessionPolicy(max_seconds=100.0, idle_seconds=0), draining=False, responding=False) is None
    )


def test_response_may_end_before_a_drain_ends_the_call(clock: Clock, watch: Watch) -> None:
    assert verdict(watch, draining=True) is Draining
    assert verdict(watch, draining=True, responding=True) is None
    clock.now += 4.9
    assert verdict(watch, draining=True, responding=True) is None
    clock.now += 0.1
    assert verdict(watch, draining=True, responding=True) is Draining


def test_lost_slot_ends_the_call_whatever_goes_on(watch: Watch) -> None:
    watch.lose_slot()

    assert verdict(watch, responding=True) is SlotLost


def test_user_waits_from_the_end_of_the_turn_to_the_first_sound(clock: Clock, watch: Watch) -> None:
    """Once for each answer; one without sound is no wait, nor is sound that nobody waited for."""
    assert watch.waited_for("response.output_audio.delta") is None
    assert watch.waited_for("input_audio_buffer.committed") is None
    clock.now += 1.0
    assert watch.waited_for("response.created") is None
    clock.now += 0.5
    assert watch.waited_for("response.output_audio.delta") == 1.5
    assert watch.waited_for("response.output_audio.delta") is None
    assert watch.waited_for("response.created") is None
    assert watch.waited_for("response.done") is None
    assert watch.waited_for("response.audio.delta") is None


def test_who_takes_nothing_for_long_stalls(clock: Clock, watch: Watch) -> None:
    """The client may take longer than GLM."""
    stalls = [(watch.client_stalls, watch.glm_stalls)]
    watch.client_sent_from = watch.glm_sent_from = clock.now
    for seconds in (GLM_STALL_SECONDS, 0.1, CLIENT_STALL_SECONDS):
        clock.now += seconds
        stalls.append((watch.client_stalls, watch.glm_stalls))

    assert [(False, False), (False, False), (False, True), (True, True)] == stalls
