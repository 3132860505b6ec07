"""``/v1/responses`` and what is below it."""

from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from gateway.auth import Caller
from gateway.exchange import Exchange, StreamedAnswer
from gateway.routes.front import Front, Serving
from gateway.routes.responses.background import Background, Working
from gateway.routes.responses.kept import KEPT, kept_routes
from gateway.routes.shortcuts import SERVED
from gateway.translate.endpoint import Endpoint
from gateway.translate.responses.endpoint import is_background

__all__ = ["Background", "Working", "response_routes"]


def response_routes(
    front: Front, endpoint: Endpoint[bytes], background: Background, *, counting: Endpoint[bytes]
) -> list[HTTPRouteHandler]:
    """Return the routes of responses; ``background`` makes those that are fetched later."""
    serve, count = ServingResponses(front, endpoint, background), front.serving(counting)

    @post(["/v1/responses", "/responses"], status_code=200, name="createResponse", opt={SERVED: serve})
    async def create_response() -> ASGIApp:
        return serve

    @post(
        ["/v1/responses/input_tokens", "/responses/input_tokens"],
        status_code=200,
        name="countInputTokens",
        opt={SERVED: count},
    )
    async def count_input_tokens() -> ASGIApp:
        return count

    return [create_response, count_input_tokens, *kept_routes(front, background)]


class ServingResponses(Serving[bytes]):
    """Serves requests for responses: at once, or in the background."""

    def __init__(self, front: Front, endpoint: Endpoint[bytes], background: Background) -> None:
        super().__init__(front, endpoint, read=front.read_json)
        self._background = background

    async def run(self, exchange: Exchange, body: bytes, *, caller: Caller) -> bytes | StreamedAnswer:
        """Return the answer to a body: the response, or the word that it will be made."""
        if is_background(body):
            exchange.record.operation = KEPT  # The making of it leaves a record of its own.
            record = exchange.record
            return await self._background.begin(
                body, caller=caller, request_id=record.request_id, parent=record.own_parent
            )
        return await super().run(exchange, body, caller=caller)
