"""The client's end of a session, and the two ways in which one ends."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

Take = Callable[[str | bytes], bool]
"""Deals with a message on the spot; False: it could not, and has done nothing."""


class ClientGoneError(Exception):
    """Raised when the client has left; ``code`` is WebSocket's."""

    def __init__(self, code: int = 1005) -> None:
        super().__init__(code)
        self.code = code


class EndedError(Exception):
    """Raised within a session to end it, with the close code and reason for the client."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class ClientSocket(Protocol):
    """The client's end, open."""

    @property
    def is_ready(self) -> bool:
        """Whether ``put`` may be called."""

    def put(self, data: bytes) -> None:
        """Send a text message at once; a client that has left is noticed by whoever receives."""

    async def send(self, data: bytes) -> None:
        """Send a text message, and wait until there is room for it; raise ClientGoneError."""

    async def receive(self, take: Take) -> str | bytes:
        """Return the next message that ``take``, which is offered each, does not take; raise ClientGoneError."""

    async def close(self, *, code: int, reason: str) -> None:
        """Close it."""


Wanted = TypeVar("Wanted", bound=Exception)


def first(group: BaseExceptionGroup[Any], kind: type[Wanted]) -> Wanted:
    """Return the first of its kind in a group of errors."""
    return next(one if isinstance(one, kind) else first(one, kind) for one in group.exceptions)
