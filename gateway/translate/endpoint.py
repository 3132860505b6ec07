"""
What joins a public operation to GLM: how its requests are read, and the job that one of them becomes.

A job is a state machine without a socket. It says which calls to make, is fed what GLM answers, and returns bytes
for the caller. The exchange drives it and knows no operation by name.
"""

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar, runtime_checkable

from msgspec import Struct

from gateway.catalog import Model, Operation
from gateway.errors import GatewayError
from gateway.glm.chat import Usage

JSON = b"application/json"
EVENT_STREAM = b"text/event-stream; charset=utf-8"

Body = TypeVar("Body")


class Context(Struct, frozen=True, kw_only=True):
    """
    What one translation may know beside the request.

    ``id`` and ``created`` (Unix seconds) are the answer's, ``tenant`` is whose it is. ``reasoning_effort`` is the
    tenant's default, None when it has none. ``recalled`` holds what earlier answers left behind, by the keys the
    request asked for.
    """

    model: Model
    id: str
    created: int
    tenant: str = ""
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

    ``recall`` gives the keys of what an earlier answer may have left behind, once the model is known;
    ``builds_on_it``: what is not found of it has to be gone, and not out of reach. ``heavy``:
    its job, and what comes of it, takes long enough to make that others must not wait for it.
    """

    request: Any
    present: Collection[str]
    model: str
    stream: bool
    recall: Callable[[Model], Sequence[str]] = nothing_to_recall
    builds_on_it: bool = False
    heavy: bool = False


class Call(Struct, frozen=True, gc=False):  # gc: it holds no cycles, and every request makes one
    """
    One request to GLM.

    ``path`` is below GLM's base address, empty for that of the endpoint. ``model`` is the one whose slot it takes,
    None for that of the exchange. ``again`` is the body once GLM has seen and failed the first; None: the same.
    ``otherwise`` is the body once GLM has refused the first as wrong; None: then it is.
    """

    body: bytes
    content_type: bytes = JSON
    path: str = ""
    model: Model | None = None
    again: bytes | None = None
    otherwise: bytes | None = None


Calls = Sequence[Call] | AsyncGenerator[Call, None]


class CallStream(Protocol):
    """
    The translation of one streamed call.

    ``failure`` is what went wrong inside the stream, None while nothing did. What ``feed`` returned beside it
    comes first. ``slow``: feeding it takes so long that it is done in a thread, in turn.
    """

    slow: ClassVar[bool]
    failure: GatewayError | None

    def feed(self, payloads: Sequence[bytes]) -> bytes:
        """Return what the data of these events means to the caller; empty when nothing yet."""

    def finish(self) -> bytes:
        """Return what is left to say; raise UpstreamProtocolError when GLM was not done."""


class Job(Protocol):
    """
    One exchange's translation.

    ``calls`` are made side by side, one slot each, and at most ``at_once`` of them; None: as many as the tier
    gives. Those that are generated are asked for one by one, whenever another may begin. ``usage`` is None until
    GLM told; ``leave`` is what to keep for later requests, by key. ``recalled`` is None where answers are made
    anew each time.
    """

    ignored: Sequence[str]
    recalled: Recalled | None

    @property
    def calls(self) -> Calls:
        """The calls to make."""

    @property
    def at_once(self) -> int | None:
        """The most calls to make side by side."""

    @property
    def usage(self) -> Usage | None:
        """Tokens of every call that was answered so far, added up."""

    @property
    def leave(self) -> Mapping[str, str]:
        """What later requests may ask to recall."""

    def explain(self, index: int, error: GatewayError) -> GatewayError:
        """Return what the caller is told when a call fails; ``error`` where there is nothing to add."""


class WholeJob(Job, Protocol):
    """A translation whose answer is told once it is there; ``media_type`` is that of ``result``."""

    media_type: bytes

    def receive(self, index: int, body: bytes) -> Call | None:
        """Take the whole answer of a call; return another to make in its place, None when it will do."""

    def result(self) -> bytes:
        """Return the caller's body, once every call has been received."""


class StreamedJob(Job, Protocol):
    """
    A translation whose answer is told as it comes.

    ``in_order``: what calls say reaches the caller one call after the other, not as it arrives. ``stream_type`` is
    the media type of what it streams.
    """

    in_order: bool
    stream_type: bytes

    def stream(self, index: int) -> CallStream:
        """Return the translation of a call's stream."""

    def close(self) -> bytes:
        """Return what ends the caller's stream, once every call's stream is finished."""

    def fail(self, error: GatewayError) -> bytes | None:
        """Return what ends the caller's stream when it failed; None cuts it, where its format has no words."""


@runtime_checkable
class RefiningJob(StreamedJob, Protocol):
    """A translation whose calls' events, once they are in order, take more work than others should wait for."""

    def refine(self, events: bytes) -> bytes:
        """Return what the caller gets for these, empty when nothing yet; called in a thread, in turn."""


class Endpoint(Struct, Generic[Body], frozen=True, kw_only=True):
    """
    One public operation and how GLM serves it; ``path`` is below GLM's base address.

    ``operation`` is what records call it. ``needs`` is what a model has to do for it, and whose memory it shares,
    unless ``memory`` names another.
    ``begin`` returns a StreamedJob for a request that is to be streamed, and a WholeJob for any other.
    """

    operation: str
    path: str
    read: Callable[[Body], Incoming]
    begin: Callable[[Incoming, Context], WholeJob | StreamedJob]
    needs: Operation
    memory: str = ""
