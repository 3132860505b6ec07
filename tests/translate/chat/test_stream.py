"""Streams: every rule that official clients break on, chunk by chunk."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.errors import InvalidOutput, UpstreamFailed, UpstreamProtocolError, UpstreamRateLimited
from gateway.translate.chat.job import ChatJob

Heard = Callable[..., tuple[ChatJob, list[dict[str, Any]]]]
Start = Callable[..., ChatJob]

pytestmark = pytest.mark.usefixtures("first_look")

ROLE = {"role": "assistant"}
STOP = {"role": "assistant", "content": "", "finish_reason": "stop"}
TOOLS = [{"type": "function", "function": {"name": "f"}}]
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
JSON_MODE = {"type": "json_object"}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object", "required": ["x"]}}}


def call(index: int, name: str, arguments: str) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"index": index, "id": f"call_{index}", "type": "function", "function": function}]}


def deltas(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]


def test_chunk_is_rebuilt_whole(heard: Heard) -> None:
    """Every key that the spec requires is in every chunk, and nothing of GLM's own."""
    _, (first, last) = heard([{"content": "Hi", **ROLE}, {"content": "", "finish_reason": "stop"}])

    head = {
        "id": "chatcmpl-0123456789abcdef",
        "object": "chat.completion.chunk",
        "created": 1_760_000_000,
        "model": "glm-4.7",
    }
    choice = {"index": 0, "finish_reason": None, "logprobs": None}
    assert first == head | {"choices": [choice | {"delta": {"role": "assistant", "content": "Hi"}}]}
    assert last == head | {"choices": [choice | {"delta": {}, "finish_reason": "stop"}]}


def test_role_comes_once_when_glm_repeats_it(heard: Heard) -> None:
    """Clients concatenate: a second role makes "assistantassistant"."""
    _, chunks = heard([{"content": word, **ROLE} for word in "abc"] + [STOP])

    assert ["role" in delta for delta in deltas(chunks)] == [True, False, False, False]


def test_finish_reason_is_null_until_the_end_and_comes_once(heard: Heard) -> None:
    """GLM leaves the key out; typed clients need it."""
    _, chunks = heard([{"content": "a"}, {"content": "b", "finish_reason": "stop"}, {"content": "late"}, STOP])

    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, "stop"]
    assert "".join(delta.get("content", "") for delta in deltas(chunks)) == "ab"


@pytest.mark.parametrize("unsaid", [None, ""], ids=["null", "empty"])
def test_answer_goes_on_after_a_finish_reason_that_says_nothing(heard: Heard, unsaid: str | None) -> None:
    """GLM leaves the key out, its own samples have null, and some servers write an empty word."""
    _, chunks = heard([{"content": one, "finish_reason": unsaid} for one in "abc"] + [dict(STOP)])

    assert "".join(delta.get("content", "") for delta in deltas(chunks)) == "abc"
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, None, "stop"]


FINISH_WITH_USAGE = {"choices": [{"delta": {"content": ""}, "finish_reason": "stop"}], "usage": USAGE}


@pytest.mark.parametrize(
    "end",
    [
        pytest.param([FINISH_WITH_USAGE], id="in the finish chunk"),
        pytest.param([STOP, {"choices": [], "usage": USAGE}], id="in a chunk of its own"),
        pytest.param([FINISH_WITH_USAGE, FINISH_WITH_USAGE], id="twice"),
    ],
)
def test_usage_is_in_the_last_chunk_alone_when_asked_for(heard: Heard, end: list[dict[str, Any]]) -> None:
    """Clients add up every usage they see, so there is exactly one, in a chunk without choices."""
    _, chunks = heard([{"content": "a"}, *map(dict, end)], stream_options={"include_usage": True})

    assert [chunk["usage"] for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] == 5


def test_usage_is_absent_but_known_when_not_asked_for(heard: Heard) -> None:
    """The caller gets no usage and no extra chunk; the record has it all the same."""
    job, chunks = heard([{"content": "a"}, FINISH_WITH_USAGE])

    assert all("usage" not in chunk and chunk["choices"] for chunk in chunks)
    assert job.usage is not None
    assert job.usage.total_tokens == 5


