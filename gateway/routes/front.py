"""The way in for every route: who calls, whether the body may be read, and the exchange that follows."""

from litestar.enums import ScopeType
from litestar.exceptions import MethodNotAllowedException
from litestar.types import Receive, Scope, Send

from gateway.auth import Authenticator, Caller
from gateway.errors import UnsupportedMediaType
from gateway.exchange import Desk, Exchange, StreamedAnswer
from gateway.routes.bodies import read_body
from gateway.routes.streaming import ClosingStream, WholeAnswer
from gateway.routes.watch import CallerWatch
from gateway.translate.endpoint import Endpoint


class Front:
    """What the routes share: the desk that exchanges go through, who may use it, and how large a body may be."""

    def __init__(self, desk: Desk, *, authenticator: Authenticator, max_body_bytes: int) -> None:
        self.desk = desk
        self._authenticator = authenticator
        self._max_body_bytes = max_body_bytes

    def authenticate(self, scope: Scope) -> Caller:
        """Return who calls; raise AuthenticationFailed."""
        return self._authenticator.authenticate(scope["headers"])

    async def serve(self, scope: Scope, receive: Receive, send: Send, *, endpoint: Endpoint) -> None:
        """
        Answer a JSON request.

        The exchange is left in the scope's state, so that whoever renders an error can close it.
        """
        state = scope["state"]
        exchange = Exchange(
            self.desk,
            operation=endpoint.operation,
            request_id=state["request_id"],
            received_at=state["received_at"],
        )
        state["exchange"] = exchange
        check_method(scope)
        caller = self.authenticate(scope)
        exchange.identify(caller)
        check_media_type(scope)
        body = await read_body(scope, receive, max_bytes=self._max_body_bytes)
        async with CallerWatch(receive, grace_seconds=self.desk.policy.disconnect_grace_seconds):
            answer = await exchange.run(endpoint, body, caller=caller)
        respond = (
            ClosingStream(exchange, answer)
            if isinstance(answer, StreamedAnswer)
            else WholeAnswer(exchange, answer)
        )
        await respond(scope, receive, send)


def check_method(scope: Scope) -> None:
    """Raise MethodNotAllowedException unless it is a POST; the framework leaves that to a bare ASGI route."""
    if scope["type"] != ScopeType.HTTP or scope["method"] != "POST":
        raise MethodNotAllowedException(headers={"Allow": "POST"})


def check_media_type(scope: Scope) -> None:
    """Raise UnsupportedMediaType unless the body is, or may be, plain JSON."""
    kind, encoding = b"application/json", b"identity"
    for name, value in scope["headers"]:
        if name == b"content-type":
            kind = value.partition(b";")[0].strip().lower()
        elif name == b"content-encoding":
            encoding = value.strip().lower()
    if kind != b"application/json" and not kind.endswith(b"+json"):
        raise UnsupportedMediaType("Send the body as JSON, with the header 'Content-Type: application/json'.")
    if encoding not in (b"identity", b""):
        raise UnsupportedMediaType("Send the body uncompressed, without the header 'Content-Encoding'.")
