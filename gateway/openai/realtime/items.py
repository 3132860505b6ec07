"""
OpenAI's conversation items and responses, as clients send them and are told them.

Source: the official SDK's types (openai 3.54, ``types.realtime`` and ``types.beta.realtime``).
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.openai.realtime.session import Audio, FlatFormat, MaxTokens, Modality, Tool, ToolChoice, VoiceId

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Role = Literal["user", "assistant", "system"]
Status = Literal["completed", "incomplete", "in_progress"]
ResponseState = Literal["in_progress", "completed", "cancelled", "failed", "incomplete"]
Metadata = Mapping[str, str]


class Content(Struct, frozen=True, kw_only=True):
    """
    A part of a message.

    ``transcript`` of what was heard or spoken is told even while it is null: clients look for the key.
    """

    type: str
    text: str | UnsetType = UNSET
    audio: str | UnsetType | None = UNSET
    transcript: str | UnsetType | None = UNSET
    image_url: str | UnsetType = UNSET
    detail: str | UnsetType | None = UNSET


class NewItem(Struct, frozen=True, kw_only=True):
    """An item that a client puts into the conversation; ``id`` None has one made."""

    type: str
    id: Id | None = None
    role: Role | None = None
    content: list[Content] | None = None
    status: str | None = None
    call_id: Id | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | None = None


class Item(Struct, frozen=True, kw_only=True):
    """An item as a client is told it."""

    id: str
    object: Literal["realtime.item"] = "realtime.item"
    type: str
    status: Status
    role: Role | UnsetType = UNSET
    content: tuple[Content, ...] | UnsetType = UNSET
    call_id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    arguments: str | UnsetType = UNSET
    output: str | UnsetType = UNSET


class ResponseParams(Struct, frozen=True, kw_only=True):
    """What one response is to be different in; the names of either shape, those of beta last."""

    conversation: str | None = None
    input: list[NewItem] | None = None
    instructions: str | UnsetType | None = UNSET
    output_modalities: list[Modality] | UnsetType | None = UNSET
    tools: list[Tool] | UnsetType | None = UNSET
    tool_choice: ToolChoice | UnsetType | None = UNSET
    max_output_tokens: MaxTokens | UnsetType | None = UNSET
    audio: Audio | UnsetType | None = UNSET
    metadata: Metadata | None = None

    modalities: list[Modality] | UnsetType | None = UNSET
    voice: str | VoiceId | UnsetType | None = UNSET
    output_audio_format: FlatFormat | UnsetType | None = UNSET
    temperature: Annotated[float, Meta(ge=0, le=2)] | UnsetType | None = UNSET
    max_response_output_tokens: MaxTokens | UnsetType | None = UNSET


class CachedTokens(Struct, frozen=True, kw_only=True):
    """What of the input was in a cache."""

    text_tokens: int = 0
    audio_tokens: int = 0
    image_tokens: int = 0


class InputTokens(Struct, frozen=True, kw_only=True):
    """What the input consists of; never null, as clients add it up."""

    text_tokens: int = 0
    audio_tokens: int = 0
    image_tokens: int = 0
    cached_tokens: int = 0
    cached_tokens_details: CachedTokens = CachedTokens()


class OutputTokens(Struct, frozen=True, kw_only=True):
    """What the output consists of."""

    text_tokens: int = 0
    audio_tokens: int = 0


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens of a response."""

    total_tokens: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    input_token_details: InputTokens = InputTokens()
    output_token_details: OutputTokens = OutputTokens()


class StatusError(Struct, frozen=True, kw_only=True):
    """Why a response failed."""

    type: str
    code: str | None
    message: str


class StatusDetails(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a response ended that did not just complete."""

    type: ResponseState
    reason: str | None = None
    error: StatusError | None = None


class Response(Struct, frozen=True, kw_only=True):
    """A response in today's shape."""

    object: Literal["realtime.response"] = "realtime.response"
    id: str
    status: ResponseState
    status_details: StatusDetails | None
    output: tuple[Item, ...]
    conversation_id: str | None
    output_modalities: tuple[Modality, ...]
    max_output_tokens: MaxTokens
    audio: Any
    usage: Usage | None
    metadata: Metadata | None


class BetaResponse(Struct, frozen=True, kw_only=True):
    """A response in beta's shape."""

    object: Literal["realtime.response"] = "realtime.response"
    id: str
    status: ResponseState
    status_details: StatusDetails | None
    output: tuple[Item, ...]
    conversation_id: str | None
    modalities: tuple[Modality, ...]
    voice: str
    output_audio_format: FlatFormat
    temperature: float
    max_output_tokens: MaxTokens
    usage: Usage | None
    metadata: Metadata | None
