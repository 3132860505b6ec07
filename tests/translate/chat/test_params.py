"""Every parameter of a chat completion has its fate, and meets it."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.errors import InvalidRequest
from gateway.translate.chat.job import ChatJob
from gateway.translate.chat.params import CHAT
from gateway.translate.strays import anywhere

Sent = Callable[..., dict[str, Any]]
Start = Callable[..., ChatJob]

BARE = {"model": "glm-4.7", "messages": [{"role": "user", "content": "Hello"}]}
QUESTION = {"role": "user", "content": "Hello"}
FUNCTION = {"type": "function", "function": {"name": "f"}}
VOICE = {"model": "glm-4-voice", "modalities": ["text", "audio"]}
OFFERED = {
    "type": "function",
    "function": {"name": "f", "description": "", "parameters": {"type": "object", "properties": {}}},
}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"temperature": 0.7}, {"temperature": 0.7}, id="temperature in range"),
        pytest.param({"temperature": 1}, {"temperature": 1.0}, id="temperature at the edge"),
        pytest.param({"temperature": 1.9}, {"temperature": 1.0}, id="temperature clamped"),
        pytest.param({"temperature": 0.12345}, {"temperature": 0.12}, id="temperature rounded"),
        pytest.param({"temperature": 0.001}, {"temperature": 0.01}, id="temperature next to zero"),
        pytest.param({"temperature": 0}, {"do_sample": False}, id="temperature zero is greedy"),
        pytest.param(
            {"temperature": 0, "do_sample": True}, {"do_sample": True, "temperature": 0.01}, id="sampling wins"
        ),
        pytest.param({"do_sample": False}, {"do_sample": False}, id="greedy by Zhipu's own name"),
        pytest.param({"top_p": 0}, {"top_p": 0.01}, id="top_p zero"),
        pytest.param({"top_p": 1}, {"top_p": 1.0}, id="top_p at the edge"),
        pytest.param({"top_p": 0.876}, {"top_p": 0.88}, id="top_p rounded"),
        pytest.param({"max_tokens": 10}, {"max_tokens": 10}, id="max_tokens"),
        pytest.param({"max_completion_tokens": 10}, {"max_tokens": 10}, id="max_completion_tokens"),
        pytest.param({"max_tokens": 9, "max_completion_tokens": 10}, {"max_tokens": 10}, id="the newer name wins"),
        pytest.param({"max_tokens": 10**15}, {"max_tokens": 131_072}, id="max_tokens clamped"),
        pytest.param({"model": "glm-4v-flash", "max_tokens": 4096}, {"max_tokens": 1024}, id="clamped by model"),
        pytest.param({"stop": "END"}, {"stop": ["END"]}, id="stop word"),
        pytest.param({"stop": ["END"]}, {"stop": ["END"]}, id="stop list"),
        pytest.param({"stop": ["END", "END"]}, {"stop": ["END"]}, id="the same stop word twice"),
        pytest.param({"stop": []}, {}, id="no stop words"),
        pytest.param({"user": "somebody"}, {"user_id": "somebody"}, id="user"),
        pytest.param({"user": "bob"}, {"user_id": "user-bob"}, id="user too short"),
        pytest.param({"user": ""}, {}, id="no user"),
        pytest.param(
            {"safety_identifier": "hashed", "user": "somebody"}, {"user_id": "hashed"}, id="safety id wins"
        ),
        pytest.param({"user_id": "zhipus", "user": "somebody"}, {"user_id": "zhipus"}, id="Zhipu's own id wins"),
        pytest.param({"stream": False}, {"stream": False}, id="stream off"),
        pytest.param(
            {"stream": True, "stream_options": {"include_usage": True}}, {"stream": True}, id="options stay"
        ),
        pytest.param({"request_id": "mine-0001"}, {"request_id": "mine-0001"}, id="request id"),
        pytest.param({"modalities": ["text"]}, {}, id="text only"),
        pytest.param({"response_format": {"type": "text"}}, {}, id="text format"),
        pytest.param(
            {"response_format": {"type": "json_object"}},
            {"response_format": {"type": "json_object"}},
            id="JSON mode",
        ),
        pytest.param({"tools": [FUNCTION]}, {"tools": [OFFERED]}, id="tools, whole answer"),
        pytest.param(
            {"tools": [FUNCTION], "stream": True},
            {"tools": [OFFERED], "stream": True, "tool_stream": True},
            id="arguments are streamed with the answer",
        ),
        pytest.param(
            {"tools": [FUNCTION], "stream": True, "tool_stream": False},
            {"tools": [OFFERED], "stream": True, "tool_stream": False},
            id="unless the caller says no",
        ),
        pytest.param(
            {"tools": [FUNCTION], "stream": True, "model": "glm-4.5"},
            {"tools": [OFFERED], "stream": True},
            id="or the model cannot",
        ),
        pytest.param(
            {"web_search_options": {}},
            {
                "tools": [
                    {
                        "type": "web_search",
                        "web_search": {
                            "search_engine": "search_std",
                            "enable": True,
                            "search_result": True,
                            "content_size": "medium",
                        },
                    }
                ]
            },
            id="web search",
        ),
        pytest.param(
            {"model": "glm-4-voice", "watermark_enabled": True}, {"watermark_enabled": True}, id="watermark"
        ),
    ],
)
def test_field_is_sent_as_glm_takes_it(sent: Sent, fields: dict[str, Any], expected: dict[str, Any]) -> None:
    """What is sent is the bare request and what the fields become, and nothing else."""
    model = {"model": fields["model"]} if "model" in fields else {}

    assert BARE | model | expected == sent(**fields)


def test_user_of_any_length_is_within_zhipus_bounds(sent: Sent) -> None:
    """A long id is hashed: the same one to the same, another to another."""
    first, again, other = (sent(user=name * 200)["user_id"] for name in ("a", "a", "b"))

    assert first == again != other
    assert 6 <= len(first) <= 128


@pytest.mark.parametrize(
    ("fields", "ignored"),
    [
        ({"seed": 1}, ["seed"]),
        ({"frequency_penalty": 0.5, "presence_penalty": 0}, ["frequency_penalty"]),
        ({"logit_bias": {}, "metadata": {}, "store": False, "service_tier": "auto"}, []),
        ({"logit_bias": {"1": 2}, "store": True, "service_tier": "flex"}, ["logit_bias", "store", "service_tier"]),
        (
            {"prompt_cache_key": "k", "prediction": {}, "verbosity": "low"},
            ["prompt_cache_key", "prediction", "verbosity"],
        ),
        ({"chat_template_kwargs": {}, "top_k": None}, ["chat_template_kwargs"]),
        ({"seed": None}, []),
        ({"model": "glm-4-flash-250414", "reasoning_effort": "high"}, ["reasoning_effort"]),
        ({"tool_stream": True}, ["tool_stream"]),
        ({"tools": [FUNCTION], "tool_stream": True, "stream": True, "model": "glm-4.5"}, ["tool_stream"]),
        ({"watermark_enabled": True}, ["watermark_enabled"]),
        ({"modalities": ["text"], "audio": {"voice": "alloy"}}, ["audio"]),
        (VOICE | {"audio": {"voice": "alloy", "format": "mp3"}}, ["audio.voice"]),
        (VOICE | {"audio": {"voice": {"id": "voice_1"}}}, ["audio.voice"]),
        (VOICE | {"audio": {"format": "mp3"}}, []),
        ({"web_search_options": {"user_location": {"type": "approximate"}}}, ["web_search_options.user_location"]),
    ],
    ids=str,
)
def test_field_without_effect_is_listed(start: Start, fields: dict[str, Any], ignored: list[str]) -> None:
    """What only nudges the answer passes, and the caller learns that it had no effect."""
    assert ignored == [*start(**fields).ignored]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"audio": {"voice": "alloy", "format": "wav"}}, "audio"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}, "modalities"),
        (VOICE | {"modalities": ["video"]}, "modalities"),
        (VOICE | {"stream": True, "audio": {"voice": "alloy", "format": "mp3"}}, "audio.format"),
        (VOICE | {"audio": {"voice": "alloy", "format": "ogg"}}, "audio.format"),
        (VOICE | {"audio": {"voice": 3}}, "audio.voice"),
        (VOICE | {"response_format": {"type": "json_object"}}, "response_format"),
        ({"stop": ["a", "b"]}, "stop"),
        ({"stop": ""}, "stop"),
        ({"n": 9}, "n"),
        ({"n": 0}, "n"),
        ({"temperature": 2.1}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"request_id": "short"}, "request_id"),
        ({"user_id": "short"}, "user_id"),
        ({"model": "glm-4.6v", "web_search_options": {}}, "web_search_options"),
        ({"messages": []}, "messages"),
    ],
    ids=str,
)
def test_field_is_refused_when_glm_cannot_do_it(sent: Sent, fields: dict[str, Any], param: str) -> None:
    """What would change the answer's shape or meaning is a 400 that names the field."""
    with pytest.raises(InvalidRequest) as refusal:
        sent(**fields)

    assert param == refusal.value.param


