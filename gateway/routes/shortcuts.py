"""A shorter way to the busiest routes, past what the framework does for every request and these do not need."""

from collections.abc import Iterable, Mapping

from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from gateway.routes.middleware import exchange_of
from gateway.routes.telling import told

SERVED = "served"
"""The option of a handler that names the application it returns."""

Served = Mapping[tuple[str, str], ASGIApp]


def served_by(handlers: Iterable[HTTPRouteHandler]) -> Served:
    """Return the applications that handlers return for every request alike, by method and path."""
    return {
        (method, path): handler.opt[SERVED]
        for handler in handlers
        if SERVED in handler.opt
        for method in handler.http_methods
        for path in handler.paths
    }


class Shortcuts:
    """
    Serves what is asked for by its exact method and path, and leaves everything else to ``app``.

    Litestar's routing, handlers and exception layers are a tenth of a chat request. Errors are the same by either
    way.
    """

    def __init__(self, app: ASGIApp, *, served: Served) -> None:
        self._app = app
        self._served = served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; not every kind has a method or a path."""
        serve = self._served.get((str(scope.get("method")), str(scope.get("path"))))
        if serve is None:
            await self._app(scope, receive, send)
            return
        try:
            await serve(scope, receive, send)
        except Exception as error:
            exchange = exchange_of(scope)
            if exchange.record.status:
                raise
            await told(exchange, error).send(send)
