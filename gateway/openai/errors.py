"""OpenAI's error body, the same from every route."""

from msgspec import Struct


class Error(Struct, frozen=True, kw_only=True):
    """What went wrong; all four keys are always there."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorResponse(Struct, frozen=True, kw_only=True):
    """The body of every error answer, and the payload of an error inside a stream."""

    error: Error
