"""Reading JSON bodies: bytes to a Struct and the names of its fields, or a 400 that says where it is wrong."""

import re
from collections.abc import Collection
from typing import Generic, TypeVar, cast

import msgspec
from msgspec import Raw, Struct

from gateway.errors import InvalidRequest
from gateway.translate.complaints import invalid_field
from gateway.translate.strays import strays, twin_of

RequestT = TypeVar("RequestT", bound=Struct)

NULL = Raw(b"null")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
ESCAPE = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\(u[dD][89a-fA-F]..)|\\.", re.DOTALL)
"""An escape in a string, a whole surrogate pair being one; the group is half of a pair."""

decode_members = msgspec.json.Decoder(dict[str, Raw]).decode


class Reader(Generic[RequestT]):
    """Reads one kind of request; made once, since a decoder costs more than a request."""

    def __init__(self, kind: type[RequestT]) -> None:
        self._kind = kind
        self._decode = msgspec.json.Decoder(kind).decode
        self._decode_known = msgspec.json.Decoder(cast("type[RequestT]", twin_of(kind))).decode

    def read(self, body: bytes) -> tuple[RequestT, Collection[str]]:
        """
        Return the request and the names of the fields that came, known or not; null counts as absent.

        What is not known inside a field is named by its path. Raises InvalidRequest with ``param`` where one can
        be named: the caller's fault.
        """
        check_encoding(body)
        try:
            try:
                request, unknown = self._decode_known(body), []
            except msgspec.ValidationError:
                request, unknown = self._decode(body), strays(msgspec.json.decode(body), self._kind)
            return request, [*names_in(body), *unknown]
        except msgspec.ValidationError as error:
            raise invalid_field(str(error), kind=self._kind) from error
        except msgspec.DecodeError as error:
            raise InvalidRequest(
                f"The body is not valid JSON: {flaw_of(body) or error}. Send a JSON object in UTF-8."
            ) from error
        except RecursionError as error:
            raise InvalidRequest("The JSON is nested too deeply. Send a flatter object.") from error


def names_in(body: bytes) -> Collection[str]:
    """Return the names of the members of a JSON object that are not null."""
    members = decode_members(body)
    if NULL in members.values():
        return [name for name, value in members.items() if value != NULL]
    return members.keys()


def flaw_of(body: bytes) -> str | None:
    """Return what is wrong with a body where the decoder's own words mislead; None where they do not."""
    if not body.strip():
        return "it is empty"
    if body.startswith(BYTE_ORDER_MARK):
        return "it begins with a byte order mark"
    half = next((escape for escape in ESCAPE.finditer(body) if escape[1]), None)
    return None if half is None else f"a string holds half of a surrogate pair (byte {half.start()})"


def check_encoding(body: bytes) -> None:
    """Raise InvalidRequest unless the whole body is UTF-8; what passes through unread is then too."""
    if body.isascii():
        return
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"The body is not UTF-8 (byte {error.start}). Send JSON in UTF-8.") from error
