"""
How often a JSON Schema looks at one place of a value, for alternatives that refer to what they are part of.

Whether a value is valid is told quickly, as verdicts are remembered. To say what is wrong the validator goes
through every alternative anew, and two that lead back to the whole double the work at each level of the value.
"""

from collections.abc import Iterable
from typing import Any

MAX_LOOKS = 1000
MAX_DEPTH = 32
BELOW = frozenset({
    "additionalItems", "additionalProperties", "contains", "items", "patternProperties", "prefixItems",
    "properties", "propertyNames", "unevaluatedItems", "unevaluatedProperties",
})  # fmt: skip
"""Keywords whose schemas are of what is inside the value; those of all others are of the value itself."""

INERT = frozenset({"$defs", "const", "default", "definitions", "enum", "examples"})
MAPS = frozenset({"dependencies", "dependentSchemas", "patternProperties", "properties"})
"""Keywords whose object holds schemas by name, and is none itself."""


def is_bounded(schema: dict[str, Any], value: Any) -> bool:
    """Tell whether what is wrong with a value can be looked for; False for what is too deep to be sure of."""
    depth = depth_of(value)
    try:
        return depth <= MAX_DEPTH and Looks(schema).at(schema, depth) <= MAX_LOOKS
    except RecursionError:
        return False


class Looks:
    """How often a validator looks at one place of a value, by the schema that ``root`` is the whole of."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._known: dict[tuple[int, int], int] = {}

    def at(self, schema: Any, depth: int) -> int:
        """Return how often one place of a value of a depth is looked at; above the bound any number."""
        if not isinstance(schema, dict) or depth < 0:
            return 1
        key = (id(schema), depth)
        if key not in self._known:
            self._known[key] = 0  # The validator follows no reference to itself at the same place either.
            self._known[key] = min(1 + sum(self._of(word, schema[word], depth) for word in schema), MAX_LOOKS + 1)
        return self._known[key]

    def _of(self, word: str, rule: Any, depth: int) -> int:
        if word in INERT:
            return 0
        if word in {"$ref", "$dynamicRef", "$recursiveRef"}:
            target = target_of(self._root, rule)
            return MAX_LOOKS + 1 if target is None else self.at(target, depth)
        schemas = schemas_in(rule, named=word in MAPS)
        if word in BELOW:
            return max((self.at(schema, depth - 1) for schema in schemas), default=0)
        return sum(self.at(schema, depth) for schema in schemas)


def schemas_in(rule: Any, *, named: bool) -> Iterable[dict[str, Any]]:
    listed = rule if isinstance(rule, list) else rule.values() if named and isinstance(rule, dict) else [rule]
    return (schema for schema in listed if isinstance(schema, dict))


def target_of(root: dict[str, Any], reference: Any) -> Any:
    """Return what a pointer from the top names; None for anchors, addresses and what is not there."""
    if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
        return None
    found: Any = root
    for step in reference.split("/")[1:]:
        if not isinstance(found, dict):
            return None
        found = found.get(step.replace("~1", "/").replace("~0", "~"))
    return found


def depth_of(value: Any) -> int:
    deepest, level = 0, [value]
    while level := [
        inner
        for outer in level
        if isinstance(outer, dict | list)
        for inner in (outer.values() if isinstance(outer, dict) else outer)
    ]:
        deepest += 1
    return deepest
