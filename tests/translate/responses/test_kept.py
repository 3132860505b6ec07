"""Kept responses: their items in full, page by page."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw
from openai.types.responses import ResponseItem
from pydantic import TypeAdapter

from gateway.errors import InvalidRequest
from gateway.translate.responses.kept import Kept, item_of, listed, page, read, said_by_user, write

CONTEXT = [
    {"role": "user", "content": "Hello"},
    {"type": "message", "role": "assistant", "content": "Hello!"},
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}", "id": None},
    {"type": "function_call_output", "call_id": "c", "output": "x"},
    {"type": "reasoning", "id": "rs_own_0", "summary": []},
]
RESPONSE = {"id": "resp_own", "status": "completed", "output": [{"id": "msg_own_0", "type": "message"}]}
ITEM: TypeAdapter[Any] = TypeAdapter(ResponseItem)


def kept() -> Kept:
    return Kept(
        response=Raw(msgspec.json.encode(RESPONSE)), context=[Raw(msgspec.json.encode(item)) for item in CONTEXT]
    )


def test_what_is_written_is_read() -> None:
    assert kept() == read(write(kept()))


def test_items_are_listed_in_full() -> None:
    """Every item has an id, a type and a status, as OpenAI's types want them."""
    items = [msgspec.json.decode(raw) for raw in listed(kept())]

    assert ["msg_own_i0", "msg_own_i1", "fc_own_i2", "fco_own_i3", "rs_own_0"] == [item["id"] for item in items]
    assert [{"type": "input_text", "text": "Hello"}] == items[0]["content"]
    assert "output_text" == items[1]["content"][0]["type"]
    for item in items:
        ITEM.validate_python(item)


@pytest.mark.parametrize(("item_id", "kind"), [("fc_own_i2", "function_call"), ("msg_own_0", "message")])
def test_listed_items_are_found_by_their_ids(item_id: str, kind: str) -> None:
    item = msgspec.json.decode(item_of(item_id, {"resp_own": write(kept())}, param="x"))

    assert (item_id, kind) == (item["id"], item["type"])


@pytest.mark.parametrize(
    ("order", "after", "limit", "ids", "more"),
    [
        ("asc", None, 2, ["msg_own_i0", "msg_own_i1"], True),
        ("desc", None, 2, ["rs_own_0", "fco_own_i3"], True),
        ("asc", "fc_own_i2", 9, ["fco_own_i3", "rs_own_0"], False),
        ("desc", "msg_own_i0", 9, [], False),
    ],
)
def test_pages_follow_each_other(order: str, after: str | None, limit: int, ids: list[str], more: bool) -> None:  # noqa: FBT001
    found = page(listed(kept()), order=order, after=after, limit=limit)

    assert (ids, more) == ([msgspec.json.decode(raw)["id"] for raw in found.data], found.has_more)
    assert (ids[:1], ids[-1:]) == ([found.first_id][: len(ids)], [found.last_id][: len(ids)])


def test_page_after_an_unknown_item_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="after"):
        page(listed(kept()), order="asc", after="other", limit=9)


def test_plain_text_is_an_item() -> None:
    assert {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "Hi"}],
    } == msgspec.json.decode(said_by_user("Hi"))
