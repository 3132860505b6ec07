"""What went wrong lately, for the page that people look at."""

from msgspec.structs import replace

from gateway.metrics.state import REMEMBERED_FAILURES, REMEMBERED_SECONDS, RecentFailures, streams_of
from gateway.record import Record
from tests.fakes import Clock

FAILED = Record(
    request_id="r",
    received_at=0.0,
    operation="chat",
    model="glm-4.7",
    status=502,
    outcome="upstream_error",
    error_code="upstream_error",
    glm_code="1234",
)


def test_failures_are_counted_by_what_became_of_them() -> None:
    """The commonest first; what went well and who left are not among them."""
    clock = Clock(1000.0)
    failures = RecentFailures(clock)
    refused = replace(FAILED, status=400, outcome="client_error", error_code="invalid_value", glm_code="")

    for record in (
        refused,
        FAILED,
        replace(FAILED, outcome="ok"),
        replace(FAILED, outcome="client_disconnect"),
        FAILED,
    ):
        failures.observe(record)
        clock.now += 1

    assert [("upstream_error", "1234", 2, 1004.0), ("invalid_value", "", 1, 1000.0)] == [
        (one.error_code, one.glm_code, one.count, one.last_at) for one in failures.counted()
    ]


def test_failures_are_forgotten_in_time() -> None:
    clock = Clock(1000.0)
    failures = RecentFailures(clock)
    failures.observe(FAILED)
    clock.now += REMEMBERED_SECONDS + 1
    failures.observe(replace(FAILED, glm_code="1305"))

    assert ["1305"] == [one.glm_code for one in failures.counted()]


def test_memory_of_failures_is_bounded() -> None:
    failures = RecentFailures(Clock(1000.0))

    for _ in range(REMEMBERED_FAILURES + 10):
        failures.observe(FAILED)

    (one,) = failures.counted()
    assert REMEMBERED_FAILURES == one.count


def test_streams_are_rows() -> None:
    rows = streams_of({("realtime", "glm-realtime"): 2, ("chat", "glm-4.7"): 1, ("chat", "glm-5"): 0})

    assert [("chat", 1), ("realtime", 2)] == [(row.operation, row.count) for row in rows]
