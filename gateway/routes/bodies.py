"""Reading a request's body from the server, within bounds."""

from litestar.types import Receive, Scope

from gateway.errors import PayloadTooLarge
from gateway.routes.watch import CallerLeftError


async def read_body(scope: Scope, receive: Receive, *, max_bytes: int) -> bytes:
    """
    Return the whole body.

    Raises PayloadTooLarge as soon as it is known to be larger than ``max_bytes``, and CallerLeftError when the
    caller leaves before it is whole.
    """
    announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if announced.isdigit() and int(announced) > max_bytes:
        raise too_large(max_bytes)
    pieces, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerLeftError
        assert message["type"] == "http.request"  # noqa: S101 - ASGI knows no third kind
        piece = message["body"]
        size += len(piece)
        if size > max_bytes:
            raise too_large(max_bytes)
        pieces.append(piece)
        if not message["more_body"]:
            return piece if len(pieces) == 1 else b"".join(pieces)


def too_large(max_bytes: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The body is larger than the {max_bytes:,} bytes this gateway takes. Send less.")
