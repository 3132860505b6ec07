"""
HTTP as the stand-in needs it: a request read whole, a reply as steps, and noticing that the client has left.

A reply is a list of steps rather than a body, so that faults can be woven in: waits, cuts, odd splits.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from typing import Any

from msgspec import Struct

from gateway.simulator.refusals import Language

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

EVENT_STREAM = "text/event-stream;charset=UTF-8"
JSON = "application/json; charset=UTF-8"


class Request(Struct, frozen=True, kw_only=True):
    """One request; header names are lower-case, ``query`` is as it came."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def language(self) -> Language:
        """The language of error messages: Chinese unless English is asked for."""
        return "en" if self.headers.get("accept-language", "").lower().startswith("en") else "zh"


class Wait(Struct, frozen=True):
    """Send nothing for this long; infinity waits until the client leaves."""

    seconds: float


class Cut(Struct, frozen=True):
    """Drop the connection at once, without a word."""


Step = bytes | Wait | Cut


class Reply(Struct, frozen=True, kw_only=True):
    """
    An answer: headers go out with the first bytes, even empty ones.

    ``length_bytes`` None sends the body in chunks.
    """

    status: int = 200
    content_type: str = JSON
    steps: list[Step]
    length_bytes: int | None = None

    @classmethod
    def whole(cls, body: bytes, *, status: int = 200, content_type: str = JSON) -> "Reply":
        """Make a reply that is sent in one piece."""
        return cls(status=status, content_type=content_type, steps=[body], length_bytes=len(body))


async def read_request(scope: Scope, receive: Receive) -> Request | None:
    """Read a request whole; None when the client left before it had sent everything."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body=bytes(body),
    )


async def deliver(reply: Reply, send: Send) -> None:
    """
    Carry a reply out, step by step.

    Does not suspend after the last byte: who releases a slot then has done so before the next request is seen.
    """
    started = False
    for index, step in enumerate(reply.steps):
        match step:
            case Wait():
                await _wait(step.seconds)
            case Cut():
                drop(send)
                return
            case _:
                if not started:
                    await send(_start(reply))
                    started = True
                await send(_body(step, more_body=index + 1 < len(reply.steps)))
                if index + 1 == len(reply.steps):
                    return
    if not started:
        await send(_start(reply))
    await send(_body(b"", more_body=False))


def drop(send: Send) -> None:
    """Break a connection without a word, which ASGI cannot."""
    # Uvicorn's ``send`` is a method of the object that owns the transport.
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionAbortedError("the fault script cuts the connection")
    transport.abort()


async def unless_client_leaves(work: Coroutine[Any, Any, None], receive: Receive) -> bool:
    """Do the work, but stop at once when the client leaves; tells whether it stayed to the end."""
    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(work)
        watching = tasks.create_task(_departure(receive))
        await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
        stayed = working.done()
        working.cancel()
        watching.cancel()
    return stayed


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _wait(seconds: float) -> None:
    if seconds == float("inf"):
        await asyncio.Event().wait()
    await asyncio.sleep(seconds)


def _start(reply: Reply) -> dict[str, Any]:
    headers = [
        (b"content-type", reply.content_type.encode()),
        (b"set-cookie", b"acw_tc=76b20f0e17417000000000000;path=/;HttpOnly;Max-Age=1800"),
        (b"vary", b"Origin"),
    ]
    if reply.length_bytes is not None:
        headers.append((b"content-length", str(reply.length_bytes).encode()))
    return {"type": "http.response.start", "status": reply.status, "headers": headers}


def _body(content: bytes, *, more_body: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": more_body}
