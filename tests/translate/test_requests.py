"""Reading bodies: a Struct and the names that came, or a 400."""

import pytest
from msgspec import Raw, Struct

from gateway.errors import InvalidRequest
from gateway.translate.requests import Reader


class Request(Struct):
    """A field that has to come, one that may, and one that passes through."""

    name: str
    size: int | None = None
    raw: Raw | None = None


read = Reader(Request).read


def test_names_of_all_fields_are_given_when_some_are_unknown() -> None:
    """What the Struct does not know is still heard of."""
    request, present = read(b'{"name":"a","brand_new":[1],"size":2}')

    assert (request, [*present]) == (Request(name="a", size=2), ["name", "brand_new", "size"])


def test_null_counts_as_absent() -> None:
    """As at OpenAI, null is how some SDKs leave a field out, known or not."""
    _, present = read(b'{"name":"a","size":null,"brand_new": null }')

    assert [*present] == ["name"]


def test_last_one_counts_when_a_key_comes_twice() -> None:
    """Both readings of the body agree about it."""
    request, present = read(b'{"name":"a","name":"b","size":1,"size":null}')

    assert (request, [*present]) == (Request(name="b"), ["name"])


@pytest.mark.parametrize(
    ("body", "flaw"),
    [
        pytest.param(b" \n", "it is empty", id="empty"),
        pytest.param(b'\xef\xbb\xbf{"name":"a"}', "a byte order mark", id="byte order mark"),
        pytest.param(b'{"name":"\\ud800"}', "half of a surrogate pair (byte 9)", id="high half at the end"),
        pytest.param(b'{"name":"\\uD83d \\ude00"}', "half of a surrogate pair (byte 9)", id="halves apart"),
        pytest.param(b'{"name":"\\\\\\udc00"}', "half of a surrogate pair (byte 11)", id="after a backslash"),
        pytest.param(b'{"name":"\\ud83d\\ude00', "truncated", id="a whole pair, cut off"),
        pytest.param(b'{"name":"\\\\ud800', "truncated", id="only looks like half, cut off"),
    ],
)
def test_flaw_of_a_body_is_told_as_it_is(body: bytes, flaw: str) -> None:
    """The decoder calls half of a pair truncated, which sends people looking for a lost end."""
    with pytest.raises(InvalidRequest) as refusal:
        read(body)

    assert flaw in refusal.value.message


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"nope", id="no JSON"),
        pytest.param(b'{"name":"a"', id="cut off"),
        pytest.param(b'{"name":"a"} {}', id="two values"),
        pytest.param(b'{"name":NaN}', id="NaN"),
        pytest.param(b'{"name":"a","x":Infinity}', id="Infinity in an unknown field"),
        pytest.param(b'{"name":"\\ud800"}', id="lone surrogate"),
        pytest.param(b'{"name":"a","raw":"\\udc00 and more"}', id="lone surrogate in what passes through"),
        pytest.param(b'{"name":"\xff"}', id="not UTF-8"),
        pytest.param(b'{"name":"a","raw":"\xff"}', id="not UTF-8 in what passes through"),
        pytest.param(b'{"name":"a","raw":"\xed\xa0\x80"}', id="surrogate as bytes"),
        pytest.param('{"name":"a"}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'\xef\xbb\xbf{"name":"a"}', id="byte order mark"),
        pytest.param(b'{"name":"a","x":' + b"[" * 2_000_000 + b"]" * 2_000_000 + b"}", id="nested deeply"),
        pytest.param(
            b'{"name":"a","raw":' + b'{"a":' * 2_000_000 + b"1" + b"}" * 2_000_001, id="nested deeply, raw"
        ),
        pytest.param(b"[]", id="array"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"name":"a","size":1e999}', id="number out of range"),
    ],
)
def test_body_is_refused_when_it_is_no_request(body: bytes) -> None:
    """Whatever is wrong with a body is a 400 of ours, with a sentence."""
    with pytest.raises(InvalidRequest) as refusal:
        read(body)

    assert refusal.value.message.endswith(".")
