"""A streamed answer: its chunks, and the pieces they bring."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from gateway.openai.chat.answers import Annotation, CompletionUsage, FinishReason


class FunctionFragment(Struct, frozen=True, kw_only=True):
    """A piece of a function call: the name once, the arguments bit by bit."""

    name: str | UnsetType = UNSET
    arguments: str | UnsetType = UNSET


class CustomFragment(Struct, frozen=True, kw_only=True):
    """A piece of a custom tool call: the name once, the input bit by bit."""

    name: str | UnsetType = UNSET
    input: str | UnsetType = UNSET


class ToolCallChunk(Struct, frozen=True, kw_only=True):
    """A piece of a tool call; ``id``, ``type`` and the name only in the first piece of an index."""

    index: int
    id: str | UnsetType = UNSET
    type: Literal["function", "custom"] | UnsetType = UNSET
    function: FunctionFragment | UnsetType = UNSET
    custom: CustomFragment | UnsetType = UNSET


class AudioDelta(Struct, frozen=True, kw_only=True):
    """A piece of a spoken answer; ``id`` and ``expires_at`` come once, ``data`` is base64 of pcm16 at 24 kHz."""

    id: str | UnsetType = UNSET
    data: str | UnsetType = UNSET
    transcript: str | UnsetType = UNSET
    expires_at: int | UnsetType = UNSET


class Delta(Struct, frozen=True, kw_only=True, gc=False):  # gc: it holds no cycles, and every token makes one
    """What a chunk adds."""

    role: Literal["assistant"] | UnsetType = UNSET
    content: str | UnsetType | None = UNSET
    refusal: str | UnsetType = UNSET
    reasoning_content: str | UnsetType = UNSET
    tool_calls: list[ToolCallChunk] | UnsetType = UNSET
    function_call: FunctionFragment | UnsetType = UNSET
    annotations: list[Annotation] | UnsetType = UNSET
    audio: AudioDelta | UnsetType = UNSET


class ChunkChoice(Struct, frozen=True, kw_only=True):
    """The one answer a chunk belongs to."""

    index: int
    delta: Delta
    finish_reason: FinishReason | None = None
    logprobs: None = None


class CreateChatCompletionStreamResponse(Struct, frozen=True, kw_only=True):
    """One chunk. ``usage`` absent: not asked for; null: asked for, not yet known."""

    id: str
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: CompletionUsage | UnsetType | None = UNSET
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
