"""What arrives with a recording: the recording, wherever it is kept, and fields of a form or of JSON."""

import re
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Struct, ValidationError

from gateway.audio import Cut, Piece, Probe
from gateway.errors import InvalidRequest
from gateway.translate.complaints import invalid_field

RequestT = TypeVar("RequestT")

RATE = 16_000
"""The rate at which recordings are cut and sent, in Hz: speech recognition hears no more."""

LISTS = frozenset(
    {
        "hotwords",
        "include",
        "keywords",
        "known_speaker_names",
        "known_speaker_references",
        "languages",
        "timestamp_granularities",
    }
)
TEXTS = frozenset({"model", "prompt", "language", "request_id", "user_id"})

BRACKETED = re.compile(r"^(?P<name>[^\[\]]+)\[(?P<key>[^\[\]]*)\]$")


class Recording(Protocol):
    """
    A recording that a caller sent.

    ``param`` is the field that it came in. All but ``pieces`` block. What cannot be read raises InvalidRequest,
    the caller's fault.
    """

    param: str

    def probe(self) -> Probe:
        """Return what it is."""

    def cut(self, how: Cut) -> Iterator[Piece]:
        """Yield its pieces, at RATE."""

    def read(self) -> bytes:
        """Return it as it came."""

    def pieces(self, how: Cut) -> AsyncGenerator[Piece, None]:
        """Yield its pieces, at RATE, each made when it is asked for; may be begun again."""


class Upload(Struct, frozen=True, kw_only=True):
    """
    What a caller sent.

    ``fields`` are by their plain names, texts where they came in a form, which ``is_form`` tells. ``recording``
    None: there was none. ``field`` names where it was.
    """

    fields: Mapping[str, Any]
    is_form: bool
    recording: Recording | None
    field: str = "file"

    def read(self, kind: type[RequestT]) -> tuple[RequestT, Collection[str]]:
        """
        Return the request and the names of the fields that came; an empty text, or null, counts as absent.

        Raises InvalidRequest with ``param`` where one can be named: the caller's fault.
        """
        given = {name: value for name, value in self.fields.items() if value not in (None, "")}
        try:
            request = msgspec.convert(given, kind, strict=not self.is_form)
        except ValidationError as error:
            raise invalid_field(str(error), kind=kind) from error
        return request, [*given, *([self.field] if self.recording is not None else ())]

    def required_recording(self) -> Recording:
        """Return the recording; raise InvalidRequest when there is none."""
        if self.recording is None:
            raise InvalidRequest(
                "Missing required parameter: 'file'. Send the recording as a file in a multipart form.",
                param="file",
                code="missing_required_parameter",
            )
        return self.recording


def fields_of(form: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """
    Return the fields of a form, which come in any order, by their plain names.

    ``a[]`` and ``a[0]`` are items of the list ``a``, ``a[b]`` is a key of the object ``a``. The last of equal
    names counts, except in lists. A list may also come as JSON.
    """
    fields: dict[str, Any] = {}
    for full_name, text in form:
        found = BRACKETED.match(full_name)
        name, key = (found["name"], found["key"]) if found is not None else (full_name, "")
        if name in LISTS or (found is not None and (not key or key.isdigit())):
            items = fields.setdefault(name, [])
            if isinstance(items, list):
                items += items_of(text)
        elif found is not None:
            entries = fields.setdefault(name, {})
            if isinstance(entries, dict):
                entries[key] = text
        else:
            fields[name] = text
    return fields


def items_of(text: str) -> list[Any]:
    """Return the items that a field of a list stands for: itself, or those of a JSON array."""
    if text.startswith("["):
        try:
            return msgspec.json.decode(text, type=list[str])
        except msgspec.DecodeError:
            pass
    return [text] if text else []
