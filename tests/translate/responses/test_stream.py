"""Streams of GLM's become events that OpenAI's own types accept, and that add up to the whole response."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from gateway.errors import UpstreamFailed
from tests.translate.responses.conftest import Heard, Start, answered, chunk, events, function, stream, whole

EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
USAGE = {
    "prompt_tokens": 15,
    "completion_tokens": 7,
    "total_tokens": 22,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
FOUND = [
    {"title": "One", "link": "https://one.example", "refer": "ref_1"},
    {"title": "Two", "link": "https://two.example", "refer": "ref_2"},
]


def call(index: int, **more: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, **more}]}


def named(index: int, name: str, arguments: str = "") -> dict[str, Any]:
    return call(index, id=f"call_{index}", type="function", function={"name": name, "arguments": arguments})


def kinds(told: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in told]


def test_text_is_told_from_its_beginning_to_its_end(heard: Heard) -> None:
    told = heard([{"content": "Hel"}, {"content": "lo"}, {"content": "", "finish_reason": "stop", "usage": USAGE}])

    assert kinds(told) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    final = told[-1]["response"]
    assert final["output"][0]["content"] == [
        {"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}
    ]
    assert final["usage"] == {
        "input_tokens": 15,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 22,
    }


def test_reasoning_is_an_item_of_its_own(heard: Heard) -> None:
    told = heard([{"reasoning_content": "Hm"}, {"content": "Yes"}, {"finish_reason": "stop"}])

    reasoning, message = told[-1]["response"]["output"]
    assert reasoning["content"] == [{"type": "reasoning_text", "text": "Hm"}]
    assert reasoning["summary"] == []
    assert "encrypted_content" not in reasoning
    assert message["content"][0]["text"] == "Yes"
    assert "reasoning_text.delta" in kinds(told)


def test_reasoning_is_the_summary_for_who_asks_for_one(heard: Heard) -> None:
    """Clients that ask for a summary show nothing else."""
    told = heard(
        [{"reasoning_content": "Hm"}, {"content": "Yes"}, {"finish_reason": "stop"}], reasoning={"summary": "auto"}
    )

    reasoning = told[-1]["response"]["output"][0]
    assert reasoning["summary"] == [{"type": "summary_text", "text": "Hm"}]
    assert reasoning["content"] == []
    assert kinds(told)[2:8] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]


def test_calls_grow_side_by_side(heard: Heard) -> None:
    """Pieces of two calls may come in any order; each call has one item, which ends once."""
    told = heard(
        [
            named(0, "look_up", '{"a"'),
            named(1, "look_up"),
            call(0, function={"arguments": ":1}"}),
            call(1, function={"arguments": '{"b":2}'}),
            {"finish_reason": "tool_calls"},
        ],
        tools=[function()],
    )

    first, second = told[-1]["response"]["output"]
    assert (first["call_id"], first["arguments"], first["status"]) == ("call_0", '{"a":1}', "completed")
    assert (second["call_id"], second["arguments"], second["status"]) == ("call_1", '{"b":2}', "completed")
    assert 2 == kinds(told).count("output_item.done")


def test_call_of_a_custom_tool_has_its_input_in_clear(heard: Heard) -> None:
    told = heard(
        [
            named(0, "run", '{"input":"ls'),
            call(0, function={"arguments": ' -l"}'}),
            {"finish_reason": "tool_calls"},
        ],
        tools=[{"type": "custom", "name": "run"}],
    )

    (item,) = told[-1]["response"]["output"]
    assert ("custom_tool_call", "run", "ls -l") == (item["type"], item["name"], item["input"])
    assert kinds(told)[3:5] == ["custom_tool_call_input.delta", "custom_tool_call_input.done"]


def test_search_is_an_item_and_its_findings_are_notes(heard: Heard) -> None:
    told = heard(
        [{"content": "It is so [ref_1].", "web_search": FOUND}, {"finish_reason": "stop"}],
        tools=[{"type": "web_search"}],
        include=["web_search_call.action.sources"],
    )

    search, message = told[-1]["response"]["output"]
    assert search["action"]["sources"] == [
        {"type": "url", "url": "https://one.example"},
        {"type": "url", "url": "https://two.example"},
    ]
    first, second = message["content"][0]["annotations"]
    assert ("https://one.example", 9, 16) == (first["url"], first["start_index"], first["end_index"])
    assert "https://two.example" == second["url"]
    assert 2 == kinds(told).count("output_text.annotation.added")


@pytest.mark.parametrize(
    ("reason", "told_reason"),
    [("length", "max_output_tokens"), ("sensitive", "content_filter")],
)
def test_answer_that_was_cut_is_incomplete(heard: Heard, reason: str, told_reason: str) -> None:
    last = heard([{"content": "Hel"}, {"finish_reason": reason}])[-1]

    assert "response.incomplete" == last["type"]
    assert {"reason": told_reason} == last["response"]["incomplete_details"]
    assert "incomplete" == last["response"]["status"] == last["response"]["output"][0]["status"]


def test_refusal_is_told_as_one(heard: Heard) -> None:
    """A model that says something else where JSON was promised has refused."""
    schema = {"type": "json_schema", "name": "n", "schema": {"type": "object"}}
    told = heard([{"content": "I cannot."}, {"finish_reason": "stop"}], text={"format": schema})

    assert told[-1]["response"]["output"][0]["content"] == [{"type": "refusal", "refusal": "I cannot."}]
    assert "refusal.delta" in kinds(told)
    assert "refusal.done" in kinds(told)


def test_answer_of_nothing_is_an_empty_message(heard: Heard) -> None:
    (message,) = heard([{"content": ""}, {"finish_reason": "stop"}])[-1]["response"]["output"]

    assert "" == message["content"][0]["text"]


def test_failure_inside_a_stream_is_told_with_what_was_said_before(start: Start) -> None:
    job = start(stream=True)
    call = job.stream(0)
    out = call.feed([chunk({"content": "Hel"}), chunk({"finish_reason": "network_error"})])
    assert isinstance(call.failure, UpstreamFailed)

    told = events(out + job.fail(call.failure))

    last = told[-1]
    assert ("response.failed", "failed") == (last["type"], last["response"]["status"])
    assert "server_error" == last["response"]["error"]["code"]
    assert "Hel" == last["response"]["output"][0]["content"][0]["text"]
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    EVENT.validate_python(last)


def test_stream_that_begins_again_is_told_from_the_beginning(start: Start) -> None:
    """A call that failed before its first event is made again, and leaves no trace in the numbers."""
    job = start(stream=True)
    job.stream(0)

    told = events(stream(job, [{"content": "Yes"}, {"finish_reason": "stop"}]))

    assert 0 == told[0]["sequence_number"]
    assert 1 == len(told[-1]["response"]["output"])


texts = st.text(max_size=8)
pieces = st.one_of(
    st.builds(lambda text: {"content": text}, texts),
    st.builds(lambda text: {"reasoning_content": text}, texts),
    st.builds(lambda index, text: call(index, function={"arguments": text}), st.integers(0, 2), texts),
    st.builds(named, st.integers(0, 2), st.sampled_from(["look_up", "run", "far__away"])),
    st.just({"web_search": FOUND}),
)
TOOLS = [
    function(),
    {"type": "custom", "name": "run"},
    {"type": "namespace", "name": "far", "description": "Far.", "tools": [function("away")]},
    {"type": "web_search"},
]


@settings(deadline=None)
@given(
    deltas=st.lists(pieces, max_size=12),
    reason=st.sampled_from(["stop", "tool_calls", "length", "sensitive"]),
    summary=st.booleans(),
)
def test_any_stream_adds_up(
    start: Start,
    deltas: list[dict[str, Any]],
    reason: str,
    summary: bool,  # noqa: FBT001 - Hypothesis gives it
) -> None:
    """Whatever GLM's pieces: numbers rise by one, the SDK's types take each event, its own sums are the whole."""
    job = start(stream=True, tools=TOOLS, reasoning={"summary": "auto"} if summary else {})

    deltas = [*deltas, {"finish_reason": reason, "usage": USAGE}]
    out = stream(job, deltas)
    told = events(out)

    again = job.stream(0)
    assert out == b"".join(again.feed([payload]) for payload in [*map(chunk, deltas), b"[DONE]"]) + job.close()
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    state: ResponseStreamState[Any] = ResponseStreamState(input_tools=[], text_format=omit)
    for event in told:
        state.handle_event(EVENT.validate_python(event))
    final = told[-1]["response"]
    for item_kind in ("added", "done"):
        found = [event for event in told if event["type"] == f"response.output_item.{item_kind}"]
        assert sorted(event["output_index"] for event in found) == list(range(len(final["output"])))
    assert final["output"] == [
        event["item"] for event in sorted(done(told), key=lambda event: int(event["output_index"]))
    ]
    assert sums(told) == {
        (item["id"], name): text for item in final["output"] for name, text in texts_of(item) if text
    }


def done(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in told if event["type"] == "response.output_item.done"]


def sums(told: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """Add up the deltas, by item and by what they are of."""
    added: dict[tuple[str, str], str] = {}
    for event in told:
        if event["type"].endswith(".delta"):
            place = (event["item_id"], event["type"].split(".")[1])
            added[place] = added.get(place, "") + event["delta"]
    return {place: text for place, text in added.items() if text}


def texts_of(item: dict[str, Any]) -> list[tuple[str, str]]:
    """Give what an item says, by the names of the events that tell it."""
    match item["type"]:
        case "message":
            return [("output_text", "".join(part.get("text", "") for part in item["content"]))]
        case "reasoning":
            return [
                ("reasoning_text", "".join(part["text"] for part in item["content"])),
                ("reasoning_summary_text", "".join(part["text"] for part in item["summary"])),
            ]
        case "function_call":
            return [("function_call_arguments", item["arguments"])]
        case "custom_tool_call":
            return [("custom_tool_call_input", item["input"])]
        case _:
            return []


def test_whole_answer_has_the_same_items(start: Start) -> None:
    """Asked whole or streamed, a client gets the same items."""
    fields: dict[str, Any] = {"tools": [function()]}
    whole_call = {"id": "call_0", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    message = {"reasoning_content": "Hm", "content": "Yes", "tool_calls": [whole_call]}
    deltas = [
        {"reasoning_content": "Hm"},
        {"content": "Yes"},
        named(0, "look_up", "{}"),
        {"finish_reason": "tool_calls"},
    ]

    response = answered(start(**fields), whole(message, finish_reason="tool_calls"))

    streamed = events(stream(start(stream=True, **fields), deltas))[-1]["response"]
    assert streamed["output"] == response["output"]
    Response.model_validate(response)
