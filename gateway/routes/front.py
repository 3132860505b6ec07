"""The way in for every route: who calls, whether the body may be read, and the exchange that follows."""

from collections.abc import Awaitable, Callable
from typing import Generic

from litestar.types import ASGIApp, Receive, Scope, Send

from gateway.auth import Caller
from gateway.errors import GatewayError
from gateway.exchange import Desk, Exchange, StreamedAnswer
from gateway.routes.azure import deployment_of, naming
from gateway.routes.body import check_media_type, read_body
from gateway.routes.lookout import Lookout
from gateway.routes.middleware import exchange_of
from gateway.routes.streaming import EventWriter, send_last, send_whole
from gateway.routes.watch import FIRST_LOOK_SECONDS, CallerLeftError, CallerWatch
from gateway.translate.endpoint import Body, Endpoint


class Front:
    """What the routes share: the desk that exchanges go through, and the bound on what is read."""

    def __init__(self, desk: Desk, *, max_body_bytes: int) -> None:
        self.desk = desk
        self.max_body_bytes = max_body_bytes
        self.lookout = Lookout(after_seconds=FIRST_LOOK_SECONDS)

    async def authenticate(self, scope: Scope, *, operation: str) -> Caller:
        """Return who calls, and write down who and for what; raise AuthenticationFailed or KeysUnavailable."""
        exchange = exchange_of(scope)
        exchange.record.operation = operation
        caller = await exchange.terms.authenticator.authenticate(scope["headers"])
        exchange.identify(caller)
        return caller

    def serving(self, endpoint: Endpoint[bytes]) -> ASGIApp:
        """Return the application that serves JSON requests of one endpoint."""
        return Serving(self, endpoint, read=self.read_json)

    def read_json(self, scope: Scope, receive: Receive) -> Awaitable[bytes]:
        """Return a body that is, or may be, JSON; raise the errors of ``check_media_type`` and ``read_body``."""
        check_media_type(scope)
        body = read_body(scope, receive, max_bytes=self.max_body_bytes)
        deployment = deployment_of(scope)
        return body if deployment is None else naming(body, deployment)


class Serving(Generic[Body]):
    """
    Serves the requests of one endpoint, each from its headers to its last byte.

    ``read`` takes the body. Errors that an HTTP status can still tell are raised.
    """

    def __init__(
        self, front: Front, endpoint: Endpoint[Body], *, read: Callable[[Scope, Receive], Awaitable[Body]]
    ) -> None:
        self._front = front
        self._endpoint = endpoint
        self._read = read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; one whose caller has left is not answered."""
        exchange = exchange_of(scope)
        caller = await self._front.authenticate(scope, operation=self._endpoint.operation)
        try:
            await self._answer(exchange, scope, caller=caller, receive=receive, send=send)
        except CallerLeftError:
            exchange.leave()

    def run(self, exchange: Exchange, body: Body, *, caller: Caller) -> Awaitable[bytes | StreamedAnswer]:
        """Return the answer to a body; raise GatewayError while an HTTP status can still tell it."""
        return exchange.run(self._endpoint, body, caller=caller)

    async def _answer(
        self, exchange: Exchange, scope: Scope, *, caller: Caller, receive: Receive, send: Send
    ) -> None:
        reading, writing = exchange.waits.reading, exchange.waits.writing
        watch = CallerWatch(receive, on_leave=exchange.leave, lookout=self._front.lookout)
        try:
            async with watch:
                reading.begin()
                try:
                    body = await self._read(scope, watch.receive)
                finally:
                    reading.end()
                answer = await self.run(exchange, body, caller=caller)
                last = b""
                if isinstance(answer, StreamedAnswer):
                    last = await EventWriter(exchange, scope=scope, send=send, watch=watch).write(answer)
        except GatewayError as error:
            if watch.left:
                raise CallerLeftError from error
            raise
        finally:
            # Before the last byte: what the caller does next finds its slot free and its turn remembered.
            await exchange.aclose()
        if watch.left:
            return
        writing.begin()
        try:
            if isinstance(answer, bytes):
                await send_whole(scope, send, answer, media_type=exchange.media_type)
            elif not answer.broken:  # Returning without an end is what cuts it.
                await send_last(send, last)
        except OSError as error:
            raise CallerLeftError from error
        finally:
            writing.end()
