"""
What a call says when something is wrong: an ``error`` event, after which most calls go on.

Source: docs.bigmodel.cn, GLM-Realtime, for ``invalid_event``, ``stop_task_error`` and ``video_model_query_error``;
users for business codes, ``downstream_reconnect_exceeded``, and close code 1003.
"""

from gateway.simulator.refusals import Language, Refusal

UNACCEPTABLE = 1003
BROKEN = 1011


class Trouble(Exception):
    """What a client sent cannot be done; ``close_code`` None lets the call go on."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "invalid_event",
        kind: str = "invalid_request_error",
        close_code: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.kind = kind
        self.close_code = close_code


def refused(refusal: Refusal, language: Language, *, now: float, close_code: int | None = UNACCEPTABLE) -> Trouble:
    """Word a business code as a call does."""
    detail = refusal.body(language, now=now).error
    return Trouble(detail.message or "", code=refusal.code.code, kind="api_error", close_code=close_code)
