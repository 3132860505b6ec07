"""Who is told of calls of Redis."""

from collections.abc import Callable
from typing import Protocol


class RedisObserver(Protocol):
    """Is told of every call of Redis, by what it was for."""

    def redis_call(self, operation: str) -> Callable[[float], None]:
        """Return what takes the duration of each call, in seconds."""

    def count_redis_error(self, operation: str, *, kind: str) -> None:
        """Take note of a call that failed; ``kind`` is a fault's."""


class Nobody:
    """Nobody who wants to know."""

    def redis_call(self, operation: str) -> Callable[[float], None]:
        """See the port."""
        del operation
        return lambda _: None

    def count_redis_error(self, operation: str, *, kind: str) -> None:
        """See the port."""
