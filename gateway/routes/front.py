"""The way in for every route: who calls, whether the body may be read, and the exchange that follows."""

from typing import Any

from litestar import Request
from litestar.types import ASGIApp, Scope

from gateway.auth import Authenticator, Caller
from gateway.errors import UnsupportedMediaType
from gateway.exchange import Desk, Exchange, StreamedAnswer
from gateway.routes.streaming import ClosingStream, WholeAnswer
from gateway.routes.watch import CallerWatch
from gateway.translate.endpoint import Endpoint


class Front:
    """What the routes share: the desk that exchanges go through, and who may use it."""

    def __init__(self, desk: Desk, *, authenticator: Authenticator) -> None:
        self.desk = desk
        self._authenticator = authenticator

    def authenticate(self, request: Request[Any, Any, Any]) -> Caller:
        """Return who calls; raise AuthenticationFailed."""
        return self._authenticator.authenticate(request.scope["headers"])

    async def serve(self, request: Request[Any, Any, Any], endpoint: Endpoint) -> ASGIApp:
        """
        Return the answer to a JSON request, ready to be sent.

        The exchange is left in the scope's state, so that whoever renders an error can close it.
        """
        state = request.scope["state"]
        exchange = Exchange(
            self.desk,
            operation=endpoint.operation,
            request_id=state["request_id"],
            received_at=state["received_at"],
        )
        state["exchange"] = exchange
        caller = self.authenticate(request)
        exchange.identify(caller)
        check_media_type(request.scope)
        body = await request.body()
        async with CallerWatch(request.receive, grace_seconds=self.desk.policy.disconnect_grace_seconds):
            answer = await exchange.run(endpoint, body, caller=caller)
        if isinstance(answer, StreamedAnswer):
            return ClosingStream(exchange, answer)
        return WholeAnswer(exchange, answer)


def check_media_type(scope: Scope) -> None:
    """Raise UnsupportedMediaType unless the body is, or may be, plain JSON."""
    headers = dict(scope["headers"])
    kind = headers.get(b"content-type", b"application/json").partition(b";")[0].strip().lower()
    if kind != b"application/json" and not kind.endswith(b"+json"):
        raise UnsupportedMediaType("Send the body as JSON, with the header 'Content-Type: application/json'.")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise UnsupportedMediaType("Send the body uncompressed, without the header 'Content-Encoding'.")
