"""``POST /v1/chat/completions``."""

from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from gateway.routes.front import Front
from gateway.routes.shortcuts import SERVED
from gateway.translate.endpoint import Endpoint

PATHS = ["/v1/chat/completions", "/chat/completions"]


def chat_routes(front: Front, endpoint: Endpoint[bytes]) -> list[HTTPRouteHandler]:
    """Return the routes of chat completions."""
    serve = front.serving(endpoint)

    @post(PATHS, status_code=200, name="createChatCompletion", opt={SERVED: serve})
    async def create_chat_completion() -> ASGIApp:
        return serve

    return [create_chat_completion]
