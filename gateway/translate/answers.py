"""Reading GLM's answers: bytes to a Struct, or the error that is told of them. Each kind is read in one place."""

import base64
import binascii
from collections.abc import Callable
from typing import Protocol, TypeVar

import msgspec

from gateway.glm.chat import ErrorDetail
from gateway.translate.errors import from_glm, unreadable

SUCCESS = 200


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

    # A function, as a method takes a tenth longer, and every token of a stream comes this way.
    def read(body: bytes) -> AnswerT:
        try:
            answer = decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise unreadable() from error
        if answer.error is not None:
            raise from_glm(answer.error, http_status=SUCCESS)
        return answer

    return read


def read_base64(data: str) -> bytes:
    """Return what base64 of GLM's holds; raise UpstreamProtocolError where it is none."""
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise unreadable() from error
