"""Errors between the two worlds: GLM's business code to the taxonomy, the taxonomy to OpenAI's body."""

import re
from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct

from gateway.errors import (
    ContentFiltered,
    GatewayError,
    InvalidRequest,
    ModelNotFound,
    Overloaded,
    QuotaExhausted,
    UpstreamFailed,
    UpstreamProtocolError,
    UpstreamRateLimited,
    UpstreamRejected,
)
from gateway.glm.chat import ErrorDetail
from gateway.glm.errors import BUSINESS_CODES, Kind
from gateway.openai.errors import Error, ErrorResponse

MAX_MESSAGE_CHARACTERS = 500
CODE = re.compile(r"[0-9]{1,5}")
RESET = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}(:\d{2})?")


class Told(Struct, frozen=True):
    """What is read of the body of an error; all else in it may be anything."""

    error: ErrorDetail


decode_error_body = msgspec.json.Decoder(Told).decode
encode_error = msgspec.json.Encoder().encode


def read_error(body: bytes) -> ErrorDetail | None:
    """Return the error in GLM's body, None when there is none to be read."""
    try:
        return decode_error_body(body).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def kind_of(code: str, *, http_status: int) -> Kind:
    """Return what can be done about an error: by its business code first, by its HTTP status second."""
    row = BUSINESS_CODES.get(code)
    if row is not None:
        return row.kind
    if http_status < 400:
        return "internal"
    return KIND_BY_STATUS.get(http_status, "internal" if http_status >= 500 else "request")


KIND_BY_STATUS: dict[int, Kind] = {
    401: "auth",
    402: "billing",
    403: "permission",
    404: "gone",
    407: "internal",
    408: "network",
    429: "rate_limit",
    434: "permission",
    503: "overload",
}


def from_glm(detail: ErrorDetail | None, *, http_status: int) -> GatewayError:
    """
    Return the error a caller is told for one of GLM's; ``http_status`` 200 means that it came inside a success.

    Zhipu's own words are passed on only where they are about the request; what is wrong with our account is
    never told as a fault of the caller's key.
    """
    code = code_of(detail)
    if not code and 300 <= http_status < 400:
        return UpstreamProtocolError(REDIRECTED.format(http_status=http_status))
    said = (detail.message or "").strip() if detail is not None else ""
    answer = ANSWER_BY_CODE.get(code) or ANSWER_BY_KIND[kind_of(code, http_status=http_status)]
    if code not in BUSINESS_CODES and answer.error is InvalidRequest:
        answer = REFUSED_UNEXPLAINED  # What is not known to be about the request may be about our account.
    sentence = answer.sentence.format(said=said[:MAX_MESSAGE_CHARACTERS] or NOTHING_SAID, reset=reset_in(said))
    error = answer.error(f"{sentence} (GLM {code or f'HTTP {http_status}'})")
    error.code = answer.code or error.code
    error.param = answer.param or error.param
    error.glm_code = code or None
    error.retry_after_seconds = answer.retry_after_seconds or error.retry_after_seconds
    error.resets_at = reset_at(said)
    return error


def code_of(detail: ErrorDetail | None) -> str:
    """Return the business code, empty when there is none; what is no number counts as none."""
    code = str(detail.code) if detail is not None and detail.code is not None else ""
    return code if CODE.fullmatch(code) else ""


def reset_in(said: str) -> str:
    """Return the sentence about when a quota comes back, empty when Zhipu's message does not say."""
    at = reset_at(said)
    return f" Zhipu says that it comes back at {at}, Beijing time." if at is not None else ""


def reset_at(said: str) -> str | None:
    """Return when a quota comes back, as Zhipu's message says it (that of 1308 does), None when it does not."""
    found = RESET.search(said)
    return found.group() if found is not None else None


class Answer(Struct, frozen=True, kw_only=True):
    """How one kind of GLM's errors is told; ``{said}`` is Zhipu's own message, ``{reset}`` the date in it."""

    error: Callable[[str], GatewayError]
    sentence: str
    code: str | None = None
    param: str | None = None
    retry_after_seconds: float | None = None


