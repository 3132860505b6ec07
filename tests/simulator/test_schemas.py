"""Schemas are found in texts, whatever is around them."""

import json
from typing import Any

import pytest

from gateway.simulator.schemas import find_schemas, is_any_object

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(json.dumps(PERSON), id="bare"),
        pytest.param(
            f"Answer in JSON. The schema:\n```json\n{json.dumps(PERSON, indent=2)}\n```\nNothing else.",
            id="fenced",
        ),
        pytest.param('An example {"a": 1}, then the schema: ' + json.dumps(PERSON), id="after another object"),
        pytest.param(json.dumps({"name": "person", "strict": True, "schema": PERSON}), id="in OpenAI's envelope"),
        pytest.param(
            json.dumps({"type": "json_schema", "json_schema": {"name": "p", "schema": PERSON}}),
            id="in two envelopes",
        ),
    ],
)
def test_schema_is_found_wherever_it_stands(text: str) -> None:
    """However a caller writes a schema into its prompt, it is found."""
    assert next(find_schemas(text)) == PERSON


@pytest.mark.parametrize(
    "text", ["", "no schema", "{", '{"a": "}"', '{"answer": 1}', '{"type": "question"}', "{not json}"]
)
def test_no_schema_is_found_when_there_is_none(text: str) -> None:
    """Braces alone are no schema."""
    assert list(find_schemas(text)) == []


def test_every_schema_of_a_text_is_found() -> None:
    """A caller's own schema and one that was added to it are both there, in order."""
    text = f'Any {{"type": "object"}}, better this: {json.dumps({"type": "array"})}'

    assert list(find_schemas(text)) == [{"type": "object"}, {"type": "array"}]


@pytest.mark.parametrize(
    ("schema", "is_any"),
    [
        pytest.param({"type": "object"}, True, id="bare"),
        pytest.param({"type": "object", "title": "T", "properties": {}, "required": []}, True, id="empty"),
        pytest.param({"type": "object", "additionalProperties": True}, True, id="open"),
        pytest.param({"type": "object", "additionalProperties": False}, False, id="closed"),
        pytest.param({"type": "object", "required": ["a"]}, False, id="a key"),
        pytest.param({"type": "array"}, False, id="array"),
        pytest.param(PERSON, False, id="person"),
    ],
)
def test_schema_is_of_any_object_when_it_says_no_more(schema: dict[str, Any], is_any: bool) -> None:  # noqa: FBT001
    """Only a schema that leaves everything open leaves the answer to the model."""
    assert is_any_object(schema) == is_any
