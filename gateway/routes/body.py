"""Bodies of requests: which are taken, and reading them within bounds."""

from litestar.types import Receive, ReceiveMessage, Scope

from gateway.errors import PayloadTooLarge, UnsupportedMediaType
from gateway.routes.watch import CallerLeftError


def check_media_type(scope: Scope) -> None:
    """Raise UnsupportedMediaType unless the body is, or may be, plain JSON."""
    for name, value in scope["headers"]:
        if name == b"content-type":
            kind = value.partition(b";")[0].strip().lower()
            if kind != b"application/json" and not kind.endswith(b"+json"):
                raise UnsupportedMediaType(
                    "Send the body as JSON, with the header 'Content-Type: application/json'."
                )
        elif name == b"content-encoding":
            check_encoding(value)


def check_encoding(value: bytes) -> None:
    """Raise UnsupportedMediaType for a ``Content-Encoding`` that changes the body."""
    if value.lower() not in (b"", b"identity"):
        raise UnsupportedMediaType("Send the body uncompressed, without the header 'Content-Encoding'.")


def check_length(value: bytes, *, max_bytes: int) -> None:
    """Raise PayloadTooLarge for a ``Content-Length`` that is more than is taken."""
    if value.isdigit() and int(value) > max_bytes:
        raise too_large(max_bytes)


async def read_body(scope: Scope, receive: Receive, *, max_bytes: int) -> bytes:
    """
    Return the whole body of a request.

    Raises PayloadTooLarge, before reading where the length was declared; CallerLeftError.
    """
    for name, value in scope["headers"]:
        if name == b"content-length":
            check_length(value, max_bytes=max_bytes)
    pieces: list[bytes] = []
    size_bytes = 0
    more = True
    while more:
        piece, more = piece_of(await receive())
        size_bytes += len(piece)
        if size_bytes > max_bytes:
            raise too_large(max_bytes)
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def piece_of(message: ReceiveMessage) -> tuple[bytes, bool]:
    """Return the next piece of a body, and whether there is more; raise CallerLeftError when there is nobody."""
    if message["type"] == "http.disconnect":
        raise CallerLeftError
    assert message["type"] == "http.request"  # noqa: S101 - there is no other
    return message["body"], message["more_body"]


def too_large(max_bytes: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The body has more than the {max_bytes} bytes that this gateway takes. Send less.")
