"""Every exception as OpenAI's error body; nothing but a GatewayError has its text shown."""

from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from gateway.errors import (
    InvalidRequest,
    MethodNotAllowed,
    PayloadTooLarge,
    RouteNotFound,
)
from gateway.routes.middleware import exchange_of
from gateway.routes.telling import told
from gateway.routes.watch import CallerLeftError

MAX_PATH_CHARACTERS = 200
CLIENT_CLOSED_REQUEST = 499
ROUTES = (
    "Below /v1 there are chat/completions, responses, completions, embeddings, audio/transcriptions, "
    "audio/translations, audio/speech, realtime and models."
)


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Return the answer that tells ``error``, and write it down."""
    return told(exchange_of(request.scope), error).response()


def answer_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Return the answer for what the framework refused."""
    path = f"{request.method} {request.scope['path'][:MAX_PATH_CHARACTERS]}"
    match error.status_code:
        case 404:
            return answer(request, RouteNotFound(f"Unknown request URL: {path}. {ROUTES}"))
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


def leave(request: Request[Any, Any, Any], error: CallerLeftError) -> Response[bytes]:
    """Write down that the caller left; nobody reads what is returned."""
    del error
    exchange_of(request.scope).leave()
    return Response(b"", status_code=CLIENT_CLOSED_REQUEST)


HANDLERS: ExceptionHandlersMap = {
    CallerLeftError: leave,
    HTTPException: answer_http,
    Exception: answer,
}
