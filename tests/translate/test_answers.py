"""GLM's answers are read, or told as GLM's fault."""

import pytest
from msgspec import Struct

from gateway.errors import ContentFiltered, UpstreamProtocolError
from gateway.glm.chat import ErrorDetail
from gateway.translate.answers import read_base64, reader_of


class Weighed(Struct, frozen=True):
    """An answer of the tests' own."""

    grams: int = 0
    error: ErrorDetail | None = None


read = reader_of(Weighed)


def test_answer_is_read_whatever_else_it_holds() -> None:
    assert Weighed(grams=3) == read(b'{"grams":3,"tomorrow":[]}')


def test_error_inside_a_success_is_raised() -> None:
    """With the meaning of its business code."""
    with pytest.raises(ContentFiltered) as raised:
        read(b'{"error":{"code":"1301","message":"..."}}')

    assert "1301" == raised.value.glm_code


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>", id="no JSON"),
        pytest.param(b'{"grams":"3"}', id="another type"),
        pytest.param(b'{"error":{"code":"1301","message":"\xff"}}', id="no UTF-8"),
        pytest.param(b'{"tomorrow":' + b"[" * 100_000, id="nested without end"),
    ],
)
def test_what_cannot_be_read_is_the_fault_of_glm(body: bytes) -> None:
    with pytest.raises(UpstreamProtocolError):
        read(body)


def test_base64_is_read() -> None:
    assert b"\0\1" == read_base64("AAE=")


@pytest.mark.parametrize("data", ["A", "AA*=", "é"])
def test_what_is_no_base64_is_the_fault_of_glm(data: str) -> None:
    with pytest.raises(UpstreamProtocolError):
        read_base64(data)
