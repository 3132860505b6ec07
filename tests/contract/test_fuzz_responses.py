"""Whatever is asked of responses, and whatever GLM says to it, nobody sees a mistake of ours."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.openai.responses.requests import CreateResponse
from gateway.translate.responses.kinds import ITEMS
from tests.contract.fuzzing import WELL, answers, check, either, encode, fields, saying, text, values
from tests.running import Gateway

ROUTES = ["/v1/responses", "/v1/responses/input_tokens"]
ROLES = ["user", "assistant", "system", "developer"]
TOOL_KINDS = ["function", "custom", "namespace", "web_search", "mcp", "retrieval", "file_search", "computer"]

part = st.one_of(
    fields({"type": either(st.sampled_from(["input_text", "output_text"])), "text": either(text)}),
    fields({"type": st.just("refusal"), "refusal": either(text)}),
    fields({"type": st.just("input_image")}, {"image_url": either(text), "file_id": either(text)}),
    fields({"type": st.just("input_file")}, {"file_data": either(text), "file_url": either(text)}),
    fields({"type": st.just("input_audio"), "input_audio": values}),
)
item = st.one_of(
    fields({"role": either(st.sampled_from(ROLES)), "content": either(text, st.lists(part, max_size=3))}),
    fields({"type": st.just("function_call"), "call_id": text, "name": st.just("f"), "arguments": either(text)}),
    fields({"type": st.just("custom_tool_call"), "call_id": text, "name": st.just("f"), "input": either(text)}),
    fields({"type": st.just("function_call_output"), "call_id": text, "output": either(text, st.lists(part))}),
    fields(
        {"type": st.just("reasoning"), "summary": either(st.just([]))},
        {"encrypted_content": either(text), "content": values},
    ),
    fields({"type": st.just("item_reference"), "id": either(text, st.just("msg_0_0"))}),
    fields({"type": either(st.sampled_from([*ITEMS]), text)}, {"id": values, "role": values, "content": values}),
)
tool = st.recursive(
    fields(
        {"type": either(st.sampled_from(TOOL_KINDS)), "name": either(st.just("f"), st.just("g"))},
        {"description": either(text), "parameters": values, "format": values, "mcp": values, "filters": values},
    ),
    lambda inner: fields(
        {"type": st.just("namespace"), "name": st.just("n"), "tools": st.lists(inner, max_size=2)}
    ),
    max_leaves=3,
)
choice = st.one_of(
    st.sampled_from(["auto", "none", "required"]),
    fields({"type": st.sampled_from([*TOOL_KINDS, "allowed_tools"])}, {"name": either(text), "tools": values}),
)
requests = st.builds(
    lambda sound, odd: sound | odd,
    fields(
        {"model": st.just("glm-4.7"), "input": either(text, st.lists(item, max_size=4))},
        {
            "instructions": either(text),
            "stream": either(st.booleans()),
            "store": either(st.booleans()),
            "previous_response_id": either(text, st.just("resp_0"), st.just("resp_0:alive")),
            "tools": either(st.lists(tool, max_size=2)),
            "tool_choice": either(choice),
            "include": either(st.lists(st.just("reasoning.encrypted_content"))),
            "reasoning": either(fields({}, {"effort": either(text), "summary": st.just("auto")})),
            "text": either(fields({"format": values})),
        },
    ),
    st.integers(0, 3).flatmap(
        lambda dice: (
            st.just({})
            if dice
            else st.dictionaries(
                st.sampled_from([*CreateResponse.__struct_fields__, "unknown"]), values, max_size=1
            )
        )
    ),
)


@pytest.fixture(scope="module")
def gateway() -> Gateway:
    return Gateway(transport=WELL)


@pytest.mark.parametrize("path", ROUTES)
@given(body=st.binary(max_size=200) | values.map(encode))
@settings(max_examples=60, deadline=None)
def test_bodies_are_answered(runner: asyncio.Runner, gateway: Gateway, body: bytes, *, path: str) -> None:
    assert 400 == check(runner, gateway, body, path=path)


@given(request=requests)
@settings(max_examples=250, deadline=None)
def test_requests_are_answered(runner: asyncio.Runner, gateway: Gateway, request: dict[str, Any]) -> None:
    """Nothing that a caller can say is our mistake. What is made in the background is left out here."""
    status = check(runner, gateway, encode(request | {"background": False}), path=ROUTES[0])

    # A promise that no answer keeps is the one case in which the model, which here always says the same, fails.
    assert status < 500 or (status == 502 and ("text" in request or "tool_choice" in request))


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@given(answer=answers)
@settings(max_examples=60, deadline=None)
def test_answers_are_understood_or_refused(
    runner: asyncio.Runner, gateway: Gateway, answer: bytes, *, stream: bool, path: str
) -> None:
    """GLM may say anything at all, too."""
    with saying(gateway, answer):
        check(runner, gateway, encode({"model": "glm-4.7", "stream": stream, "input": "x"}), path=path)
