"""
OpenAI's legacy completions: what ``POST /v1/completions`` takes and answers.

Null means absent, as it does at OpenAI. Zhipu's own extras are fields here too.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.openai.chat.answers import CompletionUsage
from gateway.openai.chat.requests import Penalty, StreamOptions, Thinking

Prompts = Annotated[list[str], Meta(min_length=1, max_length=64)]


class CreateCompletionRequest(Struct, frozen=True, kw_only=True):
    """The body of ``POST /v1/completions``. The fate of every field is in ``translate.completions.params``."""

    model: str
    prompt: str | Prompts
    # OpenAI's
    best_of: int | None = None
    echo: bool | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: int | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    n: Annotated[int, Meta(ge=1, le=8)] | None = None
    presence_penalty: Penalty | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    suffix: str | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    user: str | None = None
    # Zhipu's
    do_sample: bool | None = None
    request_id: Annotated[str, Meta(min_length=6, max_length=64)] | None = None
    thinking: Thinking | None = None
    user_id: Annotated[str, Meta(min_length=6, max_length=128)] | None = None


FinishReason = Literal["stop", "length", "content_filter"]


class CompletionChoice(Struct, frozen=True, kw_only=True):
    """One of the texts, or a piece of it; ``finish_reason`` null while there is more."""

    text: str
    index: int
    finish_reason: FinishReason | None = None
    logprobs: None = None


class CreateCompletionResponse(Struct, frozen=True, kw_only=True):
    """All texts, or one chunk of a stream, where ``usage`` is absent unless it was asked for."""

    id: str
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: CompletionUsage | UnsetType | None = UNSET
    object: Literal["text_completion"] = "text_completion"
