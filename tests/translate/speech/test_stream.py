"""GLM's events to samples."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audio import wav
from gateway.errors import ContentFiltered, GatewayError, UpstreamError, UpstreamProtocolError
from gateway.translate.speech.joint import Joint
from gateway.translate.speech.stream import PieceStream
from gateway.translate.sse import DONE

PCM = bytes(range(256)) * 4


def new() -> PieceStream:
    return PieceStream(Joint(rises=False, falls=False))


def chunk(data: bytes, **more: Any) -> bytes:
    delta = {"role": "assistant", "content": base64.b64encode(data).decode(), **more}
    return json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode()


def ended(reason: str) -> bytes:
    return json.dumps({"choices": [{"index": 0, "finish_reason": reason, "delta": None}]}).encode()


@given(sizes=st.lists(st.integers(1, 301), min_size=1))
def test_samples_are_glms_however_they_are_cut(sizes: list[int]) -> None:
    """In the middle of a sample too."""
    stream, heard, at = new(), b"", 0
    for size in sizes:
        if at < len(PCM):
            heard += stream.feed([chunk(PCM[at : at + size])])
            at += size
    heard += stream.feed([chunk(PCM[at:]) if at < len(PCM) else ended("stop"), ended("stop"), DONE])

    assert PCM == heard + stream.finish()


@pytest.mark.parametrize("file", [PCM, wav(PCM, sample_rate=24_000)], ids=["bare", "wav"])
def test_whole_answer_is_one_payload(file: bytes) -> None:
    stream = new()

    assert PCM == stream.feed([file, DONE]) + stream.finish()


def test_each_delta_may_be_a_file() -> None:
    stream = new()

    heard = stream.feed([chunk(wav(PCM, sample_rate=24_000)), chunk(wav(PCM, sample_rate=24_000)), DONE])

    assert PCM + PCM == heard + stream.finish()


def test_samples_alone_go_on_at_the_rate_of_the_file_before_them() -> None:
    """As when the head of one file comes with the first delta."""
    stream = new()

    heard = stream.feed([chunk(wav(bytes(8_000), sample_rate=16_000)), chunk(bytes(24_000)), DONE])

    assert 48_000 == len(heard + stream.finish())


def test_rate_that_is_told_is_believed() -> None:
    stream = new()

    heard = stream.feed([chunk(bytes(32_000), return_sample_rate=16_000), DONE]) + stream.finish()

    assert 48_000 == pytest.approx(len(heard), abs=100)


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (b"{", UpstreamProtocolError),
        (b'{"choices": {}}', UpstreamProtocolError),
        (b'{"choices": [{"delta": {"content": "?"}}]}', UpstreamProtocolError),
        (chunk(b"RIFF but no file"), UpstreamProtocolError),
        (b'{"error": {"code": "1301", "message": "no"}}', ContentFiltered),
        (ended("sensitive"), ContentFiltered),
        (ended("network_error"), UpstreamError),
    ],
)
def test_failure_is_kept_and_what_came_before_is_heard(payload: bytes, error: type[GatewayError]) -> None:
    stream = new()

    heard = stream.feed([chunk(PCM), payload, DONE])

    assert PCM == heard
    assert isinstance(stream.failure, error)


@pytest.mark.parametrize("payloads", [[chunk(PCM)], [DONE], [chunk(b""), ended("stop"), DONE]])
def test_stream_has_to_end_and_to_say_something(payloads: list[bytes]) -> None:
    stream = new()
    stream.feed(payloads)

    with pytest.raises(UpstreamProtocolError):
        stream.finish()


@given(payloads=st.lists(st.binary(max_size=200)))
def test_no_answer_of_glms_is_a_mistake_of_ours(payloads: list[bytes]) -> None:
    stream = new()

    stream.feed(payloads)

    assert stream.failure is None or isinstance(stream.failure, UpstreamError | ContentFiltered | GatewayError)
