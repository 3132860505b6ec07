"""Schemas found in texts, and values that satisfy them."""

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulator.schemas import find_schemas, instance, is_any_object, subjects

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


SCHEMAS: list[dict[str, Any]] = [
    PERSON,
    {"enum": ["red", "green"]},
    {"const": 7},
    {"type": ["null", "string"]},
    {"type": "string", "minLength": 5, "maxLength": 5},
    {"type": "string", "maxLength": 3},
    {"type": "string", "minLength": 200},
    {"type": "string", "format": "date-time"},
    {"type": "string", "pattern": "^[A-Z]{3}$"},
    {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
    {"type": "number", "minimum": 0.5, "maximum": 0.75},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    {"type": "integer", "minimum": 5},
    {"type": "integer", "maximum": -3},
    {"type": "integer", "exclusiveMinimum": 4, "multipleOf": 4},
    {"type": "boolean"},
    {"type": "null"},
    {"type": "array", "items": {"type": "integer"}, "minItems": 3, "maxItems": 4},
    {"type": "array", "items": {"type": "string"}, "maxItems": 1},
    {"type": "array", "items": PERSON},
    {"type": "object"},
    {"anyOf": [{"type": "null"}, PERSON]},
    {"oneOf": [PERSON, {"type": "null"}]},
    {"allOf": [PERSON, {"properties": {"mail": {"type": "string"}}}]},
    {"$defs": {"p": PERSON}, "type": "array", "items": {"$ref": "#/$defs/p"}},
    {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "value": {"type": "integer"},
                    "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                    "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                },
                "required": ["value", "children"],
            }
        },
        "$ref": "#/$defs/node",
    },
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: json.dumps(schema)[:60])
@pytest.mark.parametrize(
    "text", ["What is 12 times 99 in Paris?", "北京今天的天气怎么样？", ""], ids=["en", "zh", "empty"]
)
def test_value_satisfies_its_schema(schema: dict[str, Any], text: str) -> None:
    """Whatever the text says, the value is valid."""
    value = instance(schema, text=text)

    assert jsonschema_rs.is_valid(schema, value), value


@given(
    text=st.text(max_size=60),
    low=st.integers(-1000, 1000),
    span=st.integers(0, 1000),
    size=st.integers(0, 5),
)
def test_value_satisfies_ranges_whatever_the_text(text: str, low: int, span: int, size: int) -> None:
    """Numbers, lengths and sizes stay in range for any text."""
    schema = {
        "type": "object",
        "properties": {
            "number": {"type": "number", "minimum": low, "maximum": low + span},
            "integer": {"type": "integer", "minimum": low, "maximum": low + span},
            "text": {"type": "string", "minLength": size, "maxLength": size + 3},
            "list": {"type": "array", "items": {"type": "string"}, "minItems": size, "maxItems": size + 1},
        },
        "required": ["number", "integer", "text", "list"],
    }

    value = instance(schema, text=text)

    assert jsonschema_rs.is_valid(schema, value), value


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("What's the weather in Paris?", ["Paris"]),
        ("Compare the weather in San Francisco, Tokyo and Paris", ["San Francisco", "Tokyo", "Paris"]),
        ("Compare the weather in Oslo, Rome, Kyoto", ["Oslo", "Rome", "Kyoto"]),
        ("the weather in San Francisco, CA?", ["San Francisco, CA"]),
        ("the weather in San Francisco, CA and Boston, MA", ["San Francisco, CA", "Boston, MA"]),
        ("the weather in Paris, France today", ["Paris, France"]),
        ('Search for "quantum computing" please', ["quantum computing"]),
        ("北京今天天气怎么样", ["北京"]),
        ("what is it", []),
    ],
)
def test_subjects_are_what_a_question_is_about(text: str, names: list[str]) -> None:
    """Places and quoted words become arguments of functions."""
    assert subjects(text) == names


def test_value_says_what_the_text_says() -> None:
    """Names, numbers and choices are taken from the text."""
    schema = {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer"},
            "unit": {"enum": ["celsius", "fahrenheit"]},
        },
        "required": ["city", "days", "unit"],
    }

    value = instance(schema, text="Forecast for Oslo, 3 days, in fahrenheit")

    assert value == {"city": "Oslo", "days": 3, "unit": "fahrenheit"}


@pytest.mark.parametrize("pattern", ["^(?=(a+)+$)b", "("])
def test_pattern_that_nothing_can_meet_takes_no_time(pattern: str) -> None:
    """One that backtracks for ever is given up, and what is no pattern is met by anything."""
    made = instance({"type": "string", "pattern": pattern}, text="a" * 60 + "!")

    assert isinstance(made, str)
