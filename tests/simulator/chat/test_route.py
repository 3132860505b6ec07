"""Chat completions over the wire: room for tokens, stop words, thinking, moderation, habits of models."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gateway.simulator import Running
from gateway.simulator.tokens import count

Ask = Callable[..., httpx.Response]
Start = Callable[..., Running]
Connect = Callable[..., httpx.Client]

QUIET = {"type": "disabled"}
COUNT = [{"role": "user", "content": "Count from 1 to 20"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
QUESTION = [{"role": "user", "content": "What's the weather in Paris and Oslo?"}]


def streamed(answer: httpx.Response) -> list[Any]:
    """Read the chunks of a stream that ended well."""
    assert answer.status_code == 200, answer.text
    *events, done, rest = answer.text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in events]


def test_answer_is_json_when_it_is_not_streamed(ask: Ask) -> None:
    """The whole answer in one body."""
    answer = ask(thinking=QUIET)

    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    assert answer.json()["choices"][0] == {
        "finish_reason": "stop",
        "index": 0,
        "message": {"content": "hello world", "role": "assistant"},
    }


def test_stream_says_the_same_as_the_whole_answer(ask: Ask) -> None:
    """Text, reasoning, usage and end agree, one chunk a token and one for the end."""
    whole = ask().json()
    answer = ask(stream=True)
    chunks = streamed(answer)

    assert answer.headers["content-type"] == "text/event-stream;charset=UTF-8"
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    message = whole["choices"][0]["message"]
    assert "".join(delta.get("content", "") for delta in deltas) == message["content"]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == message["reasoning_content"]
    assert chunks[-1]["usage"] == whole["usage"]
    assert len(chunks) == whole["usage"]["completion_tokens"] + 1
    assert {chunk["id"] for chunk in chunks} == {chunks[0]["id"]}
    assert all("request_id" not in chunk for chunk in chunks)


@pytest.mark.parametrize("stream_options", [None, {"include_usage": False}, {"include_usage": True}])
def test_usage_is_in_the_finish_chunk_whatever_is_asked(ask: Ask, stream_options: Any) -> None:
    """stream_options has no effect."""
    chunks = streamed(ask(stream=True, stream_options=stream_options))

    assert ["usage" in chunk for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert all(len(chunk["choices"]) == 1 for chunk in chunks)


@pytest.mark.parametrize(
    ("model", "thinking", "fields"),
    [
        ("glm-4.7", True, {}),
        ("glm-4.7", True, {"thinking": {"type": "enabled"}}),
        ("glm-4.7", False, {"thinking": QUIET}),
        ("glm-4.7", True, {"reasoning_effort": "none"}),
        ("glm-5.2", False, {"reasoning_effort": "none"}),
        ("glm-5.2", True, {"reasoning_effort": "low"}),
        ("glm-5.3", True, {}),
        ("glm-4-flash-250414", False, {}),
        ("glm-4.1v-thinking-flash", True, {}),
    ],
)
def test_model_thinks_unless_it_cannot_or_must_not(ask: Ask, model: str, thinking: bool, fields: Any) -> None:  # noqa: FBT001
    """Thinking is on by default, off where it is switched off or unknown; its tokens are counted."""
    body = ask(model=model, **fields).json()

    assert ("reasoning_content" in body["choices"][0]["message"]) == thinking
    assert (body["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0) == thinking


def test_answer_ends_before_the_stop_word(ask: Ask) -> None:
    """The word itself is not in the output, and the end is a normal one."""
    choice = ask(messages=COUNT, stop=["5"]).json()["choices"][0]

    assert choice["message"]["content"] == "1 2 3 4 "
    assert choice["finish_reason"] == "stop"


def test_answer_is_cut_when_max_tokens_are_used_up(ask: Ask) -> None:
    """The text is as long as allowed, and the end says so."""
    body = ask(messages=COUNT, max_tokens=4, thinking=QUIET).json()

    assert body["choices"][0]["message"]["content"] == "1 2 3 4"
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 4


def test_nothing_is_said_when_thinking_uses_up_max_tokens(ask: Ask) -> None:
    """Reasoning counts: a small limit leaves an empty answer."""
    body = ask(messages=COUNT, max_tokens=4).json()

    message = body["choices"][0]["message"]
    assert (message["content"], count(message["reasoning_content"])) == ("", 4)
    assert body["choices"][0]["finish_reason"] == "length"


def test_answer_ends_normally_when_it_just_fits(ask: Ask) -> None:
    """Exactly enough room is enough."""
    used = ask().json()["usage"]["completion_tokens"]

    assert ask(max_tokens=used).json()["choices"][0]["finish_reason"] == "stop"
    assert ask(max_tokens=used - 1).json()["choices"][0]["finish_reason"] == "length"


def test_calls_are_parallel_and_named_by_a_number_when_whole(ask: Ask) -> None:
    """Two calls in one answer, each with an index and a signed number for an id."""
    choice = ask(messages=QUESTION, tools=[WEATHER]).json()["choices"][0]

    calls = choice["message"]["tool_calls"]
    assert choice["finish_reason"] == "tool_calls"
    assert [json.loads(call["function"]["arguments"]) for call in calls] == [{"city": "Paris"}, {"city": "Oslo"}]
    assert [call["index"] for call in calls] == [0, 1]
    assert all(call["id"].startswith("call_-") for call in calls)


@pytest.mark.parametrize(("tool_stream", "pieces"), [(False, 2), (True, 18)])
def test_calls_stream_whole_or_in_fragments(ask: Ask, tool_stream: bool, pieces: int) -> None:  # noqa: FBT001
    """Without tool_stream the arguments of a call come at once."""
    chunks = streamed(ask(messages=QUESTION, tools=[WEATHER], stream=True, tool_stream=tool_stream))

    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    parts = [delta["tool_calls"][0] for delta in deltas if "tool_calls" in delta]
    assert len(parts) == pieces
    assert [len(part["id"]) for part in parts if "id" in part] == [len("call_") + 24] * 2
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_arguments_are_cut_when_max_tokens_are_used_up(ask: Ask) -> None:
    """A call that does not fit is broken JSON, as from a real model."""
    choice = ask(messages=QUESTION, tools=[WEATHER], thinking=QUIET, max_tokens=4).json()["choices"][0]

    (call,) = choice["message"]["tool_calls"]
    assert choice["finish_reason"] == "length"
    assert call["function"]["arguments"] == '{"city"'


def test_schema_is_ignored_when_response_format_is_json_schema(ask: Ask) -> None:
    """The platform answers 200, in plain text."""
    answer = ask(response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": {}}})

    assert answer.json()["choices"][0]["message"]["content"] == "hello world"


@pytest.mark.parametrize(
    ("messages", "role"),
    [
        pytest.param([{"role": "user", "content": "SIMULATE_SENSITIVE"}], "user", id="last turn"),
        pytest.param(
            [{"role": "user", "content": "SIMULATE_SENSITIVE"}, {"role": "user", "content": "go on"}],
            "history",
            id="earlier turn",
        ),
    ],
)
def test_request_is_refused_when_moderation_finds_something(ask: Ask, messages: Any, role: str) -> None:
    """Code 1301 says which part of the conversation it was, before anything is streamed."""
    answer = ask(messages=messages, stream=True)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "1301"
    assert answer.json()["contentFilter"] == [{"role": role, "level": 1}]


def test_request_is_refused_when_the_prompt_is_longer_than_the_context(ask: Ask) -> None:
    """Code 1261, and a message without a number."""
    long = [{"role": "user", "content": "word " * 9000}]

    answer = ask(model="glm-4-airx", messages=long)

    assert (answer.status_code, answer.json()["error"]) == (400, {"code": "1261", "message": "Prompt 超长"})
    assert ask(model="glm-4.7", messages=long).status_code == 200


def test_earlier_turns_are_cached_when_the_conversation_is_long(ask: Ask) -> None:
    """Cached tokens show in the usage of long conversations only."""
    short, long = (
        [{"role": "system", "content": "word " * words}, {"role": "user", "content": "hello"}]
        for words in (400, 600)
    )

    cached = [
        ask(messages=messages).json()["usage"]["prompt_tokens_details"]["cached_tokens"]
        for messages in (short, long)
    ]

    assert cached == [0, 576]


@pytest.mark.parametrize(
    ("model", "content"),
    [
        ("glm-4.7", "hello world"),
        ("glm-4.5", "\nhello world"),
        ("glm-4.5-air", "\nhello world"),
        ("glm-4.5v", "\n<|begin_of_box|>hello world<|end_of_box|>"),
        ("glm-4.1v-thinking-flashx", "\n<|begin_of_box|>hello world<|end_of_box|>"),
    ],
)
def test_text_is_dressed_as_the_model_is_known_to_do(ask: Ask, model: str, content: str) -> None:
    """A newline first, boxes around: habits of the 4.5 family."""
    assert ask(model=model).json()["choices"][0]["message"]["content"] == content


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_voice_model_speaks(ask: Ask, stream: bool) -> None:  # noqa: FBT001
    """glm-4-voice sends text and sound, whole or in segments."""
    answer = ask(model="glm-4-voice", stream=stream)

    if stream:
        parts = [chunk["choices"][0]["delta"] for chunk in streamed(answer)]
    else:
        parts = [answer.json()["choices"][0]["message"]]
    assert "".join(part["content"] for part in parts) == "hello world"
    sounds = [part["audio"] for part in parts if "audio" in part]
    assert [len(sound["id"]) for sound in sounds] == [36]
    assert sounds[0]["data"].startswith("UklGR")  # RIFF


def test_findings_come_with_the_answer_when_the_search_shows_them(ask: Ask) -> None:
    """The built-in web search adds its results and marks the text."""
    search = {"enable": True, "search_engine": "search_pro", "search_result": True, "count": 1}

    body = ask(tools=[{"type": "web_search", "web_search": search}]).json()

    assert body["choices"][0]["message"]["content"].endswith("[ref_1]")
    assert [finding["refer"] for finding in body["web_search"]] == ["ref_1"]


def test_shape_is_that_of_2025_when_it_is_asked_for(start: Start, connect: Connect) -> None:
    """No object, no reasoning tokens."""
    request = {"model": "glm-4.7", "messages": COUNT}
    body = connect(start(wire="2025")).post("/chat/completions", json=request).json()

    assert "object" not in body
    assert "completion_tokens_details" not in body["usage"]


def test_ids_are_dates_and_digits(start: Start, connect: Connect) -> None:
    """Thirty characters: Beijing's time to the second, then hex digits."""
    zhipu = start(clock=lambda: 1_800_000_000.0, ids=lambda digits: "f" * digits)

    body = connect(zhipu).post("/chat/completions", json={"model": "glm-4.7", "messages": COUNT}).json()

    assert body["id"] == "20270115160000" + "f" * 16
    assert body["created"] == 1_800_000_000


