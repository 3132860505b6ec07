"""What a caller says of the trace that its request belongs to: the header ``traceparent`` of W3C Trace Context."""

import re
from dataclasses import dataclass

SAMPLED = 0x01
FIRST_VERSION = b"00"
NO_VERSION = b"ff"

TRACEPARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[\x21-\x7e]*)?")


@dataclass(slots=True, frozen=True, kw_only=True)
class TraceParent:
    """
    The span that others are children of; ids are of lower-case hex digits, 32 and 16.

    ``sampled`` is whether its trace is kept; None: nobody has decided yet.
    """

    trace_id: str
    span_id: str
    sampled: bool | None


def read_traceparent(value: bytes) -> TraceParent | None:
    """Return what the header says, None when it says nothing that could be true; later versions may say more."""
    found = TRACEPARENT.fullmatch(value)
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == NO_VERSION or (version == FIRST_VERSION and more is not None):
        return None
    if not int(trace_id, 16) or not int(span_id, 16):
        return None
    return TraceParent(
        trace_id=trace_id.decode(), span_id=span_id.decode(), sampled=bool(int(flags, 16) & SAMPLED)
    )
