"""What callers say of their traces is taken when it can be true, and never more of it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.trace_context import TraceParent, read_traceparent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("value", "sampled"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-03", True),
        (f"cc-{TRACE}-{SPAN}-01", True),
        (f"cc-{TRACE}-{SPAN}-01-what-will-be", True),
    ],
)
def test_parent_is_read(value: str, sampled: bool) -> None:  # noqa: FBT001 - a parameter of the test
    expected = TraceParent(trace_id=TRACE, span_id=SPAN, sampled=sampled)

    assert expected == read_traceparent(value.encode())


@pytest.mark.parametrize(
    "value",
    [
        "",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01.more",
        f" 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
)
def test_what_cannot_be_true_is_nothing(value: str) -> None:
    assert read_traceparent(value.encode()) is None


@given(
    st.binary(max_size=80) | st.from_regex(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", fullmatch=True)
)
def test_ids_are_fit_for_a_log(value: bytes) -> None:
    parent = read_traceparent(value)

    assert parent is None or re.fullmatch("[0-9a-f]{32}-[0-9a-f]{16}", f"{parent.trace_id}-{parent.span_id}")
