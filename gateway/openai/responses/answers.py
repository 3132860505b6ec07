"""The response object, and what its companion routes answer."""

from typing import Literal

from msgspec import Raw, Struct

from gateway.openai.responses.content import EchoedText
from gateway.openai.responses.items import OutputItem
from gateway.openai.responses.tools import FlatChoice


class IncompleteDetails(Struct, frozen=True, kw_only=True):
    """Why an answer stops before its end."""

    reason: Literal["max_output_tokens", "content_filter"]


class ResponseError(Struct, frozen=True, kw_only=True):
    """Why there is no answer."""

    code: str
    message: str


class InputTokensDetails(Struct, frozen=True, kw_only=True):
    """What the input was made of."""

    cached_tokens: int = 0
    cache_write_tokens: int = 0


class OutputTokensDetails(Struct, frozen=True, kw_only=True):
    """What the output was made of."""

    reasoning_tokens: int = 0


class ResponseUsage(Struct, frozen=True, kw_only=True):
    """Tokens as billed."""

    input_tokens: int
    input_tokens_details: InputTokensDetails
    output_tokens: int
    output_tokens_details: OutputTokensDetails
    total_tokens: int


class EchoedReasoning(Struct, frozen=True, kw_only=True):
    """How hard the model was asked to think."""

    effort: str | None = None
    summary: str | None = None


ResponseStatus = Literal["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"]


class Response(Struct, frozen=True, kw_only=True):
    """A response: how it was asked for, how far it is, and what the model made."""

    id: str
    created_at: int
    model: str
    status: ResponseStatus
    output: list[OutputItem]
    tools: list[Raw]
    tool_choice: FlatChoice
    parallel_tool_calls: bool
    text: EchoedText
    reasoning: EchoedReasoning
    metadata: dict[str, str]
    store: bool
    truncation: Literal["auto", "disabled"]
    object: Literal["response"] = "response"
    background: bool = False
    completed_at: int | None = None
    error: ResponseError | None = None
    incomplete_details: IncompleteDetails | None = None
    instructions: str | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    previous_response_id: str | None = None
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None
    service_tier: str = "default"
    temperature: float | None = None
    top_logprobs: int = 0
    top_p: float | None = None
    usage: ResponseUsage | None = None
    user: str | None = None


class DeletedResponse(Struct, frozen=True, kw_only=True):
    """That a response is no more."""

    id: str
    object: Literal["response"] = "response"
    deleted: Literal[True] = True


class ResponseItemList(Struct, frozen=True, kw_only=True):
    """A page of the items that a response was made from."""

    data: list[Raw]
    first_id: str | None
    last_id: str | None
    has_more: bool
    object: Literal["list"] = "list"


class InputTokens(Struct, frozen=True, kw_only=True):
    """How many tokens a request holds."""

    input_tokens: int
    object: Literal["response.input_tokens"] = "response.input_tokens"
