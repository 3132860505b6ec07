"""Counters and fault scripts over HTTP."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gateway.simulator import Running

Ask = Callable[..., httpx.Response]


def test_state_counts_requests_by_account_and_model(zhipu: Running, ask: Ask) -> None:
    """What happened can be read without being in the process."""
    ask()
    ask(model="glm-4.6", temperature=9)

    state = httpx.get(f"{zhipu.origin}/_simulator/state").json()

    assert {place["model"]: place["accepted"] for place in state["places"]} == {"glm-4.6": 1, "glm-4.7": 1}
    assert state["totals"] == {"in_flight": 0, "accepted": 2, "refused": 0, "cancelled": 0}
    assert state["seen"] == 2


def test_requests_are_shown_as_they_were_sent(zhipu: Running, ask: Ask) -> None:
    """A test in another language can look at what reached the platform."""
    ask(messages=[{"role": "user", "content": "look at me"}])

    (seen,) = httpx.get(f"{zhipu.origin}/_simulator/requests").json()

    assert (seen["method"], seen["path"]) == ("POST", "/api/paas/v4/chat/completions")
    assert "look at me" in seen["body"]


def test_everything_is_forgotten_when_it_is_reset(zhipu: Running, ask: Ask) -> None:
    """After a reset a test starts from nothing: counters, faults, used request ids."""
    httpx.post(f"{zhipu.origin}/_simulator/faults", json=[{"kind": "close", "nth": 9}])
    ask(request_id="request-0001")

    state = httpx.post(f"{zhipu.origin}/_simulator/reset").json()

    assert state == {
        "places": [],
        "totals": {"in_flight": 0, "accepted": 0, "refused": 0, "cancelled": 0},
        "seen": 0,
    }
    assert httpx.get(f"{zhipu.origin}/_simulator/faults").json() == []
    assert ask(request_id="request-0001").status_code == 200


def test_faults_are_listed_and_removed(zhipu: Running) -> None:
    """A script can be read back and taken away."""
    faults = [{"kind": "error", "code": "1305"}, {"kind": "close", "nth": 2}]
    added = httpx.post(f"{zhipu.origin}/_simulator/faults", json=faults).json()
    removed = httpx.delete(f"{zhipu.origin}/_simulator/faults").json()

    assert added == faults
    assert removed == []


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([{"kind": "earthquake"}], id="unknown kind"),
        pytest.param([{"kind": "close", "nht": 2}], id="unknown field"),
        pytest.param([{"kind": "error", "code": "9999"}], id="unknown code"),
        pytest.param({"kind": "close"}, id="not a list"),
    ],
)
def test_script_is_refused_when_it_has_a_mistake(zhipu: Running, faults: Any) -> None:
    """A typo in a script is told, not ignored."""
    answer = httpx.post(f"{zhipu.origin}/_simulator/faults", json=faults)

    assert answer.status_code == 400
    assert httpx.get(f"{zhipu.origin}/_simulator/faults").json() == []


def test_unknown_control_is_404(zhipu: Running) -> None:
    """There are no other controls."""
    assert httpx.get(f"{zhipu.origin}/_simulator/nothing").status_code == 404
