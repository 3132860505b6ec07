"""A report says that every promise was kept only when every one was."""

from collections import Counter
from typing import Any

import msgspec
import pytest

from gateway.torture import Report
from gateway.torture.callers import Tally
from gateway.torture.judge import Violation

WELL = Report(
    seed=1,
    seconds=60.0,
    tally=Tally(done=600, left=7),
    harms=Counter(kill=2),
    kills=2,
    violations=[],
    leaked=0,
    refused_by_simulator=0,
    excesses=[0.012, 0.034],
    longest_recovery=0.5,
    recovered_from="after kill",
)


def test_promises_are_kept_when_nothing_speaks_against_it() -> None:
    lines = dict(WELL.lines())

    assert WELL.kept
    assert "600 (10/s)" == lines["requests done"]
    assert "at most 34 ms, 2 times" == lines["excess after a pause"]


@pytest.mark.parametrize(
    "broken",
    [
        {"violations": [Violation(1.5, "account main has 3 of glm-4.7 under way, and may have 2")]},
        {"leaked": 1},
        {"refused_by_simulator": 1},
        {"tally": Tally(done=1, hung=1)},
        {"tally": Tally(done=1, unexpected=Counter({"HTTP 500": 2}))},
    ],
    ids=["limit", "leak", "1302", "hung", "unexpected"],
)
def test_a_promise_is_broken_when_anything_speaks_against_it(broken: dict[str, Any]) -> None:
    assert not msgspec.structs.replace(WELL, **broken).kept


def test_complaints_are_sentences_that_say_when() -> None:
    report = msgspec.structs.replace(
        WELL,
        violations=[Violation(1.5, "account main has 3 of glm-4.7 under way, and may have 2")],
        tally=Tally(unexpected=Counter({"HTTP 500": 2})),
    )

    assert [
        "1.50 s: account main has 3 of glm-4.7 under way, and may have 2.",
        "2 × HTTP 500.",
    ] == report.complaints()
