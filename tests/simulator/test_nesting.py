"""How deep values may be nested."""

from typing import Any

import pytest

from gateway.simulator.nesting import MOST_LEVELS, is_too_deep


def nested(levels: int, *, kind: str) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value] if kind == "lists" else {"a": value}
    return value


@pytest.mark.parametrize("kind", ["lists", "objects"])
def test_depth_is_told_to_the_level(kind: str) -> None:
    assert not is_too_deep(nested(MOST_LEVELS, kind=kind))
    assert is_too_deep(nested(MOST_LEVELS + 1, kind=kind))
    assert is_too_deep(["flat", nested(100_000, kind=kind)])


@pytest.mark.parametrize("value", [None, 1, "{" * 1000, [], {}, [1] * 1000])
def test_what_is_flat_is_not_deep(value: Any) -> None:
    assert not is_too_deep(value)
