"""
Reads the tree of settings out of nested tables, and goes on after a problem, so that all are told at once.

Knows how a field becomes a value: by its type, by its name, and for a secret also by ``…_env`` or ``…_file``.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from msgspec import Struct, ValidationError, convert
from msgspec.structs import FieldInfo, fields

from gateway.settings.files import Fingerprint, fingerprint
from gateway.settings.problems import describe, nearest, quotable
from gateway.settings.secret import Secret

T = TypeVar("T", bound=Struct)

FOUND_NOT_CONFIGURED = frozenset({"warnings", "files"})


class Said(Struct, frozen=True):
    """Text of an environment variable, where a file would have a typed value."""

    variable: str
    text: str


class Reader:
    """
    Turns tables into Structs; what cannot be used is left out and told in ``problems``.

    ``files`` are those that were read or should have been, as they were just before.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []
        self.files: dict[Path, Fingerprint] = {}

    def struct(self, kind: type[T], table: Any, *, at: str = "") -> T | None:
        """Read one Struct from the table at a key path; None when something that it needs is missing."""
        if not isinstance(table, dict):
            self.problems.append(f"{at} must be a table.")
            return None
        known = {field.name: field for field in fields(kind) if field.name not in FOUND_NOT_CONFIGURED}
        self._refuse_unknown(table, known.values(), at=at)
        values = {}
        for name, field in known.items():
            value = self._field(field, table, at=f"{at}.{name}".lstrip("."))
            if value is not None:
                values[name] = value
            elif field.required:
                return None
        return kind(**values)

    def _refuse_unknown(self, table: dict[str, Any], known: Iterable[FieldInfo], *, at: str) -> None:
        names = [name for field in known for name in ([field.name, *_elsewhere(field)])]
        for name in sorted(table.keys() - set(names)):
            path = f"{at}.{name}".lstrip(".")
            self.problems.append(f"{path} is not a setting{nearest(name, names)}")

    def _field(self, field: FieldInfo, table: dict[str, Any], *, at: str) -> Any:
        if _is_secret(field):
            return self._secret(field, table, at=at)
        if field.name not in table:
            if field.required:
                self.problems.append(f"{at} is missing; it must be {describe(field.type)}.")
            return None
        kind, value = field.type, table[field.name]
        if isinstance(kind, type) and issubclass(kind, Struct):
            return self.struct(kind, value, at=at)
        members = get_args(kind)
        if members and isinstance(members[0], type) and issubclass(members[0], Struct):
            return self._structs(members[0], value, at=at)
        return self.value(kind, value, at=at)

    def _structs(self, kind: type[T], tables: Any, *, at: str) -> tuple[T, ...]:
        if not isinstance(tables, list):
            self.problems.append(f"{at} must be a list of tables, each written under [[{at}]].")
            return ()
        read = (self.struct(kind, table, at=f"{at}[{index}]") for index, table in enumerate(tables))
        return tuple(one for one in read if one is not None)

    def value(self, kind: Any, value: Any, *, at: str) -> Any:
        """Read one value of any type but a Struct; None when it is not what the type takes."""
        strict = not isinstance(value, Said)
        if isinstance(value, Said):
            at, text = value.variable, value.text
            value = [part.strip() for part in text.split(",")] if _is_list(kind) else text
        try:
            return convert(value, kind, strict=strict, dec_hook=decode_custom)
        except (ValidationError, NotImplementedError, UnicodeEncodeError):  # bytes of a variable that are no text
            given = f", not {value!r}" if quotable(kind) else ""
            self.problems.append(f"{at} must be {describe(kind)}{given}.")
            return None

    def _secret(self, field: FieldInfo, table: dict[str, Any], *, at: str) -> Secret | None:
        names = [name for name in (field.name, *_elsewhere(field)) if name in table]
        if len(names) > 1:
            self.problems.append(f"{at} is said {len(names)} times ({', '.join(names)}); keep one.")
            return None
        if not names:
            if field.required:
                self.problems.append(f"{at} is missing; say {', '.join((field.name, *_elsewhere(field)))}.")
            return None
        name, value = names[0], table[names[0]]
        if isinstance(value, Said):
            return self.secret(value.text, at=value.variable)
        at = at.removesuffix(field.name) + name
        text = self._secret_text(name.removeprefix(field.name), value, at=at)
        return None if text is None else self.secret(text, at=at)

    def _secret_text(self, way: str, value: Any, *, at: str) -> str | None:
        if not isinstance(value, str):
            self.problems.append(f"{at} must be text.")
            return None
        if way == "_env":
            return self._from_environment(value, at=at)
        return self._from_file(value, at=at) if way == "_file" else value

    def _from_environment(self, variable: str, *, at: str) -> str | None:
        # Somebody may have put the secret itself here; only what is surely a name is quoted.
        if variable not in self._environ:
            name = variable if re.fullmatch("[A-Z_][A-Z0-9_]*", variable) else "that"
            self.problems.append(f"{at} must name an environment variable; {name} is not set.")
        return self._environ.get(variable)

    def _from_file(self, path: str, *, at: str) -> str | None:
        try:
            return self.file(Path(path))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            self.problems.append(f"{at} must name a file that can be read: {reason}.")
            return None

    def file(self, path: Path) -> str:
        """Read a whole file; raise OSError, or ValueError when it is not text."""
        self.files[path] = fingerprint(path)
        return path.read_text("utf-8")

    def secret(self, text: str, *, at: str) -> Secret | None:
        """Take a secret as it was typed; refuses one that is empty or could not be sent in a header."""
        text = text.strip()
        if not text:
            self.problems.append(f"{at} gives an empty secret; give the secret, or leave the setting out.")
        elif not (text.isascii() and text.isprintable()) or " " in text:
            self.problems.append(f"{at} gives a secret with spaces or other characters that no key has.")
        else:
            return Secret(text)
        return None


def _is_secret(field: FieldInfo) -> bool:
    return Secret in (field.type, *get_args(field.type))


def _is_list(kind: Any) -> bool:
    return getattr(kind, "__origin__", None) is tuple


def _elsewhere(field: FieldInfo) -> tuple[str, ...]:
    return (f"{field.name}_env", f"{field.name}_file") if _is_secret(field) else ()


def decode_custom(kind: type, value: Any) -> Any:
    """Turn text into the types of this tree that no format has; msgspec's ``dec_hook``."""
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(kind)
