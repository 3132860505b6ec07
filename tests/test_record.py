"""The record: durations that are never negative."""

import pytest

from gateway.record import Record, SessionFacts


def record(**fields: float) -> Record:
    return Record(request_id="req_1", received_at=100.0, ended_at=110.0, **fields)  # type: ignore[arg-type]


def test_duration_is_from_the_first_byte_to_the_last() -> None:
    assert 10.0 == record().duration_seconds


def test_overhead_is_what_nobody_else_took() -> None:
    taken = record(read_seconds=1.0, queued_seconds=2.0, upstream_seconds=3.0, write_seconds=3.5)

    assert 0.5 == pytest.approx(taken.overhead_seconds)


def test_overhead_is_not_negative_when_clocks_round() -> None:
    assert 0.0 == record(upstream_seconds=10.000001).overhead_seconds


def test_overhead_of_a_session_is_unknown_and_so_is_none() -> None:
    """A call is open while two people talk; none of that is the gateway's own time."""
    call = Record(request_id="req_1", received_at=100.0, ended_at=110.0, session=SessionFacts())

    assert 0.0 == call.overhead_seconds


def test_record_without_a_route_says_so() -> None:
    assert ("none", "receiving", 0) == (record().operation, record().phase, record().status)
