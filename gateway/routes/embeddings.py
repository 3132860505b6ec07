"""``POST /v1/embeddings``."""

from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from gateway.routes.front import Front
from gateway.routes.shortcuts import SERVED
from gateway.translate.endpoint import Endpoint


def embedding_routes(front: Front, endpoint: Endpoint[bytes]) -> list[HTTPRouteHandler]:
    """Return the routes of embeddings."""
    serve = front.serving(endpoint)

    @post(["/v1/embeddings", "/embeddings"], status_code=200, name="createEmbedding", opt={SERVED: serve})
    async def create_embedding() -> ASGIApp:
        return serve

    return [create_embedding]
