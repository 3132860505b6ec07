"""
Zhipu's tokenizer: what ``POST /tokenizer`` takes and answers.

Source: docs.bigmodel.cn and docs.z.ai, tokenizer reference (read 2026-11-21). Of the chat models it takes those of
``MODELS`` alone; of messages those of system, user and assistant, at least one of them a user's.
"""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from gateway.glm.chat import ErrorDetail, FunctionTool, Part

MODELS = frozenset({"glm-4.6", "glm-4.6v", "glm-4.5", "glm-4.5-air"})
"""Older models are left out."""

TEXT_MODEL = "glm-4.6"
VISION_MODEL = "glm-4.6v"


class CountedMessage(Struct, frozen=True, kw_only=True):
    """One turn, as text; a user's may hold pictures, videos and documents too."""

    role: Literal["system", "user", "assistant"]
    content: str | list[Part]


class TokenizerRequest(Struct, frozen=True, kw_only=True):
    """The body of ``POST /tokenizer``."""

    model: str
    messages: list[CountedMessage]
    tools: list[FunctionTool] | UnsetType = UNSET


class TokenizerUsage(Struct, frozen=True, kw_only=True):
    """How many tokens there are; the total where there is more than text."""

    prompt_tokens: int | None = None
    total_tokens: int | None = None


class TokenizerAnswer(Struct, frozen=True, kw_only=True):
    """The count; ``error`` instead when an error comes inside a success."""

    usage: TokenizerUsage | None = None
    error: ErrorDetail | None = None