@pytest.mark.parametrize(
    ("chunk", "expected"),
    [
        pytest.param({"content": "a"}, {"role": "assistant", "content": "a"}, id="content"),
        pytest.param({"reasoning_content": "r"}, {"role": "assistant", "reasoning_content": "r"}, id="reasoning"),
        pytest.param(
            {"content": "", "reasoning_content": "r"},
            {"role": "assistant", "reasoning_content": "r"},
            id="both, one empty",
        ),
        pytest.param(
            {"content": "a", "reasoning_content": "r"},
            {"role": "assistant", "content": "a", "reasoning_content": "r"},
            id="both",
        ),
        pytest.param(ROLE, {"role": "assistant", "content": ""}, id="only the role"),
        pytest.param({"content": None}, {"role": "assistant", "content": ""}, id="null"),
        pytest.param(
            {"content": [{"type": "text", "text": "a"}]}, {"role": "assistant", "content": "a"}, id="parts"
        ),
    ],
)
def test_first_delta_has_the_role_and_what_there_is(
    heard: Heard, chunk: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Keys are absent rather than empty, but for the opening one."""
    _, chunks = heard([dict(chunk), dict(STOP)])

    assert deltas(chunks)[0] == expected


def test_empty_deltas_in_between_are_left_out(heard: Heard) -> None:
    """A chunk that says nothing is not sent."""
    _, chunks = heard([{"content": "a"}, {"content": ""}, ROLE, {"choices": []}, {"choices": [{}]}, dict(STOP)])

    assert [*map(dict, deltas(chunks))] == [{"role": "assistant", "content": "a"}, {}]


def test_calls_come_one_to_a_chunk_after_the_role(heard: Heard) -> None:
    """Some clients read only the first call of a chunk."""
    both = {"tool_calls": call(0, "f", "{}")["tool_calls"] + call(1, "g", "{}")["tool_calls"]}

    _, chunks = heard([both, {"finish_reason": "tool_calls"}], tools=TOOLS)
    first, second, last = deltas(chunks)

    assert (first["role"], first["tool_calls"][0]["index"], "role" in second) == ("assistant", 0, False)
    assert [len(delta["tool_calls"]) for delta in (first, second)] == [1, 1]
    assert last == {}
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_call_without_arguments_is_kept(heard: Heard) -> None:
    """A function of no arguments is called with an empty object."""
    _, chunks = heard([call(0, "f", ""), {"finish_reason": "tool_calls"}], tools=TOOLS)

    fragments = [delta["tool_calls"][0]["function"]["arguments"] for delta in deltas(chunks)[:-1]]
    assert "".join(fragments) == "{}"


def test_finish_reason_is_that_of_calls_when_glm_says_stop(heard: Heard) -> None:
    """Agents stop when calls were made and the word is another."""
    _, chunks = heard([call(0, "f", "{}"), dict(STOP)], tools=TOOLS)

    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_deprecated_form_ends_in_kind(heard: Heard) -> None:
    """Callers of ``functions`` wait for ``function_call``."""
    _, chunks = heard([call(0, "f", '{"a":1}'), {"finish_reason": "tool_calls"}], functions=[{"name": "f"}])

    assert deltas(chunks)[0]["function_call"] == {"name": "f", "arguments": '{"a":1}'}
    assert chunks[-1]["choices"][0]["finish_reason"] == "function_call"


def test_stream_ends_well_when_done_comes_without_a_finish_reason(heard: Heard) -> None:
    """``[DONE]`` is GLM's word that it said everything; clients still need a reason."""
    _, chunks = heard([{"content": "a"}])
    _, empty = heard([])

    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert deltas(empty) == [{"role": "assistant", "content": ""}, {}]


@pytest.mark.parametrize("told", [b'{"code":500,"msg":"m","success":false}', b'{"choices":[]}', b"{}"])
def test_what_is_no_answer_does_not_end_well(heard: Heard, told: bytes) -> None:
    """Some errors come inside a success, and not all of them as documented."""
    with pytest.raises(UpstreamProtocolError):
        heard([told])


def test_whole_answer_is_told_as_a_stream(heard: Heard) -> None:
    """A server that answers a stream's request at once is understood."""
    _, chunks = heard([{"choices": [{"message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}]}])

    assert deltas(chunks) == [{"role": "assistant", "content": "a"}, {}]


def test_reasoning_is_left_behind_for_its_calls(heard: Heard) -> None:
    """The next request may ask for it by the call's id."""
    job, _ = heard(
        [{"reasoning_content": "be"}, {"reasoning_content": "cause"}, call(0, "f", "{}"), dict(STOP)], tools=TOOLS
    )

    assert job.leave == {"call_0": "because"}


def test_markers_are_taken_out_of_a_vision_models_stream(heard: Heard) -> None:
    """Also when the network cuts a marker in two, and when the stream ends in what may be one."""
    said = ["<thi", "nk>why</thi", "nk>It is <|begin_of", "_box|>42<|end_of_box|> <"]

    _, chunks = heard([{"content": one} for one in said] + [dict(STOP)], model="glm-4.5v")

    assert "".join(delta.get("content", "") for delta in deltas(chunks)) == "It is 42 <"
    assert "".join(delta.get("reasoning_content", "") for delta in deltas(chunks)) == "why"


# --- Promises ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("promised", [SCHEMA, JSON_MODE], ids=["schema", "json mode"])
def test_fences_never_leave_when_json_was_asked_for(heard: Heard, promised: dict[str, Any]) -> None:
    """Clients parse the JSON as it grows, so nothing else may come first."""
    said = ["```", "json\n", '{"x"', ":1}", "\n`", "``"]

    _, chunks = heard([{"content": one} for one in said] + [dict(STOP)], response_format=promised)

    assert "".join(delta.get("content", "") for delta in deltas(chunks)) == '{"x":1}'


@pytest.mark.parametrize(("called", "told"), [([], "I cannot. "), ([call(0, "f", "{}")], "")])
def test_words_instead_of_json_are_told_at_the_end_in_json_mode(
    heard: Heard, called: list[dict[str, Any]], told: str
) -> None:
    """Nothing else was said; beside a call they are but what was said on the way to it."""
    said = [{"content": "I can"}, {"content": "not. "}, *called, dict(STOP)]

    _, chunks = heard(said, response_format=JSON_MODE, tools=TOOLS)

    assert "".join(delta.get("content", "") for delta in deltas(chunks)) == told


def test_refusal_is_told_as_one(heard: Heard) -> None:
    """A model that answers in words instead of JSON refuses."""
    _, chunks = heard([{"content": "I can"}, {"content": "not."}, dict(STOP)], response_format=SCHEMA)

    assert [delta.get("refusal") for delta in deltas(chunks)] == [None, "I cannot.", None]


@pytest.mark.parametrize("said", ['{"y":1}', '{"x":1', ""], ids=["invalid", "broken", "empty"])
def test_wrong_json_ends_in_an_error(heard: Heard, said: str) -> None:
    """It has been said already; what can be done is not to call it a good answer."""
    with pytest.raises(InvalidOutput):
        heard([{"content": said}, dict(STOP)], response_format=SCHEMA)


def test_json_that_is_cut_short_says_so(heard: Heard) -> None:
    """``length`` tells SDKs not to parse."""
    _, chunks = heard([{"content": '{"x"', "finish_reason": "length"}], response_format=SCHEMA)

    assert chunks[-1]["choices"][0]["finish_reason"] == "length"


def test_missing_call_ends_in_an_error_when_one_was_required(heard: Heard) -> None:
    """A required call that does not come is no good answer."""
    with pytest.raises(InvalidOutput):
        heard([{"content": "text"}, dict(STOP)], tools=TOOLS, tool_choice="required")


def test_call_of_another_function_ends_in_an_error_when_one_was_named(start: Start) -> None:
    """Nothing of the wrong call reaches a caller that chose another."""
    wrong = {"id": "1", "index": 0, "type": "function", "function": {"name": "g", "arguments": "{}"}}
    delta = msgspec.json.encode({"choices": [{"delta": {"tool_calls": [wrong]}, "finish_reason": "tool_calls"}]})
    choice = {"type": "function", "function": {"name": "f"}}
    telling = start(stream=True, tools=TOOLS, tool_choice=choice).stream(0)

    assert b"tool_calls" not in telling.feed([delta, b"[DONE]"])
    assert isinstance(telling.failure, InvalidOutput)


# --- Failures ---------------------------------------------------------------------------------------


def test_error_inside_the_stream_comes_after_what_was_said(start: Start) -> None:
    """What was said reaches the caller; nothing after the error does."""
    telling = start(stream=True).stream(0)
    said = msgspec.json.encode({"choices": [{"delta": {"content": "a"}}]})

    out = telling.feed([said, b'{"error":{"code":"1302","message":"m"}}', said])

    assert out.count(b'"content":"a"') == 1
    assert isinstance(telling.failure, UpstreamRateLimited)
    assert telling.feed([said, b"[DONE]"]) == b""
    assert not telling.done


def test_nothing_is_said_of_an_answer_that_fails_at_once(start: Start) -> None:
    """A delta comes with the reason; to tell it would spend the HTTP status, which SDKs ask again by."""
    telling = start(stream=True).stream(0)
    failed = {"choices": [{"delta": {"role": "assistant", "content": ""}, "finish_reason": "network_error"}]}

    assert telling.feed([msgspec.json.encode(failed), b"[DONE]"]) == b""
    assert isinstance(telling.failure, UpstreamFailed)


@pytest.mark.parametrize("payload", [b"nope", b"[]", b'{"choices":[3]}', b"\xff"])
def test_unreadable_chunk_is_glms_fault(start: Start, payload: bytes) -> None:
    """Nothing that cannot be read is passed over in silence."""
    telling = start(stream=True).stream(0)

    assert telling.feed([payload]) == b""
    assert isinstance(telling.failure, UpstreamProtocolError)


def test_nothing_is_read_after_done(start: Start) -> None:
    """Text after ``[DONE]`` is no part of the answer."""
    telling = start(stream=True).stream(0)
    telling.feed([b"[DONE]"])

    assert telling.feed([b"nope"]) == b""
    assert telling.failure is None
    assert telling.finish() == b""
