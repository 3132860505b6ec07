"""
``POST /v1/chat/completions``.

A bare ASGI route: Litestar's typed handlers cost more than the whole exchange, and everything they would do (the
body, its validation, the answer) is done by the exchange.
"""

from litestar import asgi
from litestar.handlers import ASGIRouteHandler
from litestar.types import Receive, Scope, Send

from gateway.routes.front import Front
from gateway.translate.chat.endpoint import ENDPOINT


def chat_routes(front: Front) -> list[ASGIRouteHandler]:
    """Return the routes of chat completions."""

    @asgi(["/v1/chat/completions", "/chat/completions"], name="createChatCompletion", copy_scope=False)
    async def create_chat_completion(scope: Scope, receive: Receive, send: Send) -> None:
        await front.serve(scope, receive, send, endpoint=ENDPOINT)

    return [create_chat_completion]
