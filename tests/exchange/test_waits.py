"""Where time goes: every moment counts once."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.exchange.waits import Waits
from tests.fakes import Clock


def seconds(waits: Waits) -> tuple[float, float, float, float]:
    return waits.upstream.seconds, waits.queue.seconds, waits.writing.seconds, waits.reading.seconds


def test_waits_add_up_when_they_follow_each_other() -> None:
    clock = Clock()
    waits = Waits(clock)

    for wait, until in ((waits.reading, 1.0), (waits.queue, 3.0), (waits.upstream, 6.0), (waits.writing, 10.0)):
        with wait:
            clock.now = until
        clock.now += 0.0

    assert (3.0, 2.0, 4.0, 1.0) == seconds(waits)


def test_time_between_waits_is_ours() -> None:
    clock = Clock()
    waits = Waits(clock)

    with waits.upstream:
        clock.now = 1.0
    clock.now = 5.0
    with waits.upstream:
        clock.now = 6.0

    assert (2.0, 0.0, 0.0, 0.0) == seconds(waits)


def test_moment_counts_once_when_several_calls_wait() -> None:
    """Two calls that wait for GLM at the same time do not make it wait twice; GLM comes before the line."""
    clock = Clock()
    waits = Waits(clock)

    with waits.queue:
        clock.now = 1.0
        with waits.upstream:
            clock.now = 2.0
            with waits.upstream:
                clock.now = 4.0
            clock.now = 5.0
        clock.now = 7.0

    assert (4.0, 3.0, 0.0, 0.0) == seconds(waits)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.floats(0, 10)), max_size=40))
def test_sum_never_exceeds_the_time_that_passed(steps: list[tuple[int, bool, float]]) -> None:
    clock = Clock()
    waits = Waits(clock)
    kinds = (waits.upstream, waits.queue, waits.writing, waits.reading)
    entered = [0, 0, 0, 0]

    for kind, enters, passed in steps:
        if enters:
            kinds[kind].__enter__()
            entered[kind] += 1
        elif entered[kind]:
            kinds[kind].__exit__(None, None, None)
            entered[kind] -= 1
        clock.now += passed

    assert min(seconds(waits)) >= 0
    assert sum(seconds(waits)) <= clock.now + 1e-6
