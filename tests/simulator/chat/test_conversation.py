"""Requests as the model sees them."""

from typing import Any

import pytest

from gateway.simulator.chat.conversation import read_conversation

FUNCTION = {"name": "f", "description": "", "parameters": {}}
SEARCH = {"search_engine": "search_std"}
USER = {"role": "user", "content": "hello"}


def test_parts_become_text_and_media() -> None:
    """Texts are joined, pictures, links and sounds kept apart."""
    parts = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
        {"type": "text", "text": "and listen"},
    ]

    turn = read_conversation({"messages": [{"role": "user", "content": parts}]}).last

    assert (turn.text, turn.pictures, turn.links, turn.sounds) == (
        "look\nand listen",
        ["https://example.com/a.png"],
        ["https://example.com/a.mp4"],
        ["UklGRg=="],
    )


def test_calls_and_results_belong_together() -> None:
    """A result is known by the id of its call."""
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    result = {"role": "tool", "content": "1", "tool_call_id": "call_1"}

    turns = read_conversation({"messages": [USER, {"role": "assistant", "tool_calls": [call]}, result]}).turns

    assert turns[1].calls == {"call_1": "f"}
    assert turns[2].call_id == "call_1"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({}, {"functions": [], "search": None, "chosen": None, "wants_json": False}, id="nothing"),
        pytest.param(
            {"tools": [{"type": "function", "function": FUNCTION}]}, {"functions": [FUNCTION]}, id="function"
        ),
        pytest.param(
            {"tools": [{"type": "web_search", "web_search": SEARCH}]}, {"search": None}, id="search is off"
        ),
        pytest.param(
            {"tools": [{"type": "web_search", "web_search": SEARCH | {"enable": True}}]},
            {"search": SEARCH | {"enable": True}},
            id="search is on",
        ),
        pytest.param({"tool_choice": "auto"}, {"chosen": None}, id="auto"),
        pytest.param({"tool_choice": {"function": {"name": "f"}}}, {"chosen": "f"}, id="chosen"),
        pytest.param({"response_format": {"type": "json_object"}}, {"wants_json": True}, id="json"),
        pytest.param({"response_format": {"type": "json_schema"}}, {"wants_json": False}, id="schema is ignored"),
    ],
)
def test_wishes_are_read_from_the_fields(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    """Tools, choice and format become what the model goes by."""
    conversation = read_conversation({"messages": [USER]} | fields)

    assert {name: getattr(conversation, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("turns", "orders"),
    [
        pytest.param(["system: A", "user: B"], ["A", "B"], id="question"),
        pytest.param(["user: A", "assistant: B", "user: C"], ["C"], id="later question"),
        pytest.param(["system: A", "user: B", "tool: C"], ["A"], id="results"),
    ],
)
def test_orders_are_the_systems_and_the_users_last_words(turns: list[str], orders: list[str]) -> None:
    """What the user asked for earlier is done."""
    messages = [dict(zip(("role", "content"), turn.split(": "), strict=True)) for turn in turns]

    assert read_conversation({"messages": messages}).orders == orders


@pytest.mark.parametrize(
    ("system", "schema"),
    [
        pytest.param("none", None, id="none"),
        pytest.param('{"type": "object"}', None, id="any object"),
        pytest.param('{"type": "object"} or {"type": "array"}', {"type": "array"}, id="the one that says more"),
    ],
)
def test_schema_is_the_first_that_says_what_is_in_the_answer(system: str, schema: Any) -> None:
    """A schema of any object is as good as none."""
    assert read_conversation({"messages": [{"role": "system", "content": system}, USER]}).schema == schema
