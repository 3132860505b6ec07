"""
Whether this process is asked to stop, and how much it still has to finish.

The server turns the first signal into ``draining``; readiness and the exchanges read it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Final

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
# Frameworks type the three arguments in ways that do not fit together; only the shape is common.
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]

WHOLE: Final = "http.response.whole"
"""
An extension of ASGI, and its message: ``status``, ``headers`` and ``body`` of a whole answer. The headers are
lower case, say the length, and are such as an HTTP parser takes.
"""

AT_ONCE: Final = "http.response.at_once"
"""
An extension of ASGI. Its ``write`` is a function that writes a part of a body in chunks, whose head has been sent.
It never waits: where it would have to, it writes nothing and returns False, and the part is to be sent as ever.
"""

SOCKET_AT_ONCE: Final = "websocket.at_once"
"""
An extension of ASGI, for an accepted WebSocket, with three functions. ``is_ready`` tells whether something may be
sent without waiting. ``write`` sends text, as UTF-8, and does nothing once the connection is closed. What is given
to ``pour_into`` is called with each message that comes while the application waits to receive one, which it does
not if that returns True; None ends it.
"""


class Lifecycle:
    """Shared by the server, which writes it, and the application, which reads it."""

    __slots__ = ("active", "draining")

    def __init__(self) -> None:
        self.draining = False
        self.active = 0

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count what is done inside as being answered."""
        self.active += 1
        try:
            yield
        finally:
            self.active -= 1

    def counted(self, app: ASGIApp) -> ASGIApp:
        """
        Wrap an application so that ``active`` counts what it is answering, sessions included.

        Answers that begin during the drain close their connection, so that clients move to another replica. One
        that is cut at its end just ends: that is no failure of the application.
        """

        async def count(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                await app(scope, receive, send)
                return
            self.active += 1
            try:
                await app(scope, receive, _closing(send) if self.draining else send)
            except asyncio.CancelledError:
                if not self.draining:
                    raise
            finally:
                self.active -= 1

        return count


def _closing(send: Send) -> Send:
    async def send_and_close(message: Message) -> None:
        if message["type"] in ("http.response.start", WHOLE):
            message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        await send(message)

    return send_and_close
