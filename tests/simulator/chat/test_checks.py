"""What fields a chat request may have, and with which code others are refused."""

from typing import Any

import pytest

from gateway.simulator.chat.checks import check_chat
from gateway.simulator.models import CHAT_MODELS
from gateway.simulator.refusals import Refusal

HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}]}
SEARCH = {"type": "web_search", "web_search": {"search_engine": "search_std"}}
FUNCTION = {"type": "function", "function": {"name": "f", "description": "", "parameters": {"type": "object"}}}


def refused(model: str, **fields: Any) -> str | None:
    """Tell the code a request is refused with; None when it is taken."""
    try:
        check_chat({"model": model} | HELLO | fields, model=CHAT_MODELS[model])
    except Refusal as refusal:
        return refusal.code.code
    return None


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("stream", [True, False, None]),
        ("do_sample", [True]),
        ("temperature", [0, 0.0, 0.01, 0.7, 1, 1.0]),
        ("top_p", [0.01, 0.95, 1]),
        ("max_tokens", [1, 131072]),
        ("stop", [[], ["END"]]),
        ("request_id", ["123456", "x" * 64]),
        ("user_id", ["123456", "x" * 128]),
        ("thinking", [{"type": "enabled"}, {"type": "disabled"}, {"clear_thinking": False}, {}]),
        ("reasoning_effort", ["low", "anything"]),
        (
            "response_format",
            [{"type": "text"}, {"type": "json_object"}, {"type": "json_schema", "json_schema": {}}],
        ),
        ("tools", [[], [FUNCTION], [FUNCTION] * 128]),
        ("tool_choice", ["auto", {"type": "function", "function": {"name": "f"}}]),
        ("tool_stream", [True]),
        ("stream_options", [{"include_usage": True}]),
        ("sensitive_word_check", [{"type": "ALL", "status": "DISABLE"}]),
    ],
)
def test_field_is_taken_when_it_is_in_range(field: str, values: list[Any]) -> None:
    """What the documentation allows, or traffic shows to pass, is taken by glm-4.7."""
    assert [refused("glm-4.7", **{field: value}) for value in values] == [None] * len(values)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("messages", None, "1213"),
        ("stream", "true", "1214"),
        ("do_sample", 1, "1214"),
        ("temperature", -0.1, "1214"),
        ("temperature", 1.01, "1214"),
        ("temperature", 2, "1214"),
        ("temperature", 0.123, "1214"),
        ("temperature", "0.5", "1214"),
        ("temperature", True, "1214"),
        ("top_p", 0, "1214"),
        ("top_p", 0.005, "1214"),
        ("top_p", 0.955, "1214"),
        ("top_p", 1.5, "1214"),
        ("max_tokens", 0, "1210"),
        ("max_tokens", 131073, "1210"),
        ("max_tokens", 10.5, "1214"),
        ("stop", "END", "1214"),
        ("stop", [1], "1214"),
        ("stop", [""], "1214"),
        ("stop", ["a", "b"], "1210"),
        ("request_id", "12345", "1214"),
        ("request_id", "x" * 65, "1214"),
        ("user_id", "12345", "1214"),
        ("user_id", "x" * 129, "1214"),
        ("thinking", "enabled", "1214"),
        ("thinking", {"type": "auto"}, "1214"),
        ("thinking", {"type": "enabled", "budget_tokens": 10}, "1214"),
        ("thinking", {"clear_thinking": 1}, "1214"),
        ("reasoning_effort", 3, "1214"),
        ("response_format", "json_object", "1214"),
        ("response_format", {"type": "xml"}, "1214"),
        ("tool_choice", "none", "1210"),
        ("tool_choice", "required", "1210"),
        ("tool_stream", "yes", "1214"),
        ("watermark_enabled", True, "1210"),
    ],
)
def test_field_is_refused_when_it_is_out_of_range(field: str, value: Any, code: str) -> None:
    """Each range is enforced by glm-4.7, with the platform's code."""
    assert refused("glm-4.7", **{field: value}) == code