def test_unknown_field_is_refused_when_the_tenant_is_strict(sent: Sent) -> None:
    """A strict tenant's typing errors are heard of; null is no field."""
    assert sent(strict=True, brand_new=None) == BARE
    with pytest.raises(InvalidRequest, match="brand_new"):
        sent(strict=True, brand_new=1)


CACHED = {"type": "text", "text": "Hello", "prompt_cache_breakpoint": {"mode": "explicit"}}

INSIDE = [
    pytest.param({"messages": [QUESTION, QUESTION | {"odd": 1}]}, "messages[1].odd", id="message"),
    pytest.param(
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hello", "cache_control": {}}]}]},
        "messages[0].content[0].cache_control",
        id="part",
    ),
    pytest.param({"tools": [FUNCTION | {"odd": 1}]}, "tools[0].odd", id="tool"),
    pytest.param(
        {"tools": [{"type": "function", "function": {"name": "f", "odd": 1}}]},
        "tools[0].function.odd",
        id="function",
    ),
    pytest.param({"stream_options": {"odd": 1}}, "stream_options.odd", id="option"),
]


@pytest.mark.parametrize(("fields", "path"), INSIDE)
def test_unknown_field_is_named_by_its_path_when_it_is_inside(
    start: Start, fields: dict[str, Any], path: str
) -> None:
    """Nothing that a caller says is dropped in silence; a strict tenant's is refused."""
    assert [anywhere(path)] == start(**fields).ignored
    with pytest.raises(InvalidRequest) as refusal:
        start(strict=True, **fields)

    assert (path, "unknown_parameter") == (refusal.value.param, refusal.value.code)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"messages": [QUESTION | {"name": "ann"}] * 2}, ["messages[].name"]),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "strict": True}}]},
            ["tools[].function.strict"],
        ),
        ({"tools": [{"type": "function", "function": {"name": "f", "strict": False}}]}, []),
        ({"functions": [{"name": "f", "strict": True}]}, ["functions[].strict"]),
        ({"messages": [QUESTION, {"role": "assistant", "content": "Hi", "annotations": []}, QUESTION]}, []),
        (
            {"messages": [{"role": role, "content": [CACHED]} for role in ("system", "user")]},
            ["messages[].content[].prompt_cache_breakpoint"],
        ),
    ],
    ids=["name", "strict", "not strict", "strict in the old form", "an answer sent back", "end of a cached part"],
)
def test_known_field_inside_is_named_when_it_has_no_effect(
    start: Start, fields: dict[str, Any], named: list[str]
) -> None:
    """It is OpenAI's own, so that a strict tenant may send it too."""
    assert named == start(**fields).ignored == start(strict=True, **fields).ignored


def test_null_is_the_same_as_nothing(sent: Sent) -> None:
    """Every optional field may be null."""
    assert sent(**{name: None for name in CHAT if name not in ("model", "messages")}) == BARE


def test_request_id_goes_with_the_first_call_only(start: Start) -> None:
    """GLM takes an id only once (1231)."""
    first, second = (msgspec.json.decode(call.body) for call in start(n=2, request_id="mine-0001").calls)

    assert first == second | {"request_id": "mine-0001"}
    assert "request_id" not in second
