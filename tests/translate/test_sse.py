"""The decoder of server-sent events: the same events, however the network cuts them."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.errors import UpstreamProtocolError
from gateway.translate import sse
from gateway.translate.sse import Decoder

CASES = [
    pytest.param(b'data: {"a":1}\n\n', [b'{"a":1}'], id="one event"),
    pytest.param(b'data:{"a":1}\n\ndata: [DONE]\n\n', [b'{"a":1}', b"[DONE]"], id="no space after the colon"),
    pytest.param(b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"], id="CRLF"),
    pytest.param(b"data: a\r\rdata: b\r\r", [b"a", b"b"], id="CR"),
    pytest.param(b"data: a\r\n\ndata: b\n\r\n", [b"a", b"b"], id="mixed line ends"),
    pytest.param(b": ping\n\ndata: a\n\n", [b"a"], id="comment"),
    pytest.param(b"retry: 3\n\nid: 7\n\ndata: a\n\n", [b"a"], id="events without data"),
    pytest.param(b"data: a\ndata: b\n\n", [b"a\nb"], id="data over two lines"),
    pytest.param(b"data: a\r\ndata: b\r\n\r\n", [b"a\nb"], id="data over two lines, CRLF"),
    pytest.param(b"event: message\nid: 1\ndata: a\n\n", [b"a"], id="other fields"),
    pytest.param(b"\n\n\ndata: a\n\n\n\ndata: b\n\n", [b"a", b"b"], id="blank lines"),
    pytest.param(b"\xef\xbb\xbfdata: a\n\n", [b"a"], id="byte order mark"),
    pytest.param(b"data\n\ndata:\n\ndata: a\n\n", [b"a"], id="empty data"),
    pytest.param(b'event: error\ndata: {"code":"1"}\n\n', [b'{"error":{"code":"1"}}'], id="error event"),
    pytest.param(
        b'event: error\ndata: {"error":{"code":"1"}}\n\n', [b'{"error":{"code":"1"}}'], id="error event, wrapped"
    ),
    pytest.param(b"data: \xe4\xbd\xa0\n\n", ["你".encode()], id="characters of several bytes"),
]


@pytest.mark.parametrize(("stream", "expected"), CASES)
def test_events_are_cut_out_when_the_stream_comes_at_once(stream: bytes, expected: list[bytes]) -> None:
    """Each event's data is given, and nothing else."""
    assert expected == Decoder().feed(stream)


@pytest.mark.parametrize(("stream", "expected"), CASES)
def test_events_are_the_same_when_every_byte_comes_alone(stream: bytes, expected: list[bytes]) -> None:
    """No cut, not even inside a line end or a character, changes an event."""
    decoder = Decoder()

    assert expected == [event for byte in stream for event in decoder.feed(bytes([byte]))]


SCRAPS = st.sampled_from(
    [b"data: ", b"data:", b'{"a":1}', b"\n", b"\r", b"\r\n", b":", b"event: error", b"x", b""]
)


@given(st.lists(SCRAPS).map(b"".join), st.lists(st.integers(0, 60)))
@example(b"data: a\r\n\r\n", [8])
@example(b"data: data: \n\n\ndata: \n\n", [15])
def test_events_do_not_depend_on_the_cuts(stream: bytes, cuts: list[int]) -> None:
    """Any chunking of any bytes gives the events of the whole, also at the end."""
    whole, pieces = Decoder(), Decoder()
    expected = whole.feed(stream) + whole.finish()
    edges = [0, *sorted(cuts), len(stream)]

    got = [event for start, end in pairwise(edges) for event in pieces.feed(stream[start:end])]

    assert expected == got + pieces.finish()


def test_last_event_is_given_when_its_blank_line_is_missing() -> None:
    """A stream that ends after the data line loses nothing."""
    decoder = Decoder()

    assert decoder.feed(b"data: a\n\ndata: b") == [b"a"]
    assert decoder.finish() == [b"b"]


def test_stream_is_refused_when_an_event_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays bounded."""
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    decoder = Decoder()
    decoder.feed(b"data: " + b"x" * 90)

    with pytest.raises(UpstreamProtocolError):
        decoder.feed(b"x" * 90)