def weather_of(parameters: dict[str, Any]) -> dict[str, Any]:
    function = {"name": "get_weather", "description": "Get the weather", "parameters": parameters}
    return {"type": "function", "function": function}


def deep_schema(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}, "required": ["a"]}
    return schema


@pytest.mark.parametrize("levels", [60, 450])
def test_parameters_that_nobody_would_follow_are_refused(ask: Ask, levels: int) -> None:
    """Two levels of JSON to each."""
    answer = ask(messages=QUESTION, tools=[weather_of(deep_schema(levels))])

    assert (400, "1210") == (answer.status_code, answer.json()["error"]["code"])


def test_parameters_of_ten_levels_are_filled(ask: Ask) -> None:
    """As deep as OpenAI takes them."""
    answer = ask(messages=QUESTION, tools=[weather_of(deep_schema(10))])

    (call, *_) = answer.json()["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]).keys() == {"a"}


@pytest.mark.parametrize("levels", [60, 450, 5000])
def test_schema_in_words_that_nobody_would_follow_is_none(ask: Ask, levels: int) -> None:
    text = '{"type": "object", "properties": {"a": ' * levels + "{}" + "}}" * levels

    answer = ask(
        messages=[{"role": "system", "content": f"Keep to {text}"}, *QUESTION],
        response_format={"type": "json_object"},
    )

    assert answer.status_code == 200, answer.text
