"""
What a chat request may hold: every field, its range, and the code it is refused with.

Source: docs.bigmodel.cn, chat completion reference (OpenAPI of 2026-07); where that is silent or says two things,
the stricter reading, and what callers report. A field that is not listed is refused, but for those that recorded
traffic shows to be accepted without effect.
"""

from collections.abc import Mapping
from typing import Any

from gateway.simulator.chat.messages import check_messages
from gateway.simulator.chat.tools import check_tool_choice, check_tools
from gateway.simulator.fields import Check, Fields, anything, check_fields, length
from gateway.simulator.models import ChatModel
from gateway.simulator.refusals import Refusal


def check_chat(fields: Fields, *, model: ChatModel) -> None:
    """Refuse a request the platform would refuse; fields that are null count as absent."""
    check_fields(fields, model=model, checks=_CHECKS, required=("messages",))


def _boolean(name: str, value: Any, _model: ChatModel) -> None:
    if not isinstance(value, bool):
        raise Refusal("1214", name)


def _two_decimals(low: float, high: float) -> Check[ChatModel]:
    def check(name: str, value: Any, _model: ChatModel) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refusal("1214", name)
        if not low <= value <= high or round(value, 2) != value:
            raise Refusal("1214", name)

    return check


def _max_tokens(name: str, value: Any, model: ChatModel) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refusal("1214", name)
    if not 1 <= value <= model.output_tokens:
        raise Refusal("1210", f"max_tokens: [1, {model.output_tokens}]")


def _stop(name: str, value: Any, _model: ChatModel) -> None:
    # The schema says up to four, the text beside it that only one works.
    if not isinstance(value, list) or not all(isinstance(word, str) and word for word in value):
        raise Refusal("1214", name)
    if len(value) > 1:
        raise Refusal("1210", "stop: at most 1 word")


def _thinking(name: str, value: Any, model: ChatModel) -> None:
    if model.thinking in {"none", "unasked"}:
        raise Refusal("1210", f"{name}: not supported by {model.id}")
    if not isinstance(value, dict) or value.keys() - {"type", "clear_thinking"}:
        raise Refusal("1214", name)
    if value.get("type", "enabled") not in {"enabled", "disabled"}:
        raise Refusal("1214", "thinking.type")
    if value.get("type") == "disabled" and model.thinking == "mandatory":
        raise Refusal("1210", f"thinking.type: {model.id} always thinks")
    if not isinstance(value.get("clear_thinking", True), bool):
        raise Refusal("1214", "thinking.clear_thinking")


def _reasoning_effort(name: str, value: Any, model: ChatModel) -> None:
    if not isinstance(value, str):
        raise Refusal("1214", name)
    if value not in model.efforts if model.efforts is not None else model.family != "text":
        raise Refusal("1210", f"{name}: {', '.join(sorted(model.efforts or ['not supported']))}")


def _response_format(name: str, value: Any, model: ChatModel) -> None:
    if not model.json_object:
        raise Refusal("1210", f"{name}: not supported by {model.id}")
    # json_schema is answered 200 and ignored, which is worse than a refusal (seen in 2026 on api.z.ai).
    if not isinstance(value, dict) or value.get("type") not in {"text", "json_object", "json_schema"}:
        raise Refusal("1214", f"{name}.type")


def _tool_stream(name: str, value: Any, model: ChatModel) -> None:
    _boolean(name, value, model)
    if not model.tool_stream:
        raise Refusal("1210", f"{name}: not supported by {model.id}")


def _watermark(name: str, value: Any, model: ChatModel) -> None:
    _boolean(name, value, model)
    if model.family != "voice":
        raise Refusal("1210", f"{name}: not supported by {model.id}")


_CHECKS: Mapping[str, Check[ChatModel]] = {
    "model": anything,
    "messages": check_messages,
    "stream": _boolean,
    "do_sample": _boolean,
    "temperature": _two_decimals(0, 1),
    "top_p": _two_decimals(0.01, 1),
    "max_tokens": _max_tokens,
    "stop": _stop,
    "request_id": length(6, 64),
    "user_id": length(6, 128),
    "thinking": _thinking,
    "reasoning_effort": _reasoning_effort,
    "response_format": _response_format,
    "tools": check_tools,
    "tool_choice": check_tool_choice,
    "tool_stream": _tool_stream,
    "watermark_enabled": _watermark,
    "stream_options": anything,  # recorded: answered 200, without effect
    "sensitive_word_check": anything,  # a parameter of the platform's own SDKs
}
