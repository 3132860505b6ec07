"""``POST /v1/responses``."""

from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from gateway.routes.front import Front
from gateway.routes.shortcuts import SERVED
from gateway.translate.endpoint import Endpoint


def response_routes(front: Front, endpoint: Endpoint[bytes]) -> list[HTTPRouteHandler]:
    """Return the routes of responses."""
    serve = front.serving(endpoint)

    @post(["/v1/responses", "/responses"], status_code=200, name="createResponse", opt={SERVED: serve})
    async def create_response() -> ASGIApp:
        return serve

    return [create_response]
