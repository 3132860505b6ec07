"""How often a schema looks at one place of a value, so that looking for a fault has an end."""

from typing import Any

import pytest

from gateway.translate.chat.branching import MAX_DEPTH, is_bounded

ROOT = {"$ref": "#"}
LEAF = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def nested(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth):
        value = {"x": value}
    return value


def of_x(schema: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"x": schema}, **rest}


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param(of_x(ROOT), id="a list, link by link"),
        pytest.param(of_x({"anyOf": [ROOT, {"type": "null"}]}), id="optional"),
        pytest.param(of_x({"type": "array", "items": ROOT}), id="a tree"),
        pytest.param(of_x({"anyOf": [LEAF] * 5}), id="alternatives that end"),
        pytest.param(of_x(ROOT, allOf=[ROOT]), id="in a circle"),
        pytest.param(of_x({"const": {"anyOf": [ROOT, ROOT]}}), id="a value that looks like a schema"),
    ],
)
def test_usual_schemas_are_bounded(schema: dict[str, Any]) -> None:
    """What goes one way at a time costs no more the deeper it goes."""
    assert is_bounded(schema, nested(20))


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param(of_x({"anyOf": [ROOT, ROOT]}), id="twice"),
        pytest.param(of_x({"anyOf": [{**ROOT, "required": ["y"]}, {**ROOT, "required": ["z"]}]}), id="with more"),
        pytest.param(of_x({"allOf": [ROOT], "not": ROOT}), id="by two keywords"),
        pytest.param(
            of_x({"oneOf": [{"$ref": "#/$defs/a~1b"}] * 2}, **{"$defs": {"a/b": of_x({"oneOf": [ROOT] * 2})}}),
            id="by definitions",
        ),
        pytest.param({"$ref": "#node"}, id="by an anchor"),
        pytest.param({"$ref": "#/$defs/nowhere"}, id="to nowhere"),
    ],
)
def test_alternatives_that_lead_back_are_not_bounded(schema: dict[str, Any]) -> None:
    """Every level doubles what there is to try; what cannot be followed is not trusted."""
    assert not is_bounded(schema, nested(20))


def test_alternatives_that_lead_back_are_bounded_in_a_shallow_value() -> None:
    """An expression of a few levels is still told what is wrong with it."""
    assert is_bounded(of_x({"anyOf": [ROOT, ROOT]}), nested(3))


def test_deep_value_is_not_bounded() -> None:
    """Nobody looks for a fault that far down."""
    assert not is_bounded(of_x(ROOT), nested(MAX_DEPTH + 1))
