"""``POST /v1/completions``."""

from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from gateway.routes.front import Front
from gateway.routes.shortcuts import SERVED
from gateway.translate.completions.endpoint import ENDPOINT


def completion_routes(front: Front) -> list[HTTPRouteHandler]:
    """Return the routes of legacy completions."""
    serve = front.serving(ENDPOINT)

    @post(["/v1/completions", "/completions"], status_code=200, name="createCompletion", opt={SERVED: serve})
    async def create_completion() -> ASGIApp:
        return serve

    return [create_completion]
