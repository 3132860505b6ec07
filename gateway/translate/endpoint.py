"""
What joins a public operation to GLM: how its requests are read, and the job that one of them becomes.

A job is a state machine without a socket. It says which calls to make, is fed what GLM answers, and returns bytes
for the caller. The exchange drives it and knows no operation by name.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from gateway.catalog import Model, Operation
from gateway.errors import GatewayError
from gateway.glm.chat import Usage


class Context(Struct, frozen=True, kw_only=True):
    """
    What one translation may know beside the request.

    ``id`` and ``created`` (Unix seconds) are the answer's. ``reasoning_effort`` is the tenant's default, None
    when it has none. ``recalled`` holds what earlier answers left behind, by the keys the request asked for.
    """

    model: Model
    id: str
    created: int
    strict: bool = False
    reasoning_effort: str | None = None
    recalled: Mapping[str, str] = {}


class Recalled(Struct, frozen=True):
    """How many parts of an answer were known from earlier ones, and how many GLM was asked for."""

    hits: int
    misses: int


def nothing_to_recall(_model: Model) -> Sequence[str]:
    """Return no keys."""
    return ()


class Incoming(Struct, frozen=True, kw_only=True):
    """
    A request that was read: the Struct, the names of the fields that came, and what steers the exchange.

    ``recall`` gives the keys of what an earlier answer may have left behind, once the model is known.
    """

    request: Any
    present: Collection[str]
    model: str
    stream: bool
    recall: Callable[[Model], Sequence[str]] = nothing_to_recall


class CallStream(Protocol):
    """
    The translation of one streamed call.

    ``failure`` is what went wrong inside the stream, None while nothing did. What ``feed`` returned beside it
    comes first.
    """

    failure: GatewayError | None

    def feed(self, payloads: Sequence[bytes]) -> bytes:
        """Return what the data of these events means to the caller; empty when nothing yet."""

    def finish(self) -> bytes:
        """Return what is left to say; raise UpstreamProtocolError when GLM was not done."""


class Job(Protocol):
    """
    One exchange's translation.

    ``calls`` are bodies to send side by side, one slot each. ``usage`` is None until GLM told; ``leave`` is what
    to keep for later requests, by key. ``recalled`` is None where answers are made anew each time.
    """

    calls: Sequence[bytes]
    ignored: Sequence[str]
    recalled: Recalled | None

    @property
    def usage(self) -> Usage | None:
        """Tokens of every call that was answered so far, added up."""

    @property
    def leave(self) -> Mapping[str, str]:
        """What later requests may ask to recall."""

    def receive(self, index: int, body: bytes) -> bytes | None:
        """Take the whole answer of a call; return another body to send in its place, None when it will do."""

    def explain(self, index: int, error: GatewayError) -> GatewayError:
        """Return what the caller is told when a call fails; ``error`` where there is nothing to add."""

    def result(self) -> bytes:
        """Return the caller's body, once every call has been received."""

    def stream(self, index: int) -> CallStream:
        """Return the translation of a call's stream."""

    def close(self) -> bytes:
        """Return what ends the caller's stream, once every call's stream is finished."""


class Endpoint(Struct, frozen=True, kw_only=True):
    """One public operation and how GLM serves it; ``path`` is below GLM's base address."""

    operation: Operation
    path: str
    read: Callable[[bytes], Incoming]
    begin: Callable[[Incoming, Context], Job]
