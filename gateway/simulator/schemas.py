"""Finding JSON schemas in a text, where callers put what answers have to look like."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from gateway.simulator.nesting import is_too_deep

Schema = dict[str, Any]

_SCHEMA_WORDS = {"type", "properties", "$ref", "anyOf", "oneOf", "allOf", "enum", "$defs"}
_TYPES = {"object", "array", "string", "integer", "number", "boolean", "null"}
_NAMING_WORDS = {"type", "title", "description", "$schema"}
_ENVELOPES = ("schema", "json_schema")


def find_schemas(text: str) -> Iterator[Schema]:
    """
    Find the JSON objects in a text that are schemas, bare or in an envelope, outer ones before inner ones.

    Those that are nested too deeply count for nothing, and nothing in them.
    """
    followed_to = 0
    for start in (match.start() for match in re.finditer(r"\{", text)):
        end = _end_of_object(text, start) if start >= followed_to else None
        if end is None:
            continue
        try:
            schema = _unwrapped(_object_in(text[start:end]))
        except msgspec.DecodeError:
            continue
        except RecursionError:
            followed_to = end
            continue
        if schema is not None:
            yield schema


def is_any_object(schema: Schema) -> bool:
    """Tell whether a schema asks for an object and says nothing of what is in it."""
    telling = {word for word, value in schema.items() if value not in ({}, [], True)}
    return schema.get("type") == "object" and telling <= _NAMING_WORDS


def _unwrapped(candidate: dict[str, Any]) -> Schema | None:
    for envelope in _ENVELOPES:
        inner = candidate.get(envelope)
        if isinstance(inner, dict):
            return _unwrapped(inner)
    kinds = candidate.get("type", [])
    named = {str(kind) for kind in (kinds if isinstance(kinds, list) else [kinds])}
    return candidate if candidate.keys() & _SCHEMA_WORDS and named <= _TYPES else None


def _object_in(text: str) -> dict[str, Any]:
    """Return what a text says; raise DecodeError, or RecursionError for what is nested too deeply."""
    found = msgspec.json.decode(text, type=dict[str, Any])
    if is_too_deep(found):
        raise RecursionError
    return found


def _end_of_object(text: str, start: int) -> int | None:
    depth = 0
    for at, character in _structure(text, start):
        depth += 1 if character == "{" else -1
        if depth == 0:
            return at + 1
    return None


def _structure(text: str, start: int) -> Iterator[tuple[int, str]]:
    """Return the braces of a text that stand outside strings, with their places."""
    for match in re.compile(r'"(?:[^"\\]|\\.)*"|[{}]').finditer(text, start):
        if match[0] in "{}":
            yield match.start(), match[0]