@pytest.mark.parametrize(
    "field",
    [
        "n",
        "seed",
        "logprobs",
        "top_logprobs",
        "logit_bias",
        "presence_penalty",
        "frequency_penalty",
        "parallel_tool_calls",
        "service_tier",
        "store",
        "metadata",
        "modalities",
        "audio",
        "prediction",
        "max_completion_tokens",
        "user",
        "functions",
        "verbosity",
        "web_search_options",
    ],
)
@pytest.mark.parametrize("value", [1, None], ids=["value", "null"])
def test_field_of_openai_is_refused_by_name(field: str, value: Any) -> None:
    """What only OpenAI has is refused, even as null, and the message names it."""
    with pytest.raises(Refusal) as refusal:
        check_chat({"model": "glm-4.7", field: value} | HELLO, model=CHAT_MODELS["glm-4.7"])

    assert refusal.value.code.code == "1210"
    assert field in refusal.value.subjects[0]


@pytest.mark.parametrize(
    ("model", "field", "value", "code"),
    [
        ("glm-4.5", "max_tokens", 98304, None),
        ("glm-4.5", "max_tokens", 98305, "1210"),
        ("glm-4v-flash", "max_tokens", 1024, None),
        ("glm-4v-flash", "max_tokens", 1025, "1210"),
        ("glm-4-voice", "max_tokens", 4096, None),
        ("glm-4-voice", "max_tokens", 4097, "1210"),
        ("glm-5.3", "thinking", {"type": "enabled"}, None),
        ("glm-5.3", "thinking", {"type": "disabled"}, "1210"),
        ("glm-5.3-flash", "thinking", {"type": "disabled"}, "1210"),
        ("glm-4-flash-250414", "thinking", {"type": "enabled"}, "1210"),
        ("glm-4v-flash", "thinking", {"type": "enabled"}, "1210"),
        ("glm-5.2", "reasoning_effort", "minimal", None),
        ("glm-5.2", "reasoning_effort", "extreme", "1210"),
        ("glm-5.3", "reasoning_effort", "max", None),
        ("glm-5.3", "reasoning_effort", "medium", "1210"),
        ("glm-4.6v", "reasoning_effort", "low", "1210"),
        ("glm-4.6v", "response_format", {"type": "json_object"}, "1210"),
        ("glm-5.3-flash", "response_format", {"type": "json_object"}, None),
        ("glm-5.3-flash", "reasoning_effort", "high", None),
        ("glm-5.3-flash", "reasoning_effort", "minimal", "1210"),
        ("glm-4.1v-thinking-flash", "thinking", {"type": "enabled"}, "1210"),
        ("glm-5.3", "tool_stream", True, "1210"),
        ("glm-4-voice", "response_format", {"type": "text"}, "1210"),
        ("glm-4.6v", "tools", [FUNCTION], None),
        ("glm-4.6v-flash", "tools", [FUNCTION], None),
        ("glm-5v-turbo", "tools", [FUNCTION], None),
        ("glm-4.6v", "tools", [SEARCH], "1210"),
        ("glm-4.5v", "tools", [FUNCTION], "1210"),
        ("glm-4-voice", "tools", [FUNCTION], "1210"),
        ("glm-4.6v", "tool_choice", "auto", None),
        ("glm-4.6v", "tool_choice", {"type": "function", "function": {"name": "f"}}, "1210"),
        ("glm-4.5v", "tool_choice", "auto", "1210"),
        ("glm-4.6", "tool_stream", True, None),
        ("glm-4.5", "tool_stream", True, "1210"),
        ("glm-4.6v", "tool_stream", True, "1210"),
        ("glm-4-voice", "watermark_enabled", True, None),
        ("glm-4.6v", "watermark_enabled", True, "1210"),
    ],
)
def test_field_depends_on_the_model(model: str, field: str, value: Any, code: str | None) -> None:
    """Ranges and fields differ by model, as documented."""
    assert refused(model, **{field: value}) == code


def test_message_says_the_range_when_max_tokens_is_beyond_it() -> None:
    """The refusal tells what would be right, as the platform's does."""
    with pytest.raises(Refusal, match="131072"):
        check_chat({"model": "glm-4.7", "max_tokens": 200000} | HELLO, model=CHAT_MODELS["glm-4.7"])
