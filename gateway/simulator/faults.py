"""
Fault scripts: what goes wrong, for which requests, how often. Data and counting; ``weaving`` carries them out.

As JSON a fault is its fields and ``kind``, such as ``{"kind": "error", "code": "1305", "times": 2}``.
"""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from gateway.glm.errors import BUSINESS_CODES
from gateway.simulator.connection import Request


class _Fault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", omit_defaults=True):
    """
    What every fault has: which requests it hits.

    None matches all. ``contains`` is looked for in the body, which makes a fault for one request. Of the matching
    requests the ``nth`` is the first hit and ``times`` are hit in all; None hits all later ones.
    """

    account: str | None = None
    model: str | None = None
    path: str | None = None
    contains: str | None = None
    nth: int = 1
    times: int | None = 1


class Latency(_Fault, frozen=True, tag="latency"):
    """Nothing is sent for a while; with ``headers`` they are, and only the body is late."""

    seconds: float
    headers: bool = False


class Slow(_Fault, frozen=True, tag="slow"):
    """A pause before each chunk."""

    seconds: float


class Error(_Fault, frozen=True, tag="error"):
    """A business code instead of an answer, with its HTTP status; ``subjects`` fill its message."""

    code: str
    subjects: list[str] = []


class ErrorInSuccess(_Fault, frozen=True, tag="error_in_success"):
    """A business code in the body of an HTTP 200."""

    code: str


class ErrorEvent(_Fault, frozen=True, tag="error_event"):
    """A business code as an event of a stream, which then ends without ``[DONE]``."""

    code: str
    after_chunks: int = 1


class Finish(_Fault, frozen=True, tag="finish"):
    """An end that is none: the inference broke, the output was moderated, the context overflowed."""

    reason: Literal["sensitive", "network_error", "model_context_window_exceeded"]
    after_chunks: int | None = None


class CutConnection(_Fault, frozen=True, tag="cut"):
    """The connection breaks after some chunks and ``part_bytes`` of the next."""

    after_chunks: int = 1
    part_bytes: int = 0


class Close(_Fault, frozen=True, tag="close"):
    """The connection breaks before anything was answered."""


class Stall(_Fault, frozen=True, tag="stall"):
    """Silence after some chunks and ``part_bytes`` of the next, until the client leaves."""

    after_chunks: int = 1
    part_bytes: int = 0


class NoDone(_Fault, frozen=True, tag="no_done"):
    """A stream that ends without ``[DONE]``; with ``after_chunks`` earlier than that."""

    after_chunks: int | None = None


class Split(_Fault, frozen=True, tag="split"):
    """The same bytes in writes of another size, 1 by default: inside lines, inside characters."""

    size_bytes: int = 1


class Garbage(_Fault, frozen=True, tag="garbage"):
    """Bytes that are neither UTF-8 nor JSON, after some chunks."""

    after_chunks: int = 1


class Empty(_Fault, frozen=True, tag="empty"):
    """A success without a body."""


class Html(_Fault, frozen=True, tag="html"):
    """A page of a proxy on the way, by default a 502."""

    status: int = 502


Fault = (
    Latency
    | Slow
    | Error
    | ErrorInSuccess
    | ErrorEvent
    | Finish
    | CutConnection
    | Close
    | Stall
    | NoDone
    | Split
    | Garbage
    | Empty
    | Html
)


class Script:
    """Faults in the order they were given, and how many requests each has matched."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._counted: list[tuple[Fault, int]] = []
        self.add(faults)

    def add(self, faults: Iterable[Fault]) -> None:
        """
        Append faults, all or none, and forget those used up.

        Raises KeyError for a business code that does not exist.
        """
        added = [(fault, 0) for fault in faults]
        for fault, _ in added:
            if isinstance(fault, Error | ErrorInSuccess | ErrorEvent):
                BUSINESS_CODES[fault.code]
        self._counted = [entry for entry in self._counted if not _is_used_up(*entry)] + added

    def clear(self) -> None:
        """Forget all faults."""
        self._counted.clear()

    def faults(self) -> list[Fault]:
        """Return the faults that stand, and those used up since the last were added."""
        return [fault for fault, _ in self._counted]

    def take(self, request: Request, *, account: str, model: str | None) -> list[Fault]:
        """Return the faults that hit this request, and count it."""
        hits = []
        for index, (fault, matched) in enumerate(self._counted):
            if _matches(fault, request, account=account, model=model):
                self._counted[index] = (fault, matched + 1)
                if matched + 1 >= fault.nth and (fault.times is None or matched + 1 < fault.nth + fault.times):
                    hits.append(fault)
        return hits


def _is_used_up(fault: Fault, matched: int) -> bool:
    return fault.times is not None and matched + 1 >= fault.nth + fault.times


def _matches(fault: Fault, request: Request, *, account: str, model: str | None) -> bool:
    return (
        fault.account in {None, account}
        and fault.model in {None, model}
        and (fault.path is None or request.path.endswith(fault.path))
        and (fault.contains is None or fault.contains.encode() in request.body)
    )
