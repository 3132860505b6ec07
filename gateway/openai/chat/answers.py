"""
A whole answer, and what its stream shares with it: why it ended, its sources, its tokens.

What becomes JSON has no cycles, so what every answer is made of is not looked through for any.
"""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from gateway.openai.chat.messages import CustomCall, FunctionCall


class UrlCitation(Struct, frozen=True, kw_only=True):
    """A source, and the part of the text that leans on it, in characters."""

    start_index: int
    end_index: int
    title: str
    url: str


class Annotation(Struct, frozen=True, kw_only=True):
    """A note on a piece of the text."""

    url_citation: UrlCitation
    type: Literal["url_citation"] = "url_citation"


class AnswerCall(Struct, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """A function the model wants called."""

    id: str
    function: FunctionCall


class AnswerCustomCall(Struct, frozen=True, kw_only=True, tag_field="type", tag="custom"):
    """A custom tool the model wants called."""

    id: str
    custom: CustomCall


class AnswerAudio(Struct, frozen=True, kw_only=True):
    """A spoken answer: base64 in the format asked for; ``id`` names it until ``expires_at`` (Unix seconds)."""

    id: str
    data: str
    expires_at: int
    transcript: str


class ChatCompletionResponseMessage(Struct, frozen=True, kw_only=True, gc=False):
    """The model's turn. ``reasoning_content`` is GLM's; OpenAI's types ignore it."""

    content: str | None
    refusal: str | None = None
    role: Literal["assistant"] = "assistant"
    annotations: list[Annotation] | UnsetType = UNSET
    reasoning_content: str | UnsetType = UNSET
    tool_calls: list[AnswerCall | AnswerCustomCall] | UnsetType = UNSET
    function_call: FunctionCall | UnsetType = UNSET
    audio: AnswerAudio | UnsetType = UNSET


FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]


class ChatCompletionChoice(Struct, frozen=True, kw_only=True, gc=False):
    """One of the answers."""

    index: int
    message: ChatCompletionResponseMessage
    finish_reason: FinishReason
    logprobs: None = None


class PromptTokensDetails(Struct, frozen=True, kw_only=True, gc=False):
    """What the prompt was made of."""

    cached_tokens: int = 0
    audio_tokens: int = 0


class CompletionTokensDetails(Struct, frozen=True, kw_only=True, gc=False):
    """What the answer was made of."""

    reasoning_tokens: int = 0
    audio_tokens: int = 0
    accepted_prediction_tokens: int = 0
    rejected_prediction_tokens: int = 0


class CompletionUsage(Struct, frozen=True, kw_only=True, gc=False):
    """Tokens as billed."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails
    completion_tokens_details: CompletionTokensDetails


class CreateChatCompletionResponse(Struct, frozen=True, kw_only=True, gc=False):
    """A whole answer."""

    id: str
    created: int
    model: str
    choices: list[ChatCompletionChoice]
    usage: CompletionUsage
    object: Literal["chat.completion"] = "chat.completion"
