"""How long a wait is likely to be: from recent service times, and only where there are enough of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.limits.pace import ENOUGH, FRESH_SECONDS, Pace
from tests.limits.requests import scope


def paced(seconds: float, *, tenant: str = "a", times: int = ENOUGH) -> Pace:
    pace = Pace()
    for _ in range(times):
        pace.note(tenant, seconds, now=100)
    return pace


@pytest.mark.parametrize(
    ("limit", "accounts", "expected"),
    [
        pytest.param(1, {"main": 10}, 12, id="one slot of the tier"),
        pytest.param(4, {"main": 10}, 3, id="four side by side"),
        pytest.param(10, {"main": 1, "spare": 2}, 4, id="accounts with less than the tier"),
        pytest.param(10, {"main": 0}, 12, id="accounts that are set aside for the moment"),
    ],
)
def test_wait_is_what_those_before_take(limit: int, accounts: dict[str, int], expected: float) -> None:
    """Service time by place in line, divided by the slots that are served side by side."""
    where = scope("a", limit=limit, **accounts)

    assert expected == pytest.approx(paced(4.0).wait_seconds(where, position=3, now=101) or 0)


def test_nothing_is_said_when_too_little_was_seen() -> None:
    assert paced(4.0, times=ENOUGH - 1).wait_seconds(scope(), position=1, now=101) is None


def test_nothing_is_said_when_all_was_long_ago() -> None:
    """What was seen before a pause does not count with what comes after it, either."""
    pace = paced(4.0)
    later = 101 + FRESH_SECONDS

    assert pace.wait_seconds(scope(), position=1, now=later) is None
    pace.note("a", 4.0, now=later)
    assert pace.wait_seconds(scope(), position=1, now=later) is None


def test_tenant_is_judged_by_its_own_times_when_there_are_enough() -> None:
    """A newcomer is judged by those of all."""
    pace = paced(4.0, tenant="slow")
    for _ in range(100):
        pace.note("quick", 0.5, now=100)

    assert 4.0 == pytest.approx(pace.wait_seconds(scope("slow", limit=1), position=1, now=101) or 0)
    assert 0.5 == pytest.approx(pace.wait_seconds(scope("new", limit=1), position=1, now=101) or 0)


@given(st.lists(st.floats(0, 1e6), min_size=ENOUGH))
def test_wait_is_never_outside_what_was_seen(seconds: list[float]) -> None:
    pace = Pace()
    for one in seconds:
        pace.note("a", one, now=100)

    wait_seconds = pace.wait_seconds(scope(limit=1), position=1, now=101)

    assert wait_seconds is not None
    assert min(seconds) * 0.999 <= wait_seconds <= max(seconds) * 1.001
