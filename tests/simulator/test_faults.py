"""Which requests a fault hits."""

from typing import Any

import msgspec
import pytest

from gateway.simulator.connection import Request
from gateway.simulator.faults import Close, Error, Fault, Script


def _hits(script: Script, *, account: str = "a", model: str = "m", body: bytes = b"") -> int:
    request = Request(method="POST", path="/api/paas/v4/chat/completions", query="", headers={}, body=body)
    return len(script.take(request, account=account, model=model))


def test_one_request_is_hit_when_nothing_else_is_said() -> None:
    """A fault happens once."""
    script = Script([Close()])

    assert [_hits(script) for _ in range(3)] == [1, 0, 0]


@pytest.mark.parametrize(
    ("options", "hits"),
    [
        pytest.param({"nth": 2}, [0, 1, 0, 0], id="nth"),
        pytest.param({"times": 2}, [1, 1, 0, 0], id="times"),
        pytest.param({"nth": 3, "times": None}, [0, 0, 1, 1], id="from the nth on"),
    ],
)
def test_requests_are_counted_when_nth_and_times_are_given(options: dict[str, Any], hits: list[int]) -> None:
    """``nth`` is the first request hit, ``times`` how many; None is all later ones."""
    script = Script([Close(**options)])

    assert [_hits(script) for _ in range(4)] == hits


@pytest.mark.parametrize(
    ("options", "hit", "missed"),
    [
        pytest.param({"account": "a"}, {}, {"account": "b"}, id="account"),
        pytest.param({"model": "m"}, {}, {"model": "n"}, id="model"),
        pytest.param({"contains": "mark"}, {"body": b"a mark"}, {"body": b"none"}, id="contains"),
    ],
)
def test_other_requests_are_not_hit_and_not_counted(
    options: dict[str, Any], hit: dict[str, Any], missed: dict[str, Any]
) -> None:
    """A fault for some requests neither touches the others nor is used up by them."""
    script = Script([Close(**options)])

    assert (_hits(script, **missed), _hits(script, **hit), _hits(script, **hit)) == (0, 1, 0)


def test_path_is_matched_by_its_end() -> None:
    """A fault can be for one endpoint."""
    script = Script([Close(path="/embeddings"), Close(path="/chat/completions")])

    assert _hits(script) == 1


def test_unknown_business_code_is_refused_and_nothing_is_added() -> None:
    """A script with a mistake is not taken by half."""
    script = Script()

    with pytest.raises(KeyError):
        script.add([Close(), Error(code="9999")])
    assert script.faults() == []


def test_used_up_faults_are_forgotten_when_others_are_added() -> None:
    """A script does not grow with what is over; what may still hit stays."""
    script = Script([Close(), Close(times=None), Close(nth=2)])
    _hits(script)

    script.add([Close(times=2)])

    assert script.faults() == [Close(times=None), Close(nth=2), Close(times=2)]


def test_fault_is_the_same_when_it_went_through_json() -> None:
    """Scripts travel as JSON with ``kind``."""
    faults: list[Fault] = [Error(code="1305", model="glm-4.7", times=None), Close(nth=2)]

    assert msgspec.json.decode(msgspec.json.encode(faults), type=list[Fault]) == faults
