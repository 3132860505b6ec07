"""The frame of every check of a JSON request: which fields there may be, which there must be, a check for each."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias, TypeVar

from gateway.simulator.nesting import MOST_LEVELS, is_too_deep
from gateway.simulator.refusals import Refusal

M = TypeVar("M")

Fields = Mapping[str, Any]
Check: TypeAlias = Callable[[str, Any, M], None]
"""Refuses a field by its name and value, for a model."""


def check_fields(fields: Fields, *, model: M, checks: Mapping[str, Check[M]], required: Collection[str]) -> None:
    """
    Refuse what is not in ``checks``, is missing, is nested too deeply, or fails its check.

    Fields that are null count as absent.
    """
    unknown = fields.keys() - checks.keys()
    if unknown:
        raise Refusal("1210", f"unknown field: {', '.join(sorted(unknown))}")
    for name in required:
        if fields.get(name) is None:
            raise Refusal("1213", name)
    for name, value in fields.items():
        if is_too_deep(value):
            raise Refusal("1210", f"{name}: nested deeper than {MOST_LEVELS} levels")
        if value is not None:
            checks[name](name, value, model)


def anything(_name: str, _value: Any, _model: object) -> None:
    """Take whatever comes."""


def length(low: int, high: int) -> Check[object]:
    """Return a check for texts of so many characters."""

    def check(name: str, value: Any, _model: object) -> None:
        if not isinstance(value, str) or not low <= len(value) <= high:
            raise Refusal("1214", name)

    return check
