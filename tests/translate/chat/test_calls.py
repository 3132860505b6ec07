"""Tool calls, whole or in fragments, put together so that OpenAI's clients can add them up."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.glm.chat import AnswerFunction, AnswerToolCall
from gateway.translate.chat.calls import Calls, more_arguments, to_openai
from gateway.translate.chat.plan import Promise


def piece(name: str | None = None, arguments: Any = None, **more: Any) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments}, **more}


FREE = Promise()

PIECES = st.lists(
    st.builds(
        AnswerToolCall,
        id=st.sampled_from(["1", "1", "2", None, ""]),
        index=st.sampled_from([0, 0, 1, None]),
        type=st.sampled_from(["function", "function", "mcp", None]),
        function=st.builds(
            AnswerFunction,
            name=st.sampled_from(["f", "f", "g", "free", None]),
            arguments=st.sampled_from(["{", '"a"', "}", {"a": 1}, "", None]),
        ),
    ),
    max_size=12,
)
PROMISES = st.builds(
    Promise,
    single=st.booleans(),
    legacy=st.booleans(),
    only=st.sampled_from([None, frozenset({"f"})]),
    custom=st.sampled_from([frozenset(), frozenset({"free"})]),
)


def built(name: str | None, arguments: str, **more: Any) -> AnswerToolCall:
    return msgspec.convert(piece(name, arguments, **more), AnswerToolCall)


@example(
    [
        built("f", "{", id="1", index=0),
        built("g", "{", id="2", index=1),
        built(None, '"a"', index=0),
        built(None, ":1}"),
    ],
    FREE,
)
@settings(max_examples=500)
@given(PIECES, PROMISES)
def test_shorter_way_tells_the_same(pieces: list[AnswerToolCall], promise: Promise) -> None:
    """Pieces that only add to arguments may go past most of it, and nothing is told, or kept, in another way."""
    long, short = (Calls(promise=promise, id_prefix="call_x") for _ in range(2))

    for one in pieces:
        told = [*long.feed(one)]
        more = one.function.arguments if one.function is not None else None
        grown = short.grow(one, more) if more and isinstance(more, str) else None
        if grown is None:
            assert told == short.feed(one)
        else:
            assert told == [more_arguments(grown.index, grown.fragments[-1], legacy=promise.legacy)]

    assert long.conclude() == short.conclude()
    assert (long.whole(), long.strayed) == (short.whole(), short.strayed)


def run(pieces: list[dict[str, Any]], promise: Promise = FREE) -> tuple[list[Any], list[Any]]:
    """Give the deltas that were told, and the calls as a whole message has them."""
    calls = Calls(promise=promise, id_prefix="call_x")
    deltas = [told for one in pieces for told in calls.feed(msgspec.convert(one, AnswerToolCall))]
    deltas += calls.conclude()
    whole = [to_openai(call, promise=promise) for call in calls.whole()]
    return msgspec.to_builtins(deltas), msgspec.to_builtins(whole)


def added_up(deltas: list[Any]) -> list[Any]:
    """
    Add up deltas as the official clients do: by index, strings joined, and fail on what they fail on.

    A call is parsed when there is a piece of the next, and gets no more then.
    """
    calls: dict[int, dict[str, Any]] = {}
    for delta in deltas:
        (chunk,) = delta["tool_calls"]
        if chunk["index"] not in calls:
            assert all(json.loads(call["function"]["arguments"]) is not None for call in calls.values())
        assert chunk["index"] >= len(calls) - 1
        call = calls.setdefault(chunk["index"], {"id": "", "type": "", "function": {"name": "", "arguments": ""}})
        for key in ("id", "type"):
            call[key] += chunk.get(key, "")
        for key in ("name", "arguments"):
            call["function"][key] += chunk["function"].get(key, "")
    assert [*calls] == [*range(len(calls))]
    return [*calls.values()]


def call(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


CASES = [
    pytest.param(
        [piece("f", '{"a":1}', id="1", index=0, type="function")], [call("1", "f", '{"a":1}')], id="in one"
    ),
    pytest.param(
        [piece("f", '{"a"', id="1", index=0), piece(None, ":1", index=0), piece(None, "}", index=0)],
        [call("1", "f", '{"a":1}')],
        id="in fragments",
    ),
    pytest.param(
        [
            piece("f", '{"a"', id="1", index=0, type="function"),
            piece("f", ":1}", id="1", index=0, type="function"),
        ],
        [call("1", "f", '{"a":1}')],
        id="id, type and name repeated",
    ),
    pytest.param(
        [piece("f", "{}", id="1", index=0), piece("g", "[1]", id="2", index=1)],
        [call("1", "f", "{}"), call("2", "g", "[1]")],
        id="two in parallel",
    ),
    pytest.param(
        [
            piece("f", "{", id="1", index=0),
            piece("g", "{", id="2", index=1),
            piece(None, "}", index=0),
            piece(None, "}", index=1),
        ],
        [call("1", "f", "{}"), call("2", "g", "{}")],
        id="two interleaved",
    ),
    pytest.param(
        [
            piece("f", "", id="1", index=0),
            piece("g", "", id="2", index=1),
            piece("h", "", id="3", index=2),
            piece(None, '{"a":', index=0),
            piece(None, '"}"', index=2),
            piece(None, '{"b":"}', index=1),
            piece(None, '"', index=0),
            piece(None, '"}', index=1),
            piece(None, '}"}', index=0),
        ],
        [call("1", "f", '{"a":"}"}'), call("2", "g", '{"b":"}"}'), call("3", "h", '"}"')],
        id="announced, then interleaved",
    ),
    pytest.param(
        [piece("f", "", id="1", index=0), piece("g", "{", id="2", index=1), piece(None, "}", index=1)],
        [call("1", "f", "{}"), call("2", "g", "{}")],
        id="nothing, then something",
    ),
    pytest.param(
        [
            piece("f", "{", id="1", index=0),
            piece("f", "{", id="1", index=1),
            piece("f", "{", id="1", index=2),
            piece("f", "}", id="1", index=2),
            piece("f", "}", id="1", index=1),
            piece("f", "}", id="1", index=0),
        ],
        [call("1", "f", "{}"), call("call_x_1", "f", "{}"), call("call_x_2", "f", "{}")],
        id="the same id again and again",
    ),
    pytest.param(
        [piece("f", "{}", id="1", index=3), piece("g", "{}", id="2", index=7)],
        [call("1", "f", "{}"), call("2", "g", "{}")],
        id="indexes with gaps",
    ),
    pytest.param(
        [piece("f", "{}", id="1", index=0), piece("g", "{}", id="2", index=0)],
        [call("1", "f", "{}"), call("2", "g", "{}")],
        id="two under one index",
    ),
    pytest.param(
        [piece("f", "{", id="1"), piece(None, "}"), piece("g", "{}", id="2")],
        [call("1", "f", "{}"), call("2", "g", "{}")],
        id="no indexes",
    ),
    pytest.param(
        [piece("f", "{", id="1"), piece("g", "{}", id="2"), piece(None, "}", id="1")],
        [call("1", "f", "{}"), call("2", "g", "{}")],
        id="no indexes, found by id",
    ),
    pytest.param(
        [piece("f", "{}"), piece("g", "{}")],
        [call("call_x_0", "f", "{}"), call("call_x_1", "g", "{}")],
        id="neither ids nor indexes",
    ),
    pytest.param([piece("f", "{}", index=0)], [call("call_x_0", "f", "{}")], id="no id"),
    pytest.param([piece("f", None, id="1", index=0)], [call("1", "f", "{}")], id="no arguments"),
    pytest.param([piece("f", "", id="1", index=0)], [call("1", "f", "{}")], id="empty arguments"),
    pytest.param(
        [piece("f", {"a": 1}, id="1", index=0)], [call("1", "f", '{"a":1}')], id="arguments as an object"
    ),
    pytest.param([piece("f", {}, id="1", index=0)], [call("1", "f", "{}")], id="arguments as an empty object"),
    pytest.param(
        [{"id": "1", "index": 0}, piece("f", "{}", index=0)], [call("1", "f", "{}")], id="the id before the name"
    ),
    pytest.param(
        [{"id": "0", "index": 0, "type": "mcp"}, piece("f", "{}", id="1", index=1)],
        [call("1", "f", "{}")],
        id="Zhipu's own call before it",
    ),
    pytest.param([piece(None, "{}", id="1", index=0)], [], id="a call that never has a name"),
]


@pytest.mark.parametrize(("pieces", "expected"), CASES)
def test_calls_are_the_same_added_up_from_deltas_and_whole(pieces: list[Any], expected: list[Any]) -> None:
    """Deltas add up by the clients' rules to the calls of a whole message, with nothing repeated."""
    deltas, whole = run(pieces)

    assert expected == whole
    assert expected == added_up(deltas)


