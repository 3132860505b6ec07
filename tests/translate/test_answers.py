"""GLM's answers are read, or told as GLM's fault."""

import pytest
from msgspec import Raw, Struct

from gateway.errors import ContentFiltered, UpstreamProtocolError
from gateway.glm.chat import CachedTokens, ErrorDetail, Usage
from gateway.translate.answers import read_base64, reader_of


class Weighed(Struct, frozen=True):
    """An answer of the tests' own."""

    grams: int = 0
    note: str = ""
    pieces: list[Raw] = []
    usage: Usage | None = None
    error: ErrorDetail | None = None


read = reader_of(Weighed)


def test_answer_is_read_whatever_else_it_holds() -> None:
    assert Weighed(grams=3) == read(b'{"grams":3,"tomorrow":[]}')


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b'{"grams":null,"pieces":null}', Weighed(), id="null"),
        pytest.param(b'{"grams":"3"}', Weighed(grams=3), id="text"),
        pytest.param(
            b'{"grams":3.0,"pieces":[1.50]}', Weighed(grams=3, pieces=[Raw(b"1.5")]), id="a fraction of 0"
        ),
        pytest.param(
            b'{"grams":3,"usage":{"prompt_tokens":5,"completion_tokens":null}}',
            Weighed(grams=3, usage=Usage(prompt_tokens=5)),
            id="null tokens",
        ),
        pytest.param(
            b'{"usage":{"prompt_tokens":"5","prompt_tokens_details":{"cached_tokens":2.0}}}',
            Weighed(usage=Usage(prompt_tokens=5, prompt_tokens_details=CachedTokens(cached_tokens=2))),
            id="tokens as text",
        ),
        pytest.param(b'{"grams":3,"usage":{"prompt_tokens":"many"}}', Weighed(grams=3), id="no tokens"),
        pytest.param(b'{"grams":3,"usage":{"completion_tokens":-1}}', Weighed(grams=3), id="tokens below none"),
        pytest.param(
            b'{"grams":3,"usage":{"prompt_tokens_details":{"cached_tokens":-1}}}',
            Weighed(grams=3),
            id="cached below none",
        ),
        pytest.param(
            b'{"grams":3,"usage":{"prompt_tokens":1%b}}' % (b"0" * 400), Weighed(grams=3), id="tokens without end"
        ),
        pytest.param(b'{"grams":3,"usage":[]}', Weighed(grams=3), id="no object"),
    ],
)
def test_answer_is_read_though_what_is_beside_it_is_of_other_types(body: bytes, expected: Weighed) -> None:
    """An answer that was paid for is not lost over what it is not needed for."""
    assert expected == read(body)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(rb"Hi \ud83d\ude00", "Hi 😀", id="whole"),
        pytest.param(rb"Hi \ud83d", "Hi \N{REPLACEMENT CHARACTER}", id="first half"),
        pytest.param(rb"\uDE00 Hi \ud83d\ude00", "\N{REPLACEMENT CHARACTER} Hi 😀", id="second half"),
        pytest.param(rb"\\ud83d \ud83d", "\\ud83d \N{REPLACEMENT CHARACTER}", id="beside what looks like one"),
    ],
)
def test_half_a_character_does_not_cost_the_answer(said: bytes, expected: str) -> None:
    """A server that cuts its text by UTF-16 units may leave one at the end of a chunk."""
    assert Weighed(note=expected) == read(b'{"note":"' + said + b'"}')


def test_error_is_told_though_the_rest_is_null() -> None:
    """A server may send every field that there is."""
    with pytest.raises(ContentFiltered):
        read(b'{"grams":null,"error":{"code":1301,"message":null}}')


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
        pytest.param(b'{"grams":"three"}', id="another type"),
        pytest.param(b'{"grams":[],"usage":{}}', id="another type beside what is right"),
        pytest.param(b'{"error":{"code":"1301","message":"\xff"}}', id="no UTF-8"),
        pytest.param(b'{"tomorrow":' + b"[" * 100_000, id="nested without end"),
    ],
)
def test_what_cannot_be_read_is_the_fault_of_glm(body: bytes) -> None:
    with pytest.raises(UpstreamProtocolError):
        read(body)


@pytest.mark.parametrize(
    "data",
    ["AAE=", "data:audio/wav;base64,AAE=", "data:;base64,AAE=", "AA\nE=\n", "AA\r\nE=", "AAE"],
)
def test_base64_is_read(data: str) -> None:
    """Zhipu's pages say neither that it is bare nor that it is not; encoders differ in lines and padding."""
    assert b"\0\1" == read_base64(data)


@pytest.mark.parametrize("data", ["A", "AA*=", "AA=E", "é", "data:audio/wav;base64,AA*="])
def test_what_is_no_base64_is_the_fault_of_glm(data: str) -> None:
    with pytest.raises(UpstreamProtocolError):
        read_base64(data)
