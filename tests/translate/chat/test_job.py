"""A chat completion as a job: its calls, its one chance to mend, its result."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.errors import ContentFiltered, InvalidOutput
from gateway.translate.chat.job import ChatJob

Start = Callable[..., ChatJob]
Said = Callable[..., bytes]

TOOLS = [{"type": "function", "function": {"name": "f"}}]
CALL = {"id": "call_1", "index": 0, "type": "function", "function": {"name": "f", "arguments": "{}"}}
POINT = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "point", "schema": POINT}}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def result(job: ChatJob) -> dict[str, Any]:
    completion: dict[str, Any] = msgspec.json.decode(job.result())
    return completion


def test_result_has_everything_the_spec_requires(start: Start, said: Said) -> None:
    """The identity is ours, the model is the one that served."""
    job = start(model="gpt-4o")
    assert job.receive(0, said({"content": "Hi"}, usage=USAGE)) is None

    completion = result(job)
    usage = completion.pop("usage")

    assert completion == {
        "id": "chatcmpl-0123456789abcdef",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": "glm-4.7",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi", "refusal": None},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
    }
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (3, 2, 5)


@pytest.mark.parametrize(
    ("promised", "preamble", "content"),
    [
        (SCHEMA, 'I call f with {"city": "Oslo"}.', None),
        (SCHEMA, "I call f, for {city}.", None),
        (SCHEMA, "I call f.", None),
        (SCHEMA, 'So far: {"x": 1}', '{"x": 1}'),
        ({"type": "json_object"}, "I call f.", None),
        ({"type": "json_object"}, 'So far: {"x": 1}', '{"x": 1}'),
    ],
)
def test_preamble_of_a_call_is_told_only_where_it_is_the_json_that_was_promised(
    start: Start,
    said: Said,
    promised: dict[str, Any],
    preamble: str,
    content: str | None,
) -> None:
    """The official SDKs parse whatever content there is, also beside calls."""
    job = start(response_format=promised, tools=TOOLS)

    assert job.receive(0, said({"content": preamble, "tool_calls": [CALL]}, finish_reason="tool_calls")) is None

    message = result(job)["choices"][0]["message"]
    assert (message["content"], len(message["tool_calls"])) == (content, 1)


def test_choices_are_in_order_and_tokens_added_up_when_there_are_several(start: Start, said: Said) -> None:
    """Each choice is a call of its own, and all of them are paid for."""
    job = start(n=3)
    for index in (2, 0, 1):
        job.receive(index, said({"content": str(index)}, usage=USAGE))

    completion = result(job)

    assert len(job.calls) == 3
    assert [(one["index"], one["message"]["content"]) for one in completion["choices"]] == [
        (0, "0"),
        (1, "1"),
        (2, "2"),
    ]
    assert completion["usage"]["total_tokens"] == 15


def test_streams_of_several_choices_share_one_identity_and_one_usage(start: Start) -> None:
    """One id, one index each, one usage at the very end."""
    job = start(n=2, stream=True, stream_options={"include_usage": True})
    chunk = msgspec.json.encode(
        {"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}], "usage": USAGE}
    )
    out = b"".join(job.stream(index).feed([chunk, b"[DONE]"]) for index in (0, 1)) + job.close()

    *chunks, last = [msgspec.json.decode(line[6:]) for line in out.split(b"\n\n")[:-2]]

    assert {one["id"] for one in [*chunks, last]} == {"chatcmpl-0123456789abcdef"}
    assert [one["choices"][0]["index"] for one in chunks] == [0, 0, 1, 1]
    assert (last["choices"], last["usage"]["total_tokens"]) == ([], 10)


def test_error_inside_a_success_is_raised(start: Start) -> None:
    """HTTP 200 with an error is an error."""
    with pytest.raises(ContentFiltered):
        start().receive(0, b'{"error":{"code":"1301","message":"m"}}')


# --- Structured output ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ['{"x":1}', '```json\n{"x":1}\n```', 'Sure!\n{"x":1}\nAnything else?'],
    ids=["bare", "fenced", "chatty"],
)
def test_json_is_all_that_is_told_when_a_schema_was_asked_for(start: Start, said: Said, text: str) -> None:
    """``.parse()`` loads the content as it is."""
    job = start(response_format=SCHEMA)

    assert job.receive(0, said({"content": text})) is None
    assert result(job)["choices"][0]["message"]["content"] == '{"x":1}'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param('{"x": 1}', '{"x": 1}', id="bare"),
        pytest.param('```json\n{"x":1}\n```', '{"x":1}', id="fenced"),
        pytest.param('```\n[{"x":1},{"x":2}]\n```', '[{"x":1},{"x":2}]', id="an array"),
        pytest.param('Sure: {"x":"```"}\n', '{"x":"```"}', id="chatty"),
        pytest.param("I cannot { do\nthat. ", "I cannot { do\nthat. ", id="words"),
        pytest.param("Not that: {", "Not that: {", id="words that end in a bracket"),
    ],
)
def test_json_is_all_that_is_told_in_json_mode(start: Start, said: Said, text: str, told: str) -> None:
    """Clients load the content as it is, and GLM fences it; words instead are told whole."""
    job = start(response_format={"type": "json_object"})

    assert job.receive(0, said({"content": text})) is None
    assert result(job)["choices"][0]["message"]["content"] == told


def test_wrong_json_is_asked_for_again_once(start: Start, said: Said) -> None:
    """The model sees its answer and what is wrong with it; both calls are paid for."""
    job = start(response_format=SCHEMA, request_id="mine-0001")

    again = job.receive(0, said({"content": '{"x":"1"}'}, usage=USAGE))
    assert again is not None
    body = msgspec.json.decode(again.body)
    wrong, demand = body["messages"][-2:]

    assert wrong == {"role": "assistant", "content": '{"x":"1"}'}
    assert demand["role"] == "user"
    assert "/properties/x/type" in demand["content"]
    assert "request_id" not in body
    assert job.receive(0, said({"content": '{"x":1}'}, usage=USAGE)) is None
    assert result(job)["choices"][0]["message"]["content"] == '{"x":1}'
    assert result(job)["usage"]["total_tokens"] == 10


def test_wrong_json_is_an_error_when_it_stays_wrong(start: Start, said: Said) -> None:
    """Invalid JSON is never told as a good answer; ``x-should-retry`` is false."""
    job = start(response_format=SCHEMA)
    assert job.receive(0, said({"content": '{"x":"1"}'})) is not None

    with pytest.raises(InvalidOutput) as failure:
        job.receive(0, said({"content": '{"x":"1"}'}))

    assert failure.value.should_retry is False


def test_words_instead_of_json_are_a_refusal_when_they_stay(start: Start, said: Said) -> None:
    """SDKs give ``.refusal`` and no parsed object."""
    job = start(response_format=SCHEMA)
    job.receive(0, said({"content": "I cannot."}))
    assert job.receive(0, said({"content": "I really cannot."})) is None

    message = result(job)["choices"][0]["message"]

    assert (message["content"], message["refusal"]) == (None, "I really cannot.")


def test_empty_answer_is_not_repeated_to_the_model(start: Start, said: Said) -> None:
    """GLM refuses empty messages."""
    again = start(response_format=SCHEMA).receive(0, said({"content": ""}))

    assert again is not None
    assert [turn["role"] for turn in msgspec.json.decode(again.body)["messages"]] == ["system", "user", "user"]


@pytest.mark.parametrize(
    ("reason", "word"), [("length", "length"), ("sensitive", "content_filter")], ids=["length", "sensitive"]
)
def test_json_that_is_cut_short_is_not_asked_for_again(start: Start, said: Said, reason: str, word: str) -> None:
    """SDKs raise their own error for these, and a second try would end alike."""
    job = start(response_format=SCHEMA)

    assert job.receive(0, said({"content": '{"x":'}, finish_reason=reason)) is None
    assert result(job)["choices"][0]["finish_reason"] == word


def test_words_before_a_call_are_left_out_when_a_schema_was_asked_for(start: Start, said: Said) -> None:
    """``.parse()`` would try to load them."""
    job = start(response_format=SCHEMA, tools=TOOLS)

    assert job.receive(0, said({"content": "Let me see.", "tool_calls": [CALL]})) is None
    assert result(job)["choices"][0]["message"]["content"] is None


# --- Required calls ---------------------------------------------------------------------------------


def test_missing_call_is_asked_for_again_once(start: Start, said: Said) -> None:
    """``tool_choice: required`` is a promise that GLM does not keep by itself."""
    job = start(tools=TOOLS, tool_choice="required")

    again = job.receive(0, said({"content": "Hello"}))
    assert again is not None
    assert "Call one now" in msgspec.json.decode(again.body)["messages"][-1]["content"]
    assert job.receive(0, said({"content": "", "tool_calls": [CALL]})) is None
    assert result(job)["choices"][0]["finish_reason"] == "tool_calls"


def test_missing_call_is_an_error_when_it_stays_missing(start: Start, said: Said) -> None:
    """A caller that counts on a call is told that there is none."""
    job = start(tools=TOOLS, tool_choice="required")
    job.receive(0, said({"content": "Hello"}))

    with pytest.raises(InvalidOutput):
        job.receive(0, said({"content": "Hello"}))


CHOICES = [
    pytest.param({"type": "function", "function": {"name": "f"}}, id="named"),
    pytest.param(
        {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]},
        },
        id="allowed",
    ),
]
WRONG = {"id": "call_0", "index": 0, "type": "function", "function": {"name": "g", "arguments": "{}"}}
BOTH = [*TOOLS, {"type": "function", "function": {"name": "g"}}]


@pytest.mark.parametrize("choice", CHOICES)
def test_call_of_another_function_is_no_answer_to_a_choice(start: Start, said: Said, choice: Any) -> None:
    """GLM is not held to the name, so the caller must not have to check it."""
    job = start(tools=BOTH, tool_choice=choice)
    wrong = said({"content": "", "tool_calls": [WRONG]}, finish_reason="tool_calls")

    again = job.receive(0, wrong)
    assert again is not None
    assert "a function that you were not given" in msgspec.json.decode(again.body)["messages"][-1]["content"]
    with pytest.raises(InvalidOutput):
        job.receive(0, wrong)


@pytest.mark.parametrize("choice", CHOICES)
def test_call_of_another_function_is_left_out_beside_the_chosen_one(start: Start, said: Said, choice: Any) -> None:
    """The caller gets what it asked for, and nothing it cannot use."""
    job = start(tools=BOTH, tool_choice=choice)

    assert job.receive(0, said({"content": "", "tool_calls": [WRONG, {**CALL, "index": 1}]})) is None
    (choice,) = result(job)["choices"]
    assert [call["function"]["name"] for call in choice["message"]["tool_calls"]] == ["f"]


def test_call_of_any_function_passes_when_none_was_chosen(start: Start, said: Said) -> None:
    """Agents mend a name that does not exist by themselves."""
    job = start(tools=TOOLS)

    assert job.receive(0, said({"content": "", "tool_calls": [WRONG]})) is None
    assert result(job)["choices"][0]["finish_reason"] == "tool_calls"


def test_each_choice_has_its_own_chance(start: Start, said: Said) -> None:
    """One choice that was mended leaves the other its chance."""
    job = start(tools=TOOLS, tool_choice="required", n=2)

    assert job.receive(0, said({"content": "Hello"})) is not None
    assert job.receive(1, said({"content": "Hello"})) is not None


# --- What is left behind ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ({"content": "", "reasoning_content": "because", "tool_calls": [CALL]}, {"call_1": "because"}),
        ({"content": "", "tool_calls": [CALL]}, {}),
        ({"content": "x", "reasoning_content": "because"}, {}),
    ],
    ids=["reasoned call", "no reasoning", "no call"],
)
def test_reasoning_is_left_behind_for_its_calls(
    start: Start, said: Said, message: dict[str, Any], left: dict[str, str]
) -> None:
    """The next request may ask for it by the call's id."""
    job = start(tools=TOOLS)
    job.receive(0, said(message))

    assert left == job.leave
