"""How deep values may be nested; what goes deeper, no reader follows to its end."""

from typing import Any

MOST_LEVELS = 100
"""Of lists and objects within each other; schemas that are of use have a tenth of it."""


def is_too_deep(value: Any) -> bool:
    """Tell whether lists and objects are nested deeper than that."""
    level = [value]
    for _ in range(MOST_LEVELS + 1):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.values()]
    return value if isinstance(value, list) else []
