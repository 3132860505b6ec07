"""Whatever is sent, by callers or by GLM, nobody sees a mistake of ours."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.openai.chat.requests import CreateChatCompletionRequest
from tests.contract.fuzzing import WELL, answers, check, either, encode, fields, saying, text, values
from tests.running import Gateway

FIELDS = sorted(CreateChatCompletionRequest.__struct_fields__)
CHAT = "/v1/chat/completions"
KINDS = ["object", "string", "integer", "array", "nothing"]
MODELS = ["glm-4.7", "glm-4.5v", "glm-4.5-flash", "gpt-4o", "glm-4-voice", "embedding-3"]

call = fields(
    {
        "id": either(text),
        "type": either(st.just("function")),
        "function": fields({"name": either(st.just("f")), "arguments": either(st.just("{}"), text)}),
    }
)
part = st.one_of(
    fields({"type": st.just("text"), "text": either(text)}),
    fields({"type": st.just("image_url"), "image_url": either(fields({"url": either(text)}))}),
    fields({"type": either(st.sampled_from(["file", "input_audio", "refusal", "video_url"])), "text": values}),
)
message = st.one_of(
    fields({"role": either(st.sampled_from(["system", "developer", "user"])), "content": either(text)}),
    fields({"role": st.just("user"), "content": either(st.lists(part, max_size=3))}, {"name": either(text)}),
    fields({"role": st.just("assistant"), "content": either(text)}, {"reasoning_content": either(text)}),
    fields({"role": st.just("assistant"), "tool_calls": either(st.lists(call, max_size=2))}),
    fields({"role": st.just("tool"), "content": either(text), "tool_call_id": either(text)}),
)
schema = fields(
    {"type": either(st.sampled_from(KINDS))},
    {"properties": either(st.dictionaries(text, values, max_size=2)), "$ref": values, "pattern": either(text)},
)
tool = fields(
    {"type": st.just("function"), "function": fields({"name": either(st.just("f"))}, {"parameters": schema})}
)
answer_format = st.one_of(
    fields({"type": either(st.sampled_from(["text", "json_object"]))}),
    fields(
        {"type": st.just("json_schema"), "json_schema": fields({"name": either(text), "schema": either(schema)})}
    ),
)
requests = st.builds(
    lambda sound, odd: sound | odd,
    fields(
        {"model": either(st.sampled_from(MODELS)), "messages": either(st.lists(message, min_size=1, max_size=4))},
        {
            "temperature": either(st.floats(0, 2)),
            "top_p": either(st.floats(0, 1)),
            "max_tokens": either(st.integers(1, 4096)),
            "stop": either(text, st.lists(text, max_size=4)),
            "n": either(st.integers(1, 3)),
            "stream": either(st.booleans()),
            "stream_options": either(fields({"include_usage": either(st.booleans())})),
            "reasoning_effort": either(st.sampled_from(["none", "low", "high"])),
            "tools": either(st.lists(tool, max_size=2)),
            "tool_choice": either(st.sampled_from(["auto", "none", "required"])),
            "response_format": either(answer_format),
        },
    ),
    st.integers(0, 3).flatmap(
        lambda dice: (
            st.just({}) if dice else st.dictionaries(st.sampled_from([*FIELDS, "unknown"]), values, max_size=1)
        )
    ),
)


@pytest.fixture(scope="module")
def gateway() -> Gateway:
    return Gateway(transport=WELL)


@given(body=st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_bytes_are_answered(runner: asyncio.Runner, gateway: Gateway, body: bytes) -> None:
    assert 400 == check(runner, gateway, body, path=CHAT)


@given(body=values)
@settings(max_examples=100, deadline=None)
def test_json_is_answered(runner: asyncio.Runner, gateway: Gateway, body: Any) -> None:
    assert 400 == check(runner, gateway, encode(body), path=CHAT)


@given(request=requests)
@settings(max_examples=250, deadline=None)
def test_requests_are_answered(runner: asyncio.Runner, gateway: Gateway, request: dict[str, Any]) -> None:
    """Nothing a caller can say about a chat completion is our mistake."""
    status = check(runner, gateway, encode(request), path=CHAT)

    # A schema that no answer keeps is the one case in which the model, which here always says the same, fails.
    assert status < 500 or (status == 502 and ("response_format" in request or "tool_choice" in request))


def test_depth_is_answered(runner: asyncio.Runner, gateway: Gateway) -> None:
    """JSON that is nested deeper than any stack."""
    for opening in (b"[", b'{"a":', b'{"model":"glm-4.7","messages":[{"role":"user","content":'):
        assert 400 == check(runner, gateway, opening * 100_000, path=CHAT)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@given(answer=answers)
@settings(max_examples=100, deadline=None)
def test_answers_are_understood_or_refused(
    runner: asyncio.Runner, gateway: Gateway, answer: bytes, *, stream: bool
) -> None:
    """GLM may say anything at all, too."""
    request = {"model": "glm-4.7", "stream": stream, "messages": [{"role": "user", "content": "x"}]}

    with saying(gateway, answer):
        check(runner, gateway, encode(request), path=CHAT)