NOTHING_SAID = "no reason given"
REDIRECTED = (
    "Zhipu's address answers with a redirect, which is not followed. The gateway's operator has to set "
    "GATEWAY_UPSTREAM_URL to the address that it leads to. (GLM HTTP {http_status})"
)

REFUSED_UNEXPLAINED = Answer(
    error=InvalidRequest,
    sentence="GLM refuses the request for a reason that this gateway does not know. Check its parameters.",
)

NO_QUOTA = Answer(
    error=QuotaExhausted,
    sentence="The gateway's account at Zhipu has no balance, plan or quota left for this model; "
    "a retry does not help. Its operator has to top it up.{reset}",
)

ANSWER_BY_KIND: Mapping[Kind, Answer] = {
    "auth": Answer(
        error=UpstreamRejected,
        sentence="Zhipu refuses the gateway's own API key. Its operator has to replace it; yours is fine.",
    ),
    "account": Answer(
        error=UpstreamRejected,
        sentence="Zhipu refuses the gateway's own account. Its operator has to look at it; your key is fine.",
    ),
    "billing": NO_QUOTA,
    "quota": NO_QUOTA,
    "permission": Answer(
        error=UpstreamRejected,
        sentence="The gateway's account at Zhipu may not use this. Its operator has to have it enabled.",
    ),
    "gone": Answer(error=UpstreamRejected, sentence="Zhipu does not offer this any more, or not at this address."),
    "request": Answer(error=InvalidRequest, sentence="GLM refuses the request: {said}"),
    "model_not_found": Answer(
        error=ModelNotFound, sentence="GLM does not know this model, or this account may not use it."
    ),
    "context_length": Answer(
        error=InvalidRequest,
        sentence="The conversation is longer than the model's context. Shorten it, or use a model with more.",
        code="context_length_exceeded",
        param="messages",
    ),
    "policy": Answer(
        error=ContentFiltered, sentence="GLM's moderation finds the request unsafe or sensitive. Rephrase it."
    ),
    "rate_limit": Answer(
        error=UpstreamRateLimited,
        sentence="Zhipu says that too many requests are in flight. Try again shortly.",
        retry_after_seconds=1,
    ),
    "overload": Answer(
        error=Overloaded,
        sentence="The model is overloaded at Zhipu. Try again later, or use another model.",
        retry_after_seconds=5,
    ),
    "network": Answer(error=UpstreamFailed, sentence="GLM failed inside Zhipu's network. Ask again."),
    "internal": Answer(error=UpstreamFailed, sentence="GLM failed with an internal error. Ask again."),
    "search": Answer(error=UpstreamFailed, sentence="Zhipu's web search failed. Ask again, or without it."),
}

ANSWER_BY_CODE: Mapping[str, Answer] = {
    "1231": Answer(
        error=InvalidRequest,
        sentence="GLM has seen this 'request_id' before. Leave it out, or make a new one for each request.",
        param="request_id",
    ),
    "1311": NO_QUOTA,
    "1313": NO_QUOTA,
    "1315": NO_QUOTA,
    "1702": Answer(
        error=UpstreamRejected,
        sentence="The gateway's account at Zhipu has no web search. Its operator has to have it enabled.",
    ),
    "1703": Answer(
        error=InvalidRequest, sentence="Zhipu's web search found nothing. Ask something else, or without it."
    ),
}
"""Codes whose remedy is not that of their kind."""


def to_openai(error: GatewayError) -> bytes:
    """Return OpenAI's error body; the same for an HTTP answer, a stream's event and a realtime event."""
    body = Error(message=error.message, type=error.type, param=error.param, code=error.code)
    return encode_error(ErrorResponse(error=body))


def internal_error(request_id: str) -> GatewayError:
    """Return the error for a mistake of ours, which says nothing but where to find it in the log."""
    return GatewayError(
        f"The gateway made a mistake. Its log has more under request id {request_id}.", code="internal_error"
    )


def unreadable() -> GatewayError:
    """Return the error for an answer that is not what the documentation says."""
    return UpstreamProtocolError("GLM's answer could not be read. Ask again; if it stays so, report it.")
