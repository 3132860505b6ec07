"""Reading JSON bodies: bytes to a Struct and the names of its fields, or a 400 that says where it is wrong."""

import re
from collections.abc import Collection
from typing import Generic, TypeVar

import msgspec
from msgspec import Raw

from gateway.errors import InvalidRequest

RequestT = TypeVar("RequestT")

MAX_DEPTH_ADVICE = "The JSON is nested too deeply."
PATH = re.compile(r"^(?P<said>.*?)(?: - at `\$?\.?(?P<path>.*?)`)?$", re.DOTALL)

decode_keys = msgspec.json.Decoder(dict[str, Raw]).decode


class Reader(Generic[RequestT]):
    """Reads one kind of request; made once, since a decoder costs more than a request."""

    def __init__(self, kind: type[RequestT]) -> None:
        self._decode = msgspec.json.Decoder(kind).decode

    def read(self, body: bytes) -> tuple[RequestT, Collection[str]]:
        """
        Return the request and the names of the fields that came, known or not.

        Raises InvalidRequest with ``param`` where one can be named: the caller's fault.
        """
        check_encoding(body)
        try:
            return self._decode(body), decode_keys(body).keys()
        except msgspec.ValidationError as error:
            raise invalid_field(str(error)) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidRequest(f"The body is not valid JSON: {error}. Send a JSON object in UTF-8.") from error
        except RecursionError as error:
            raise InvalidRequest(MAX_DEPTH_ADVICE) from error


def check_encoding(body: bytes) -> None:
    """Raise InvalidRequest unless the whole body is UTF-8; what passes through unread is then too."""
    if body.isascii():
        return
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"The body is not UTF-8 (byte {error.start}). Send JSON in UTF-8.") from error


def invalid_field(message: str) -> InvalidRequest:
    """Return the error for msgspec's message, whose tail is the path of the field at fault."""
    match = PATH.match(message)
    said, path = (match["said"], match["path"]) if match is not None else (message, None)
    missing = re.search(r"missing required field `(.*?)`", said)
    if missing is not None:
        path = f"{path}.{missing[1]}" if path else missing[1]
        return InvalidRequest(
            f"Missing required parameter: '{path}'.", param=path, code="missing_required_parameter"
        )
    where = f" at '{path}'" if path else ""
    return InvalidRequest(f"{said.rstrip('.')}{where}.", param=path or None)
