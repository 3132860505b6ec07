"""
What is wrong with a configuration, told all at once and in words that name the cure.

Knows types and their descriptions, not where a value came from nor what it is for.
"""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from msgspec import inspect

from gateway.settings.files import Fingerprint

_QUOTABLE = (inspect.IntType, inspect.FloatType, inspect.BoolType, inspect.LiteralType, inspect.NoneType)


class SettingsError(Exception):
    """
    Raised when a configuration cannot be used; ``problems`` has one sentence for each thing to mend.

    ``files`` are those that were read or should have been, as they were just before.
    """

    def __init__(
        self, problems: Iterable[str], *, files: Mapping[Path, Fingerprint] = MappingProxyType({})
    ) -> None:
        self.problems = tuple(problems)
        self.files = files
        super().__init__("\n".join(self.problems))


def nearest(name: str, names: Iterable[str]) -> str:
    """End a sentence with the known name closest to ``name``, or with nothing more than its full stop."""
    near = difflib.get_close_matches(name, tuple(names), n=1)
    return f"; did you mean {near[0]}?" if near else "."


def quotable(kind: Any) -> bool:
    """Tell whether a wrong value may be repeated: never where text is expected, as it may hold a secret."""
    return _quotable(inspect.type_info(kind))


def _quotable(kind: inspect.Type) -> bool:
    match kind:
        case inspect.Metadata(type=bare):
            return _quotable(bare)
        case inspect.UnionType(types=types):
            return all(map(_quotable, types))
        case _:
            return isinstance(kind, _QUOTABLE)


def describe(kind: Any) -> str:
    """Say in words what values a type takes: "a whole number from 0 to 65535"."""
    return _describe(inspect.type_info(kind))


def _describe(kind: inspect.Type) -> str:
    words = "text"
    match kind:
        case inspect.Metadata(type=bare, extra_json_schema=schema):
            words = (schema or {}).get("description") or _describe(bare)
        case inspect.UnionType(types=types):
            words = " or ".join(_describe(one) for one in types if not isinstance(one, inspect.NoneType))
        case inspect.LiteralType(values=values):
            words = "one of " + ", ".join(map(str, values))
        case inspect.VarTupleType(item_type=item):
            words = f"a list, each {_describe(item)}"
        case inspect.DictType(value_type=value):
            words = f"a table, each value {_describe(value)}"
        case inspect.BoolType():
            words = "true or false"
        case inspect.IntType():
            words = "a whole number" + _bounds(kind)
        case inspect.FloatType():
            words = "a number" + _bounds(kind)
    return words


def _bounds(kind: inspect.IntType | inspect.FloatType) -> str:
    most = "" if kind.le is None else f", at most {kind.le:.0f}"
    if kind.gt is not None:
        return f" greater than {kind.gt:g}{most}"
    if kind.ge is not None and kind.le is not None:
        return f" from {kind.ge:g} to {kind.le:.0f}"
    return "" if kind.ge is None else f" of at least {kind.ge:g}"
