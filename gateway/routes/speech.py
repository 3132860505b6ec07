"""``POST /v1/audio/speech``."""

from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from gateway.routes.front import Front
from gateway.routes.shortcuts import SERVED
from gateway.translate.endpoint import Endpoint


def speech_routes(front: Front, endpoint: Endpoint[bytes]) -> list[HTTPRouteHandler]:
    """Return the routes of speech."""
    serve = front.serving(endpoint)

    @post(["/v1/audio/speech", "/audio/speech"], status_code=200, name="createSpeech", opt={SERVED: serve})
    async def create_speech() -> ASGIApp:
        return serve

    return [create_speech]
