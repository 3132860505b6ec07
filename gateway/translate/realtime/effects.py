"""What a translator wants done, in this order: all that it can do to the world."""

from msgspec import Struct


class ToClient(Struct, frozen=True):
    """Send an event to the client; ``name`` is its type, for those who count."""

    name: str
    data: bytes


class ToGlm(Struct, frozen=True):
    """Send an event to GLM."""

    name: str
    data: bytes


class Close(Struct, frozen=True):
    """End the session; ``code`` is WebSocket's."""

    code: int
    reason: str


Effect = ToClient | ToGlm | Close
