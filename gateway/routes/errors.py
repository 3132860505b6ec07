"""Every exception as OpenAI's error body; nothing but a GatewayError has its text shown."""

import logging
import math
from typing import Any, Final, NamedTuple

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap, Send

from gateway.errors import (
    GatewayError,
    InvalidRequest,
    MethodNotAllowed,
    PayloadTooLarge,
    RouteNotFound,
)
from gateway.exchange import Exchange
from gateway.routes.middleware import exchange_of
from gateway.translate.errors import internal_error, to_openai

MAX_PATH_CHARACTERS = 200
MEDIA_TYPE: Final = "application/json"

logger = logging.getLogger(__name__)


class Told(NamedTuple):
    """An error as it is answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    def response(self) -> Response[bytes]:
        """Return it for the framework."""
        return Response(self.body, status_code=self.status, media_type=MEDIA_TYPE, headers=self.headers)

    async def send(self, send: Send) -> None:
        """Answer with it."""
        said = {"content-type": MEDIA_TYPE, "content-length": str(len(self.body)), **self.headers}
        headers = [(name.encode(), value.encode()) for name, value in said.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


def told(exchange: Exchange, error: Exception) -> Told:
    """Return how an error is answered, and write it down; a mistake of ours is a request id, and nothing else."""
    exchange.fail(error)
    if isinstance(error, GatewayError):
        return Told(error.status, headers_of(error), to_openai(error))
    request_id = exchange.record.request_id
    logger.error("request %s failed", request_id, exc_info=error)
    return Told(500, {}, to_openai(internal_error(request_id)))


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Return the answer that tells ``error``, and write it down."""
    return told(exchange_of(request.scope), error).response()


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
    path = f"{request.method} {request.scope['path'][:MAX_PATH_CHARACTERS]}"
    match error.status_code:
        case 404:
            return answer(request, RouteNotFound(f"Unknown request URL: {path}. The API is below /v1."))
        case 405:
            return answer_method(request, path, allowed=(error.headers or {}).get("allow", ""))
        case 413:
            return answer(request, PayloadTooLarge("The body is larger than this gateway takes. Send less."))
        case status if status < 500:
            return answer(request, InvalidRequest(f"The request could not be read: {error.detail}."))
        case _:
            return answer(request, error)


def answer_method(request: Request[Any, Any, Any], path: str, *, allowed: str) -> Response[bytes]:
    """Return the answer for a method that an address does not take."""
    refusal = answer(request, MethodNotAllowed(f"{path} is not allowed; the address takes {allowed}."))
    refusal.headers["allow"] = allowed
    return refusal


HANDLERS: ExceptionHandlersMap = {
    HTTPException: answer_http,
    Exception: answer,
}
