"""Multipart forms as the platform takes them: texts, files, and lists as repeated fields."""

import io
from typing import Any

from msgspec import Struct
from multipart import MultipartError, MultipartParser, parse_options_header

from gateway.simulator.connection import Request
from gateway.simulator.refusals import Refusal

_MOST_PARTS = 256
_LISTS = frozenset({"hotwords"})


class Upload(Struct, frozen=True):
    """A file of a form, with the name its sender gave it."""

    filename: str
    content: bytes


def read_form(request: Request) -> dict[str, Any]:
    """
    Return the fields of a form: text as str, files as Upload, ``hotwords`` as a list, with or without brackets.

    ``name[key]`` becomes an object. Raises Refusal 1210 for what is no form.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise Refusal("1210", "Content-Type: multipart/form-data")
    fields: dict[str, Any] = {}
    try:
        parser = MultipartParser(
            io.BytesIO(request.body),
            options["boundary"],
            part_limit=_MOST_PARTS,
            spool_limit=len(request.body) + 1,
            memory_limit=len(request.body) + 1,
        )
        for part in parser:
            _put(fields, part.name, Upload(part.filename, part.raw) if part.filename else part.value)
    except (MultipartError, UnicodeDecodeError) as error:
        raise Refusal("1210", "multipart/form-data") from error
    return fields


def _put(fields: dict[str, Any], name: str, value: Any) -> None:
    outer, _, key = name.removesuffix("]").partition("[")
    if outer in _LISTS:
        fields.setdefault(outer, []).append(value)
    elif key:
        inner = fields.setdefault(outer, {})
        if isinstance(inner, dict):
            inner[key] = value
    else:
        fields[outer] = value