TWO = [piece("f", "{", id="1", index=0), piece("g", "{}", id="2", index=1), piece(None, "}", index=0)]


def test_only_the_first_call_counts_when_one_was_asked_for() -> None:
    """``parallel_tool_calls: false`` is kept for the caller, since GLM has no such switch."""
    deltas, whole = run(TWO, Promise(single=True))

    assert whole == added_up(deltas) == [call("1", "f", "{}")]


def test_only_chosen_functions_are_told() -> None:
    """A call of another is left out, and takes no index with it."""
    deltas, whole = run([*TWO, piece(None, "]", index=1)], Promise(only=frozenset({"f"})))
    assert whole == added_up(deltas) == [call("1", "f", "{}")]

    deltas, whole = run(TWO, Promise(only=frozenset({"g"})))
    assert whole == added_up(deltas) == [call("2", "g", "{}")]


def test_deprecated_form_has_no_id_and_no_index() -> None:
    """Callers that asked in the old form are answered in it."""
    deltas, _ = run(
        [piece("f", "{", id="1", index=0), piece(None, "}", index=0)], Promise(single=True, legacy=True)
    )

    assert deltas == [
        {"function_call": {"name": "f", "arguments": "{"}},
        {"function_call": {"arguments": "}"}},
    ]


def test_call_is_told_as_soon_as_the_one_before_it_is_whole() -> None:
    """And not only at the end."""
    calls = Calls(promise=FREE, id_prefix="call_x")
    pieces = [
        built("f", "{", id="1", index=0),
        built("g", "{", id="2", index=1),
        built(None, " ", index=0),
        built(None, "}", index=0),
        built(None, " ", index=0),
        built(None, "}", index=1),
    ]

    told = msgspec.to_builtins([calls.feed(one) for one in pieces])

    assert [[chunk["index"] for delta in deltas for chunk in delta["tool_calls"]] for deltas in told] == [
        [0], [], [0], [0, 1], [], [1],
    ]  # fmt: skip


def test_custom_call_is_unwrapped_when_it_is_whole() -> None:
    """A custom tool's input is inside JSON until then."""
    deltas, whole = run(
        [piece("sh", '{"input":', id="1", index=0), piece(None, '"ls"}', index=0)],
        Promise(custom=frozenset({"sh"})),
    )

    assert whole == [{"id": "1", "type": "custom", "custom": {"name": "sh", "input": "ls"}}]
    assert deltas == [{"tool_calls": [{"index": 0, **whole[0]}]}]


def test_custom_call_is_told_before_the_one_after_it() -> None:
    """Clients that put an index where there is no place for it yet would join it with another."""
    pieces = [
        piece("sh", '{"input":', id="1", index=0),
        piece("g", "{}", id="2", index=1),
        piece(None, '"ls"}', index=0),
    ]

    deltas, whole = run(pieces, Promise(custom=frozenset({"sh"})))

    assert [chunk["index"] for delta in deltas for chunk in delta["tool_calls"]] == [0, 1]
    assert [one["id"] for one in whole] == ["1", "2"]
