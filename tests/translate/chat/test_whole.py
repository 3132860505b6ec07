"""One whole answer of GLM's as one of OpenAI's choices."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.errors import GatewayError, UpstreamFailed, UpstreamProtocolError
from gateway.glm.chat import ChatAnswer
from gateway.translate.chat.plan import Plan, Promise
from gateway.translate.chat.whole import Whole

Said = Callable[..., bytes]

PLAN = Plan(id="chatcmpl-0123456789abcdef", created=1, model="m")
LEGACY = Plan(id="chatcmpl-0123456789abcdef", created=1, model="m", promise=Promise(single=True, legacy=True))
MARKED = Plan(id="chatcmpl-0123456789abcdef", created=1, model="m", inline_markers=True)
CALL = {"id": "call_1", "index": 0, "type": "function", "function": {"name": "f", "arguments": "{}"}}
BARE = {"function": {"name": "f", "arguments": {"a": 1}}, "index": 0}


def choice(body: bytes, plan: Plan = PLAN, index: int = 0) -> Any:
    told = msgspec.json.decode(body, type=ChatAnswer)
    return msgspec.to_builtins(Whole(told, plan=plan, index=index).choice())


@pytest.mark.parametrize(
    ("message", "plan", "expected"),
    [
        pytest.param({"content": "a"}, PLAN, {"content": "a"}, id="text"),
        pytest.param({"content": ""}, PLAN, {"content": ""}, id="no text"),
        pytest.param({"content": None}, PLAN, {"content": ""}, id="null"),
        pytest.param({"content": [{"type": "text", "text": "a"}]}, PLAN, {"content": "a"}, id="parts"),
        pytest.param(
            {"content": "a", "reasoning_content": "r"},
            PLAN,
            {"content": "a", "reasoning_content": "r"},
            id="reasoning",
        ),
        pytest.param(
            {"content": "", "tool_calls": [CALL]},
            PLAN,
            {
                "content": None,
                "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
            id="call",
        ),
        pytest.param(
            {"content": "Let me see.", "tool_calls": [BARE, BARE]},
            PLAN,
            {
                "content": "Let me see.",
                "tool_calls": [
                    {
                        "id": f"call_456789abcdef_0_{position}",
                        "type": "function",
                        "function": {"name": "f", "arguments": '{"a":1}'},
                    }
                    for position in (0, 1)
                ],
            },
            id="calls without ids, all of index 0, with objects",
        ),
        pytest.param(
            {"content": "a", "tool_calls": [{"type": "mcp", "mcp": {"name": "x"}}]},
            PLAN,
            {"content": "a"},
            id="mcp",
        ),
        pytest.param(
            {"content": "", "tool_calls": [CALL, CALL | {"index": 1}]},
            LEGACY,
            {"content": None, "function_call": {"name": "f", "arguments": "{}"}},
            id="deprecated form",
        ),
        pytest.param(
            {"content": "<think>why</think><|begin_of_box|>42<|end_of_box|>", "reasoning_content": "First: "},
            MARKED,
            {"content": "42", "reasoning_content": "First: why"},
            id="markers",
        ),
    ],
)
def test_message_is_told_as_openais(
    said: Said, message: dict[str, Any], plan: Plan, expected: dict[str, Any]
) -> None:
    """Required keys are there, as null where there is nothing; optional ones only with a value."""
    assert choice(said(message), plan)["message"] == {"role": "assistant", "refusal": None} | expected


def test_choice_has_its_index_and_reason(said: Said) -> None:
    """With several choices each call is one of them."""
    told = choice(said({"content": "", "tool_calls": [CALL]}, finish_reason="stop"), index=3)

    assert (told["index"], told["finish_reason"], told["logprobs"]) == (3, "tool_calls", None)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"choices":[]}', UpstreamProtocolError),
        (b'{"choices":[{}]}', UpstreamProtocolError),
        (b"{}", UpstreamProtocolError),
        (b'{"choices":[{"message":{"content":"a"},"finish_reason":"network_error"}]}', UpstreamFailed),
    ],
    ids=["no choices", "no message", "nothing", "network_error"],
)
def test_answer_without_a_message_is_an_error(body: bytes, error: type[GatewayError]) -> None:
    """An answer that says nothing is never told as a good one."""
    with pytest.raises(error):
        choice(body)
