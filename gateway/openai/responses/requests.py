"""
The body of ``POST /v1/responses``.

Null means absent, as it does at OpenAI. Items and tools are read one by one, each by its own kind, since they go
back to the caller as they came. Zhipu's own extras are fields here too.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Raw, Struct

from gateway.openai.chat.requests import Effort, Thinking
from gateway.openai.responses.content import TextConfig
from gateway.openai.responses.tools import FlatChoice


class ReasoningConfig(Struct, frozen=True, kw_only=True):
    """How hard to think, and whether the thoughts are told as a summary."""

    effort: Effort | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None
    generate_summary: Literal["auto", "concise", "detailed"] | None = None
    context: str | None = None
    mode: str | None = None


class ResponseStreamOptions(Struct, frozen=True, kw_only=True):
    """What a stream carries beside the answer."""

    include_obfuscation: bool | None = None


Metadata = Annotated[
    dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]], Meta(max_length=16)
]


class CreateResponse(Struct, frozen=True, kw_only=True):
    """The body of ``POST /v1/responses``. The fate of every field is in ``translate.responses.params``."""

    model: str
    input: str | list[Raw] | None = None
    # OpenAI's
    access_programs: Any = None
    background: bool | None = None
    background_options: Any = None
    client_metadata: Any = None
    context_management: Any = None
    conversation: Any = None
    image: Any = None
    include: list[str] | None = None
    instructions: str | None = None
    max_output_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_tool_calls: Annotated[int, Meta(ge=1)] | None = None
    metadata: Metadata | None = None
    moderation: Any = None
    parallel_tool_calls: bool | None = None
    previous_response_id: str | None = None
    prompt: Any = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Any = None
    prompt_cache_retention: str | None = None
    reasoning: ReasoningConfig | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: ResponseStreamOptions | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    text: TextConfig | None = None
    tool_choice: FlatChoice | None = None
    tools: Annotated[list[Raw], Meta(max_length=128)] | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    user: str | None = None
    # Zhipu's
    do_sample: bool | None = None
    request_id: Annotated[str, Meta(min_length=6, max_length=64)] | None = None
    thinking: Thinking | None = None
    tool_stream: bool | None = None
    user_id: Annotated[str, Meta(min_length=6, max_length=128)] | None = None
