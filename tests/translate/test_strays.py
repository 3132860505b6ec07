"""Fields inside a request that nobody knows: found wherever they stand, and told by a path."""

from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta, Raw, Struct

from gateway.openai.chat.requests import CreateChatCompletionRequest
from gateway.translate.strays import MAX_STRAYS, anywhere, strays, twin_of


class Left(Struct, frozen=True, kw_only=True, tag_field="kind", tag="left"):
    """One member of a union."""

    depth: int = 0


class Right(Struct, frozen=True, kw_only=True, tag_field="kind", tag="right"):
    """The other, which has what the first does not know."""

    width: int
    more: dict[str, Any] = msgspec.field(default_factory=dict)


class Whole(Struct, frozen=True, kw_only=True):
    """Structs in every position that the twin has to find."""

    one: Left | None = None
    many: Annotated[list[Left | Right], Meta(max_length=500)] = []
    either: str | list[Right] | None = None
    raw: Raw = Raw(b"null")
    renamed: Right | None = msgspec.field(default=None, name="other")


class Nested(Struct, frozen=True, kw_only=True):
    """A kind that stands inside itself."""

    depth: int = 0
    more: list["Nested"] | None = None


class Holder(Struct, frozen=True, kw_only=True):
    """What holds one of those."""

    nested: Nested | None = None


class Flat(Struct):
    """Nothing inside."""

    name: str


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        pytest.param({"one": {"kind": "left", "depth": 1}, "many": [], "either": "text"}, [], id="all known"),
        pytest.param({"top": 1}, [], id="at the top, where a table decides"),
        pytest.param({"one": {"kind": "left", "odd": 1}}, ["one.odd"], id="in a field"),
        pytest.param({"one": {"kind": "left", "odd": None}}, [], id="null"),
        pytest.param(
            {"many": [{"kind": "left"}, {"kind": "left", "width": 1}]}, ["many[1].width"], id="in a list"
        ),
        pytest.param({"many": [{"kind": "right", "width": 1, "depth": 1}]}, ["many[0].depth"], id="in a union"),
        pytest.param(
            {"either": [{"kind": "right", "width": 1, "x": {}}]}, ["either[0].x"], id="in a union's list"
        ),
        pytest.param({"other": {"kind": "right", "width": 1, "x": 1}}, ["other.x"], id="under its name in JSON"),
        pytest.param({"one": {"kind": "right"}, "many": 3}, [], id="in what is wrong anyway"),
        pytest.param({"many": [{"kind": "right", "width": 1, "more": {"x": 1}}]}, [], id="in what is free"),
        pytest.param({"raw": {"x": 1}}, [], id="in what passes through"),
        pytest.param(
            {"many": [{"kind": "left", "x": 1}, {"kind": "left", "x": 1, "y": 1}]},
            ["many[0].x", "many[1].y"],
            id="the same twice",
        ),
    ],
)
def test_stray_field_is_named_by_its_path(body: dict[str, Any], paths: list[str]) -> None:
    assert paths == strays(body, Whole)


def test_as_many_as_a_typing_error_makes_are_named() -> None:
    """A body of nothing but strays costs no more than it does to decode."""
    assert MAX_STRAYS == len(
        strays({"one": {"kind": "left"} | {f"x{n}": 1 for n in range(10 * MAX_STRAYS)}}, Whole)
    )


def test_place_in_a_list_can_be_left_out() -> None:
    assert anywhere("messages[12].content[0].odd") == "messages[].content[].odd"


def test_twin_is_of_its_kind_and_refuses_what_is_unknown_inside() -> None:
    """Whoever takes the kind takes the twin; at the top it is as lenient."""
    twin = twin_of(Whole)
    read = msgspec.json.decode(b'{"many":[{"kind":"right","width":2}],"top":1,"raw":{"x":1}}', type=twin)

    assert isinstance(read, Whole)
    assert isinstance(read.many[0], Right)
    assert (2, {}, b'{"x":1}') == (read.many[0].width, read.many[0].more, bytes(read.raw))
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"many":[{"kind":"right","width":2,"odd":1}]}', type=twin)


def test_kind_without_an_inside_needs_no_twin() -> None:
    assert twin_of(Flat) is Flat


def test_kind_that_stands_inside_itself_is_refused_what_is_unknown_outside() -> None:
    """Its twin ends somewhere; what is deeper is taken as leniently as the kind itself takes it."""
    twin = twin_of(Holder)

    assert isinstance(msgspec.json.decode(b'{"nested":{"more":[{"depth":2,"odd":1}]}}', type=twin), Holder)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"nested":{"odd":1}}', type=twin)


def test_twin_of_a_chat_request_takes_and_refuses_the_same_values() -> None:
    """Bounds and patterns are kept, so that what passes the twin needs no second look."""
    twin = twin_of(CreateChatCompletionRequest)
    question = {"role": "user", "content": "Hello"}

    wrong: tuple[dict[str, Any], ...] = (
        {"n": 9},
        {"temperature": 3},
        {"stop": 1},
        {"tools": [{"type": "none"}]},
        {"messages": []},
    )
    for field in wrong:
        body = msgspec.json.encode({"model": "glm-4.7", "messages": [question]} | field)
        for kind in (twin, CreateChatCompletionRequest):
            with pytest.raises(msgspec.ValidationError):
                msgspec.json.decode(body, type=kind)
