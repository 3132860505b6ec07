"""``POST /v1/chat/completions``."""

from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from gateway.routes.front import Front
from gateway.translate.chat.endpoint import ENDPOINT


def chat_routes(front: Front) -> list[HTTPRouteHandler]:
    """Return the routes of chat completions."""
    serve = front.serving(ENDPOINT)

    @post(["/v1/chat/completions", "/chat/completions"], status_code=200, name="createChatCompletion")
    async def create_chat_completion() -> ASGIApp:
        return serve

    return [create_chat_completion]
