"""Which settings a running gateway takes over when its configuration changes, and which wait for a restart."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import fields

from gateway.settings.reader import FOUND_NOT_CONFIGURED
from gateway.settings.schema import Settings

TAKEN_OVER = frozenset({"accounts", "tenants", "jwt", "limits", "aliases", "models_file"})


def needing_restart(running: Settings, changed: Settings) -> list[str]:
    """Return the key paths of settings that differ and that only a restart can change."""
    return list(_differences(running, changed, leaving_out=TAKEN_OVER | FOUND_NOT_CONFIGURED))


def _differences(one: Struct, other: Struct, *, leaving_out: frozenset[str], at: str = "") -> Iterator[str]:
    for field in fields(one):
        if field.name in leaving_out:
            continue
        values: tuple[Any, Any] = getattr(one, field.name), getattr(other, field.name)
        if isinstance(values[0], Struct):
            yield from _differences(*values, leaving_out=frozenset(), at=f"{at}{field.name}.")
        elif values[0] != values[1]:
            yield f"{at}{field.name}"
