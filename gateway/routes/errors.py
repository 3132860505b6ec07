"""Every exception as OpenAI's error body; nothing but a GatewayError has its text shown."""

import logging
import math
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from gateway.errors import (
    GatewayError,
    InvalidRequest,
    MethodNotAllowed,
    PayloadTooLarge,
    RouteNotFound,
)
from gateway.exchange import Exchange
from gateway.routes.watch import CallerLeftError
from gateway.translate.errors import internal_error, to_openai

logger = logging.getLogger(__name__)

CLIENT_CLOSED_REQUEST = 499


def answer(request: Request[Any, Any, Any], error: GatewayError) -> Response[bytes]:
    """Return the answer that tells ``error``, and close the exchange it ended."""
    exchange = exchange_of(request)
    if exchange is not None:
        exchange.fail(error)
        exchange.close()
    return Response(
        to_openai(error), status_code=error.status, media_type="application/json", headers=headers_of(error)
    )


def headers_of(error: GatewayError) -> dict[str, str]:
    """Return when, and whether at all, a client should try again."""
    headers = {}
    if error.retry_after_seconds is not None:
        headers["retry-after"] = str(math.ceil(error.retry_after_seconds))
        headers["retry-after-ms"] = str(round(error.retry_after_seconds * 1000))
    if error.should_retry is not None:
        headers["x-should-retry"] = str(error.should_retry).lower()
    return headers


def answer_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Return the answer for what the framework refused."""
    path = f"{request.method} {request.scope['path'][:200]}"
    match error.status_code:
        case 404:
            return answer(request, RouteNotFound(f"Unknown request URL: {path}. The API is below /v1."))
        case 405:
            allowed = (error.headers or {}).get("Allow", "")
            refusal = answer(request, MethodNotAllowed(f"{path} is not allowed; the address takes {allowed}."))
            refusal.headers.update({"allow": allowed})
            return refusal
        case 413:
            return answer(request, PayloadTooLarge("The body is larger than this gateway takes. Send less."))
        case status if status < 500:
            return answer(request, InvalidRequest("The request could not be read."))
        case _:
            return answer_unexpected(request, error)


def answer_left(request: Request[Any, Any, Any], _: CallerLeftError) -> Response[bytes]:
    """Return an answer nobody will read, for a caller that left before there was one."""
    exchange = exchange_of(request)
    if exchange is not None:
        exchange.leave()
        exchange.close()
    return Response(b"", status_code=CLIENT_CLOSED_REQUEST)


def answer_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Return the answer for a mistake of ours: a request id, and nothing else."""
    request_id = request.scope["state"].get("request_id", "")
    logger.error("request %s failed", request_id, exc_info=error)
    exchange = exchange_of(request)
    if exchange is not None:
        exchange.fail(error)
        exchange.close()
    return Response(internal_error(request_id), status_code=500, media_type="application/json")


def exchange_of(request: Request[Any, Any, Any]) -> Exchange | None:
    exchange: Exchange | None = request.scope["state"].get("exchange")
    return exchange


HANDLERS: ExceptionHandlersMap = {
    GatewayError: answer,
    HTTPException: answer_http,
    CallerLeftError: answer_left,
    Exception: answer_unexpected,
}
