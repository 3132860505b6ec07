"""Reading GLM's answers: bytes to a Struct, or the error that is told of them. Each kind is read in one place."""

import base64
import binascii
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import msgspec

from gateway.glm.chat import ErrorDetail
from gateway.translate.errors import from_glm, unreadable
from gateway.translate.requests import ESCAPE

SUCCESS = 200

REPLACEMENT = rb"\ufffd"

BESIDE = frozenset({"usage", "web_search", "segments"})
"""What an answer is whole without: what it cost, what it was found in, and when which part of it was said."""


class Answer(Protocol):
    """What GLM sends with the status of a success; ``error`` is there when it is none."""

    @property
    def error(self) -> ErrorDetail | None:
        """What went wrong."""


AnswerT = TypeVar("AnswerT", bound=Answer)


def reader_of(kind: type[AnswerT]) -> Callable[[bytes], AnswerT]:
    """
    Return what reads one kind of answer, or of the chunks of one; made once, as a decoder costs more than that.

    It raises the error that an answer carries, or UpstreamProtocolError when one cannot be read: both GLM's fault.
    """
    decode = msgspec.json.Decoder(kind).decode
    decode_loosely = msgspec.json.Decoder(kind, strict=False).decode

    # A function, as a method takes a tenth longer, and every token of a stream comes this way.
    def read(body: bytes) -> AnswerT:
        try:
            try:
                answer = decode(body)
            except msgspec.ValidationError:
                answer = loosely(body, decode_loosely)
            except msgspec.DecodeError:
                answer = decode(with_whole_characters(body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise unreadable() from error
        if answer.error is not None:
            raise from_glm(answer.error, http_status=SUCCESS)
        return answer

    return read


def loosely(body: bytes, decode: Callable[[bytes], AnswerT]) -> AnswerT:
    """
    Return an answer some of whose fields are of other types than documented.

    Null is absent and numbers may be text; what is still wrong beside the answer is left out of it. Raises
    msgspec's ValidationError where the answer itself is wrong.
    """
    told = without_nulls(msgspec.json.decode(body))
    try:
        return decode(msgspec.json.encode(told))
    except msgspec.ValidationError:
        if not (isinstance(told, dict) and told.keys() & BESIDE):
            raise
        return decode(msgspec.json.encode({name: value for name, value in told.items() if name not in BESIDE}))


def with_whole_characters(body: bytes) -> bytes:
    """
    Return a body with the replacement character for each half of a surrogate pair.

    Halves are left where a text is cut between the two, as a limit of tokens or of a chunk may do.
    """
    return ESCAPE.sub(lambda found: REPLACEMENT if found[1] else found[0], body)


def without_nulls(value: Any) -> Any:
    """Return a JSON value whose objects have no null members."""
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def read_base64(data: str) -> bytes:
    """
    Return what base64 of GLM's holds; raise UpstreamProtocolError where it is none.

    It may be in a data URI, in lines, and without the padding at its end.
    """
    if data.startswith("data:"):
        data = data.partition(",")[2]
    try:
        try:
            return base64.b64decode(data, validate=True)
        except binascii.Error:
            return base64.b64decode(padded("".join(data.split())), validate=True)
    except (binascii.Error, ValueError) as error:
        raise unreadable() from error


def padded(data: str) -> str:
    """Return base64 with as many signs at its end as make it whole."""
    return data + "=" * (-len(data) % 4)
