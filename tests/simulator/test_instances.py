"""Values that satisfy schemas, made of what a text says."""

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulator.instances import instance

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
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
