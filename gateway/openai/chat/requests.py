"""
The body of ``POST /v1/chat/completions``.

Source: OpenAI's OpenAPI description 2.3.0 (August 2026) and what the official SDKs send. In requests null means
absent, as it does at OpenAI. Zhipu's own extras are fields here too, because SDKs send them as extra body. What is
read from JSON has no cycles, and is not looked through for any.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from gateway.openai.chat.messages import Message
from gateway.openai.chat.tools import Function, FunctionName, Tool, ToolChoice, ToolName


class TextFormat(Struct, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """Plain text."""


class JsonObjectFormat(Struct, frozen=True, kw_only=True, tag_field="type", tag="json_object"):
    """Any JSON object."""


class JsonSchema(Struct, frozen=True, kw_only=True):
    """A named JSON Schema."""

    name: FunctionName
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class JsonSchemaFormat(Struct, frozen=True, kw_only=True, tag_field="type", tag="json_schema"):
    """JSON that keeps to a schema."""

    json_schema: JsonSchema


ResponseFormat = TextFormat | JsonObjectFormat | JsonSchemaFormat


class StreamOptions(Struct, frozen=True, kw_only=True):
    """What a stream carries beside the answer."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class WebSearchOptions(Struct, frozen=True, kw_only=True):
    """OpenAI's built-in search."""

    search_context_size: Literal["low", "medium", "high"] | None = None
    user_location: Any = None


class Thinking(Struct, frozen=True, kw_only=True):
    """Zhipu's switch for reasoning."""

    type: Literal["enabled", "disabled"] | None = None
    clear_thinking: bool | None = None


class AnswerVoice(Struct, frozen=True, kw_only=True):
    """A voice of one's own for a spoken answer, by its id."""

    id: str


class AudioOptions(Struct, frozen=True, kw_only=True):
    """How a spoken answer is to sound; ``format`` None: a wav file, and pcm16 in streams."""

    format: Literal["wav", "aac", "mp3", "flac", "opus", "pcm16"] | None = None
    voice: str | AnswerVoice | None = None


Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Penalty = Annotated[float, Meta(ge=-2, le=2)]


class CreateChatCompletionRequest(Struct, frozen=True, kw_only=True, gc=False):
    """The body of ``POST /v1/chat/completions``. The fate of every field is in ``translate.chat.params``."""

    model: str
    messages: Annotated[list[Message], Meta(min_length=1)]
    # OpenAI's
    audio: AudioOptions | None = None
    frequency_penalty: Penalty | None = None
    function_call: Literal["none", "auto"] | ToolName | None = None
    functions: list[Function] | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    metadata: dict[str, str] | None = None
    modalities: list[str] | None = None
    moderation: Any = None
    n: Annotated[int, Meta(ge=1, le=8)] | None = None
    parallel_tool_calls: bool | None = None
    prediction: Any = None
    presence_penalty: Penalty | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Any = None
    prompt_cache_retention: str | None = None
    reasoning_effort: Effort | None = None
    response_format: ResponseFormat | None = None
    safety_identifier: str | None = None
    seed: int | None = None
    service_tier: str | None = None
    stop: str | list[str] | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    tool_choice: ToolChoice | None = None
    tools: Annotated[list[Tool], Meta(max_length=128)] | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    user: str | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    web_search_options: WebSearchOptions | None = None
    # Zhipu's
    do_sample: bool | None = None
    request_id: Annotated[str, Meta(min_length=6, max_length=64)] | None = None
    thinking: Thinking | None = None
    tool_stream: bool | None = None
    user_id: Annotated[str, Meta(min_length=6, max_length=128)] | None = None
    watermark_enabled: bool | None = None
