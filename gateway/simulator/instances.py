"""
Making a value that satisfies a JSON schema out of what a text says.

Covers what callers send to describe answers and functions: types, enums, ranges, lengths, patterns, references,
alternatives. A pattern is met when a word of the text or one of some usual values meets it.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import jsonschema_rs

from gateway.simulator.schemas import Schema
from gateway.simulator.subjects import subjects

MAX_BACKTRACKS = 10_000
"""What a pattern may cost; nobody else is answered while it is matched."""

_FORMATS = {
    "date": "2026-01-31",
    "time": "12:00:00Z",
    "date-time": "2026-01-31T12:00:00Z",
    "email": "user@example.com",
    "uri": "https://example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "hostname": "example.com",
    "duration": "P1D",
}
_USUAL = (
    "a",
    "A",
    "0",
    "1",
    "ab",
    "AB",
    "ABC",
    "abc",
    "12",
    "123",
    "1234",
    "12345",
    "+4912345678",
    "a_b",
    "a-b",
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_DEEPEST = 5


def instance(schema: Schema, *, text: str, subject: str | None = None) -> Any:
    """Make a value that satisfies the schema; ``subject`` goes first where a string is free."""
    names = [subject] if subject else subjects(text)
    return _Maker(schema, text=text, names=names).make(schema, depth=0)


class _Maker:
    """Fills one value; numbers of the text are used up in order, names are taken for every free string."""

    def __init__(self, root: Schema, *, text: str, names: list[str]) -> None:
        self._root = root
        self._text = text
        self._names = names
        self._numbers = iter([float(number) for number in _NUMBER.findall(text)])
        self._makers: Mapping[str, Callable[[Schema, int], Any]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._integer,
            "number": self._number,
            "boolean": lambda _schema, _depth: not re.search(r"\b(no|not|don't)\b|不", self._text),
            "null": lambda _schema, _depth: None,
        }

    def make(self, schema: Any, *, depth: int) -> Any:
        if not isinstance(schema, dict):
            return self._string({}, depth)
        schema = self._resolved(schema, depth)
        for word in ("const", "default"):
            if word in schema:
                return schema[word]
        if "enum" in schema:
            return self._choice(schema["enum"])
        return self._makers[_type(schema)](schema, depth)

    def _resolved(self, schema: Schema, depth: int) -> Schema:
        for _ in range(_DEEPEST):
            reference = schema.get("$ref")
            options = schema.get("anyOf") or schema.get("oneOf")
            if isinstance(reference, str):
                schema = self._follow(reference)
            elif options:
                # Null only where a schema that contains itself has to end.
                is_end = depth >= _DEEPEST
                schema = next(
                    (option for option in options if (option.get("type") == "null") == is_end), options[0]
                )
            elif "allOf" in schema:
                schema = _merged(schema)
            else:
                break
        return schema

    def _follow(self, reference: str) -> Schema:
        target: Any = self._root
        for key in reference.removeprefix("#").strip("/").split("/"):
            target = target[key] if key else target
        return dict(target)

    def _choice(self, options: list[Any]) -> Any:
        said = self._text.lower()
        return next((option for option in options if str(option).lower() in said), options[0])

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        properties = schema.get("properties", {})
        wanted = schema.get("required", properties.keys() if depth < _DEEPEST else ())
        return {name: self.make(properties.get(name, {}), depth=depth + 1) for name in wanted}

    def _array(self, schema: Schema, depth: int) -> list[Any]:
        items = self._resolved(schema.get("items") or {}, depth)
        least, most = schema.get("minItems", 0), schema.get("maxItems", math.inf)
        size = max(least, 1) if depth < _DEEPEST else least
        is_text = _type(items) == "string" and "enum" not in items
        if is_text and self._names:
            size = max(least, len(self._names))
        size = int(min(size, most))
        values = [self.make(items, depth=depth + 1) for _ in range(size)]
        if is_text:
            names = [name for name in self._names if _fits(items, name)][:size]
            values[: len(names)] = names
        return values

    def _string(self, schema: Schema, _depth: int) -> str:
        usual = [_FORMATS[schema["format"]]] if schema.get("format") in _FORMATS else []
        words = [*self._names, self._text.strip(), *self._text.split(), *_FORMATS.values(), *_USUAL]
        candidates = [*usual, *words]
        fitting = next((word for word in candidates if word and _fits(schema, word)), None)
        if fitting is not None:
            return fitting
        least, most = schema.get("minLength", 1), schema.get("maxLength", 80)
        return (self._text.strip() or "text").ljust(least, ".")[: max(least, most)]

    def _number(self, schema: Schema, _depth: int) -> float:
        low = _bound(schema, "minimum", "exclusiveMinimum", otherwise=-math.inf)
        high = _bound(schema, "maximum", "exclusiveMaximum", otherwise=math.inf)
        said = next((number for number in self._numbers if low < number < high), None)
        if said is not None and "multipleOf" not in schema:
            return said
        return _between(schema, low, high)

    def _integer(self, schema: Schema, depth: int) -> int:
        step = {"multipleOf": 1} | schema
        whole = self._number(schema, depth)
        return int(whole if whole == int(whole) else _between(step, math.ceil(whole), math.inf))


def _bound(schema: Schema, *words: str, otherwise: float) -> float:
    return next((float(schema[word]) for word in words if word in schema), otherwise)


def _between(schema: Schema, low: float, high: float) -> float:
    step = schema.get("multipleOf", 1)
    if low == -math.inf:
        low = min(1, high)
    value = math.ceil(low / step) * step
    if value == schema.get("exclusiveMinimum"):
        value += step
    return value if value <= high and value != schema.get("exclusiveMaximum") else (low + high) / 2


def _fits(schema: Schema, word: str) -> bool:
    pattern = schema.get("pattern")
    return schema.get("minLength", 0) <= len(word) <= schema.get("maxLength", 400) and (
        pattern is None or _meets(pattern, word)
    )


def _meets(pattern: str, word: str) -> bool:
    try:
        options = jsonschema_rs.FancyRegexOptions(backtrack_limit=MAX_BACKTRACKS)
        return jsonschema_rs.validator_for({"pattern": pattern}, pattern_options=options).is_valid(word)
    except (ValueError, jsonschema_rs.ValidationError):
        return True  # What is no pattern says nothing.


def _type(schema: Schema) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), "null")
    return str(kind)


def _merged(schema: Schema) -> Schema:
    merged = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema["allOf"]:
        for key, value in part.items():
            both = isinstance(value, dict) and isinstance(merged.get(key), dict)
            merged[key] = merged[key] | value if both else value
    return merged
