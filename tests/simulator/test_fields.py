"""The frame of every check: what is unknown, missing, null, or fails its own check."""

from typing import Any

import pytest

from gateway.simulator.fields import anything, check_fields, length
from gateway.simulator.refusals import Refusal


def refused(**fields: Any) -> str | None:
    """Tell the code a request is refused with; None when it is taken."""
    checks = {"input": anything, "id": length(2, 4)}
    try:
        check_fields(fields, model=None, checks=checks, required=("input",))
    except Refusal as refusal:
        return refusal.code.code
    return None


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        pytest.param({"input": 1}, None, id="what is needed"),
        pytest.param({"input": 1, "id": None}, None, id="null"),
        pytest.param({"input": 1, "id": "ab"}, None, id="shortest"),
        pytest.param({"input": 1, "id": "abcd"}, None, id="longest"),
        pytest.param({"input": None}, "1213", id="null where one is needed"),
        pytest.param({}, "1213", id="nothing"),
        pytest.param({"input": 1, "other": None}, "1210", id="unknown"),
        pytest.param({"input": 1, "id": "a"}, "1214", id="short"),
        pytest.param({"input": 1, "id": "abcde"}, "1214", id="long"),
        pytest.param({"input": 1, "id": 12}, "1214", id="no text"),
    ],
)
def test_request_is_checked_field_by_field(fields: dict[str, Any], code: str | None) -> None:
    assert code == refused(**fields)
