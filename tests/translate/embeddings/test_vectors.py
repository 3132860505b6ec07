"""Vectors: base64 exact to the bit, arrays untouched, shortened ones at length 1."""

import base64
import math
import struct
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from gateway.errors import ContentFiltered, GatewayError, UpstreamProtocolError
from gateway.openai.embeddings import EncodingFormat
from gateway.translate.embeddings.vectors import base64_of, form_of, read_vectors, shortened
from tests.translate.embeddings.jobs import answer_of

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=64, min_value=-3e38, max_value=3e38)


@given(st.lists(NUMBERS))
def test_base64_is_the_nearest_float32_when_numbers_are_any(numbers: list[float]) -> None:
    """To the bit, and little-endian, as ``struct`` rounds."""
    assert struct.pack(f"<{len(numbers)}f", *numbers) == base64.b64decode(base64_of(numbers))


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_base64_loses_nothing_when_numbers_are_float32(numbers: list[float]) -> None:
    """What GLM computes in float32 arrives as it left, through decimal digits and back."""
    read = msgspec.json.decode(msgspec.json.encode(numbers), type=list[float])

    assert numbers == list(struct.unpack(f"<{len(numbers)}f", base64.b64decode(base64_of(read))))


def test_base64_of_known_numbers() -> None:
    """Written out once, so that both sides cannot err alike."""
    assert base64.b64encode(bytes.fromhex("0000803f 000000c0 cdcccc3d")).decode() == base64_of([1.0, -2, 0.1])


def test_array_keeps_the_digits_of_glm() -> None:
    """Not even their spelling changes."""
    body = answer_of([Raw("[-0.02675994, 1.0E-4 ,0]")])

    (vector,), _ = read_vectors(body, form=form_of("float", cut_to=None), count=1)

    assert b"[-0.02675994, 1.0E-4 ,0]" == bytes(vector)  # type: ignore[arg-type]


@pytest.mark.parametrize("encoding", [None, "float"])
def test_array_is_given_when_base64_is_not_asked_for(encoding: EncodingFormat | None) -> None:
    (vector,), _ = read_vectors(answer_of([[0.5]]), form=form_of(encoding, cut_to=None), count=1)

    assert isinstance(vector, Raw)


@given(
    st.lists(st.floats(-1, 1, allow_subnormal=False), min_size=4, max_size=20).filter(lambda all_: any(all_[:4]))
)
def test_shortened_vector_has_length_one(numbers: list[float]) -> None:
    """And its direction is that of its first numbers."""
    short = shortened(numbers, dimensions=4)

    assert 4 == len(short)
    assert math.isclose(1.0, math.hypot(*short))
    length = math.hypot(*numbers[:4])
    assert all(
        math.isclose(number, part * length, abs_tol=1e-12) for number, part in zip(numbers[:4], short, strict=True)
    )


def test_vector_of_zeros_stays_when_it_is_shortened() -> None:
    assert [0.0, 0.0] == shortened([0.0, 0.0, 1.0], dimensions=2)


def test_shortened_vectors_have_both_forms() -> None:
    """3 and 4 of 3, 4, 12 are 0.6 and 0.8 of length 1."""
    body = answer_of([[3, 4, 12]])

    (array,), _ = read_vectors(body, form=form_of(None, cut_to=2), count=1)
    (packed,), _ = read_vectors(body, form=form_of("base64", cut_to=2), count=1)

    assert [0.6, 0.8] == msgspec.json.decode(array)
    assert base64_of([0.6, 0.8]) == packed


def test_vectors_are_put_in_order_when_glm_mixes_them() -> None:
    """The index decides, not the place."""
    data = [{"index": index, "embedding": [index]} for index in (2, 0, 1)]

    vectors, _ = read_vectors(msgspec.json.encode({"data": data}), form=form_of(None, cut_to=None), count=3)

    assert [[0], [1], [2]] == [msgspec.json.decode(vector) for vector in vectors]


def test_place_counts_when_glm_leaves_the_index_out() -> None:
    data = [{"embedding": [0]}, {"embedding": [1]}]

    vectors, _ = read_vectors(msgspec.json.encode({"data": data}), form=form_of(None, cut_to=None), count=2)

    assert [[0], [1]] == [msgspec.json.decode(vector) for vector in vectors]


def error_in(body: Any, *, encoding: EncodingFormat | None = None, cut_to: int | None = None) -> GatewayError:
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    with pytest.raises(GatewayError) as raised:
        read_vectors(data, form=form_of(encoding, cut_to=cut_to), count=2)
    return raised.value


def vectors_at(*indices: int) -> dict[str, Any]:
    return {"data": [{"index": index, "embedding": [0.5]} for index in indices]}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>", id="no JSON"),
        pytest.param(b'{"data": [\xff]}', id="no UTF-8"),
        pytest.param({}, id="no data"),
        pytest.param({"data": "text"}, id="data of another type"),
        pytest.param(vectors_at(0), id="one too few"),
        pytest.param(vectors_at(0, 1, 2), id="one too many"),
        pytest.param(vectors_at(0, 0), id="one twice"),
        pytest.param(vectors_at(0, 0, 1), id="one twice beside all"),
        pytest.param(vectors_at(0, 2), id="index past the end"),
        pytest.param({"data": [{"index": 0}, {"index": 1}]}, id="no vector"),
        pytest.param({"data": [{"embedding": "AAAA"}, {"embedding": "AAAA"}]}, id="no array"),
    ],
)
@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_answer_is_glms_fault_when_it_cannot_be_read(body: Any, encoding: EncodingFormat) -> None:
    """A 502, and never a vector for the wrong text."""
    assert isinstance(error_in(body, encoding=encoding), UpstreamProtocolError)


def test_answer_is_glms_fault_when_vectors_are_shorter_than_asked() -> None:
    assert isinstance(error_in(answer_of([[1], [1]]), cut_to=2), UpstreamProtocolError)


def test_error_is_told_when_it_comes_inside_a_success() -> None:
    assert isinstance(error_in({"error": {"code": "1301", "message": "…"}}), ContentFiltered)
