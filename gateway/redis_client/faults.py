"""What goes wrong with Redis: all that its client may raise, and the few kinds that an operator tells apart."""

from collections.abc import Sequence

from redis.exceptions import (
    BusyLoadingError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
)
from redis.exceptions import ConnectionError as ConnectionBroken
from redis.exceptions import TimeoutError as TooLate

FAULTS = (RedisError, RedisClusterException, OSError, TimeoutError)
"""For ``except``: a Cluster that nobody reaches is no RedisError."""

# The first that fits counts: a server that is loading is a broken connection to the client.
KINDS: Sequence[tuple[tuple[type[BaseException], ...], str]] = (
    ((TimeoutError, TooLate), "timeout"),
    ((BusyLoadingError,), "loading"),
    ((ReadOnlyError,), "readonly"),
    ((OutOfMemoryError,), "full"),
    ((ConnectionBroken, RedisClusterException, OSError), "connect"),
)


def kind_of(fault: BaseException) -> str:
    """Return the kind of a fault, as metrics label it."""
    return next((kind for types, kind in KINDS if isinstance(fault, types)), "protocol")
