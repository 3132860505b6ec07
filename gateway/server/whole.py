"""
Shorter ways to write an answer: a whole one by one message, a part of one without a coroutine.

uvicorn looks through every header of an answer, since it cannot know who made it, and takes head and body apart.
An application that sees the extensions may send both at once, and vouches for its headers.
"""

from collections.abc import Awaitable
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from gateway.server.lifecycle import AT_ONCE, WHOLE, ASGIApp, Message, Receive, Scope, Send

CLOSE = (b"connection", b"close")


def answering_whole(app: ASGIApp) -> ASGIApp:
    """Offer an application WHOLE and AT_ONCE, where it answers uvicorn's requests."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        cycle = getattr(send, "__self__", None)
        if not isinstance(cycle, RequestResponseCycle) or scope["method"] == "HEAD":
            await app(scope, receive, send)
            return

        def send_either(message: Any) -> Awaitable[None]:
            return write(cycle, message) if message["type"] == WHOLE else send(message)

        scope["extensions"] = {WHOLE: {}, AT_ONCE: {"write": partial(write_part, cycle)}}
        try:
            await app(scope, receive, send_either)
        finally:
            scope.pop("extensions", None)  # The cycle knows the scope; each would keep the other.

    return serve


async def write(cycle: RequestResponseCycle, message: Message) -> None:
    """Write a whole answer, unless nobody is there to read it."""
    if cycle.flow.write_paused and not cycle.disconnected:
        await cycle.flow.drain()
    if cycle.disconnected:
        return
    if cycle.response_started:
        raise RuntimeError("A whole answer was sent after another had begun.")
    cycle.response_started = cycle.response_complete = True
    headers = [*cycle.default_headers, *message["headers"]]
    if CLOSE in headers:
        cycle.keep_alive = False
    elif not cycle.keep_alive:
        headers.append(CLOSE)
    pieces = [STATUS_LINE[message["status"]]]
    for name, value in headers:
        pieces += (name, b": ", value, b"\r\n")
    pieces += (b"\r\n", message["body"])
    cycle.transport.write(b"".join(pieces))
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()


def write_part(cycle: RequestResponseCycle, part: bytes) -> bool:
    """Write a part of a body in chunks; return False, and write nothing, where that has to wait or is no use."""
    if cycle.flow.write_paused or cycle.disconnected or cycle.response_complete or not cycle.chunked_encoding:
        return False
    if not part:
        return True  # In chunks, nothing would be the end.
    cycle.transport.write(b"%x\r\n%b\r\n" % (len(part), part))
    return True
