"""Shapes of answers, whole and streamed, in both years."""

from typing import Any

import msgspec
import pytest

from gateway.simulator.chat.voice import Segment
from gateway.simulator.chat.wire import Answer, Call, Stamp, chunks, whole
from gateway.simulator.platform import Wire

ANSWER = Answer(
    reasoning=["Hm", "."],
    text=["Hi", " there"],
    calls=[],
    finish_reason="stop",
    prompt_tokens=7,
    cached_tokens=0,
    completion_tokens=4,
    spoken=[],
    searches=[],
)
CALLS = [Call(name="f", arguments='{"a":1}'), Call(name="g", arguments="{}")]
FOUND = {"refer": "ref_1", "title": "t"}
USAGE_2025 = {
    "completion_tokens": 4,
    "prompt_tokens": 7,
    "prompt_tokens_details": {"cached_tokens": 0},
    "total_tokens": 11,
}
USAGE_2026 = USAGE_2025 | {"completion_tokens_details": {"reasoning_tokens": 2}}


def stamp(*, model: str = "glm-4.7", wire: Wire = "2026") -> Stamp:
    """Make the stamp of an answer."""
    ids = ["call_1", "call_2"]
    return Stamp(
        id="20260101",
        created=1,
        model=model,
        wire=wire,
        sound="pcm",
        call_ids=ids,
        audio_id="a",
        audio_expires_at=2,
    )


def changed(**fields: Any) -> Answer:
    """Give the usual answer with other fields."""
    return msgspec.structs.replace(ANSWER, **fields)


def deltas(answer: Answer, **how: Any) -> list[dict[str, Any]]:
    """Give the deltas of a stream, without its last chunk."""
    fragments = how.pop("fragments", False)
    return [chunk["choices"][0]["delta"] for chunk in chunks(answer, stamp=stamp(**how), fragments=fragments)][:-1]


def test_whole_answer_has_the_shape_of_2026() -> None:
    """Request id and id are the same, reasoning stands beside the content, reasoning tokens are counted apart."""
    assert whole(ANSWER, stamp=stamp()) == {
        "choices": [
            {
                "finish_reason": "stop",
                "index": 0,
                "message": {"content": "Hi there", "role": "assistant", "reasoning_content": "Hm."},
            }
        ],
        "created": 1,
        "id": "20260101",
        "model": "glm-4.7",
        "object": "chat.completion",
        "request_id": "20260101",
        "usage": USAGE_2026,
    }


def test_whole_answer_has_neither_object_nor_reasoning_tokens_in_2025() -> None:
    """Older servers left both out."""
    body = whole(ANSWER, stamp=stamp(wire="2025"))

    assert "object" not in body
    assert body["usage"] == USAGE_2025


def test_whole_answer_has_indexed_calls() -> None:
    """Calls carry an index even when they are not streamed."""
    message = whole(changed(calls=CALLS), stamp=stamp())["choices"][0]["message"]

    assert message["tool_calls"] == [
        {"function": {"arguments": '{"a":1}', "name": "f"}, "id": "call_1", "index": 0, "type": "function"},
        {"function": {"arguments": "{}", "name": "g"}, "id": "call_2", "index": 1, "type": "function"},
    ]


def test_stream_has_a_chunk_for_each_token_and_repeats_the_role() -> None:
    """All reasoning, then the content; the role is in every delta."""
    assert deltas(ANSWER) == [
        {"role": "assistant", "reasoning_content": "Hm"},
        {"role": "assistant", "reasoning_content": "."},
        {"role": "assistant", "content": "Hi"},
        {"role": "assistant", "content": " there"},
    ]


@pytest.mark.parametrize(
    ("wire", "extra"), [("2025", {}), ("2026", {"object": "chat.completion.chunk"})], ids=["2025", "2026"]
)
def test_finish_reason_is_absent_before_the_last_chunk(wire: Wire, extra: dict[str, Any]) -> None:
    """The key is not there until the end, where usage comes with it; there is no chunk after that."""
    first, *_, last = chunks(ANSWER, stamp=stamp(wire=wire), fragments=False)

    head = {"id": "20260101", "created": 1, "model": "glm-4.7"} | extra
    assert first == head | {"choices": [{"index": 0, "delta": {"role": "assistant", "reasoning_content": "Hm"}}]}
    assert last == head | {
        "choices": [{"index": 0, "finish_reason": "stop", "delta": {"role": "assistant", "content": ""}}],
        "usage": USAGE_2026 if wire == "2026" else USAGE_2025,
    }


def test_first_delta_has_both_texts_when_it_is_glm_4_5() -> None:
    """A habit of that model, as recorded."""
    first, second, *_ = deltas(ANSWER, model="glm-4.5")

    assert first == {"role": "assistant", "content": "", "reasoning_content": "Hm"}
    assert second == {"role": "assistant", "reasoning_content": "."}


def test_calls_come_whole_and_without_a_role() -> None:
    """One delta for each call, unless fragments are asked for."""
    assert deltas(changed(reasoning=[], text=[], calls=CALLS)) == [
        {
            "tool_calls": [
                {"function": {"arguments": '{"a":1}', "name": "f"}, "id": "call_1", "index": 0, "type": "function"}
            ]
        },
        {
            "tool_calls": [
                {"function": {"arguments": "{}", "name": "g"}, "id": "call_2", "index": 1, "type": "function"}
            ]
        },
    ]


def test_arguments_come_in_fragments_when_tool_stream_is_on() -> None:
    """Id and name are in the first fragment of a call, the rest is arguments by index."""
    parts = [
        delta["tool_calls"][0] for delta in deltas(changed(calls=CALLS, reasoning=[], text=[]), fragments=True)
    ]

    assert [part.get("id") for part in parts if part["index"] == 0] == ["call_1"] + [None] * (len(parts) - 3)
    assert "".join(part["function"]["arguments"] for part in parts if part["index"] == 0) == '{"a":1}'
    assert "".join(part["function"]["arguments"] for part in parts if part["index"] == 1) == "{}"


@pytest.mark.parametrize(("is_first", "place"), [(True, 0), (False, -1)], ids=["before", "after"])
def test_findings_come_in_the_first_or_the_last_chunk(is_first: bool, place: int) -> None:  # noqa: FBT001
    """Web results stand where result_sequence says."""
    stream = [*chunks(changed(searches=[FOUND], searches_first=is_first), stamp=stamp(), fragments=False)]

    assert stream[place]["web_search"] == [FOUND]
    assert sum("web_search" in chunk for chunk in stream) == 1


def test_sound_comes_with_its_text() -> None:
    """A spoken stream opens with the role; then each segment has text and audio of the same id."""
    spoken = [Segment("Hi", b"\x01\x00"), Segment(" there", b"\x02\x00")]
    answer = changed(reasoning=[], spoken=spoken)

    assert deltas(answer, model="glm-4-voice") == [
        {"role": "assistant", "content": ""},
        {"role": "assistant", "content": "Hi", "audio": {"id": "a", "data": "AQA=", "expires_at": 2}},
        {"role": "assistant", "content": " there", "audio": {"id": "a", "data": "AgA=", "expires_at": 2}},
    ]
    message = whole(answer, stamp=stamp())["choices"][0]["message"]
    assert message["audio"] == {"id": "a", "data": "AQACAA==", "expires_at": 2}
