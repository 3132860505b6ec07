"""
OpenAI's chat completions: what ``POST /v1/chat/completions`` takes and answers.

Source: OpenAI's OpenAPI description 2.3.0 (August 2026) and what the official SDKs send. In requests null means
absent, as it does at OpenAI. Zhipu's own extras are fields here too, because SDKs send them as extra body.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

# --- Content parts ----------------------------------------------------------------------------------


class TextPart(Struct, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """A piece of text."""

    text: str


class RefusalPart(Struct, frozen=True, kw_only=True, tag_field="type", tag="refusal"):
    """An assistant's refusal, sent back as history."""

    refusal: str


class ImageUrl(Struct, frozen=True, kw_only=True):
    """A picture's address (http, https or a data URI) and how closely to look."""

    url: str
    detail: str | None = None


class ImagePart(Struct, frozen=True, kw_only=True, tag_field="type", tag="image_url"):
    """A picture."""

    image_url: ImageUrl


class InputAudio(Struct, frozen=True, kw_only=True):
    """Base64 of a recording; what it is, its bytes tell. Only of samples alone, at 24 kHz, ``pcm16`` says it."""

    data: str
    format: str


class InputAudioPart(Struct, frozen=True, kw_only=True, tag_field="type", tag="input_audio"):
    """Speech."""

    input_audio: InputAudio


class FileContent(Struct, frozen=True, kw_only=True):
    """A document: ``file_data`` (a data URI), ``file_id``, or Zhipu's ``file_url``."""

    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    filename: str | None = None


class FilePart(Struct, frozen=True, kw_only=True, tag_field="type", tag="file"):
    """A document."""

    file: FileContent


class Link(Struct, frozen=True, kw_only=True):
    """The address of a video or document."""

    url: str


class VideoPart(Struct, frozen=True, kw_only=True, tag_field="type", tag="video_url"):
    """A video by URL; Zhipu's extra."""

    video_url: Link


class FileUrlPart(Struct, frozen=True, kw_only=True, tag_field="type", tag="file_url"):
    """A document by URL; Zhipu's extra."""

    file_url: Link


Part = TextPart | RefusalPart | ImagePart | InputAudioPart | FilePart | VideoPart | FileUrlPart
Content = str | list[Part] | None

# --- Messages ---------------------------------------------------------------------------------------


class SystemMessage(Struct, frozen=True, kw_only=True, tag_field="role", tag="system"):
    """Instructions."""

    content: Content
    name: str | None = None


class DeveloperMessage(Struct, frozen=True, kw_only=True, tag_field="role", tag="developer"):
    """Instructions under their newer name."""

    content: Content
    name: str | None = None


class UserMessage(Struct, frozen=True, kw_only=True, tag_field="role", tag="user"):
    """What the user says or shows."""

    content: Content
    name: str | None = None


class FunctionCall(Struct, frozen=True, kw_only=True):
    """A function and its arguments as JSON text."""

    name: str
    arguments: str


class CustomCall(Struct, frozen=True, kw_only=True):
    """A custom tool and its free-form input."""

    name: str
    input: str


class FunctionToolCall(Struct, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """A call of a function tool in an assistant's turn."""

    id: str
    function: FunctionCall


class CustomToolCall(Struct, frozen=True, kw_only=True, tag_field="type", tag="custom"):
    """A call of a custom tool in an assistant's turn."""

    id: str
    custom: CustomCall


class AudioReference(Struct, frozen=True, kw_only=True):
    """
    An earlier spoken answer by its id.

    The rest is that of an answer which is sent back whole; of that only ``transcript`` can still be of service.
    """

    id: str
    transcript: str | None = None
    data: Any = None
    expires_at: Any = None


class AssistantMessage(Struct, frozen=True, kw_only=True, tag_field="role", tag="assistant"):
    """
    What the model said earlier; ``reasoning_content`` is GLM's, for clients that keep it.

    ``annotations`` are those of an answer that is sent back whole; they have done their service.
    """

    content: Content = None
    refusal: str | None = None
    tool_calls: list[FunctionToolCall | CustomToolCall] | None = None
    function_call: FunctionCall | None = None
    audio: AudioReference | None = None
    reasoning_content: str | None = None
    annotations: Any = None
    name: str | None = None


class ToolMessage(Struct, frozen=True, kw_only=True, tag_field="role", tag="tool"):
    """A tool's result."""

    content: Content
    tool_call_id: str
    name: str | None = None


class FunctionMessage(Struct, frozen=True, kw_only=True, tag_field="role", tag="function"):
    """A function's result in the deprecated form."""

    content: Content
    name: str


Message = SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage | FunctionMessage

# --- Tools ------------------------------------------------------------------------------------------

FunctionName = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]


class Function(Struct, frozen=True, kw_only=True):
    """A function; ``parameters`` is a JSON Schema that travels as it came."""

    name: FunctionName
    description: str | None = None
    parameters: Raw | UnsetType = UNSET
    strict: bool | None = None


class FunctionTool(Struct, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """A function the model may call."""

    function: Function


class CustomFormat(Struct, frozen=True, kw_only=True):
    """The form of a custom tool's input: ``text`` or ``grammar``."""

    type: str = "text"


class Custom(Struct, frozen=True, kw_only=True):
    """A tool whose input is free text."""

    name: FunctionName
    description: str | None = None
    format: CustomFormat | None = None


class CustomTool(Struct, frozen=True, kw_only=True, tag_field="type", tag="custom"):
    """A custom tool the model may call."""

    custom: Custom


class WebSearchTool(Struct, frozen=True, kw_only=True, tag_field="type", tag="web_search"):
    """Zhipu's built-in search, as Zhipu documents it."""

    web_search: Raw


class RetrievalTool(Struct, frozen=True, kw_only=True, tag_field="type", tag="retrieval"):
    """Zhipu's knowledge base, as Zhipu documents it."""

    retrieval: Raw


class McpTool(Struct, frozen=True, kw_only=True, tag_field="type", tag="mcp"):
    """A remote MCP server, as Zhipu documents it."""

    mcp: Raw


Tool = FunctionTool | CustomTool | WebSearchTool | RetrievalTool | McpTool


class ToolName(Struct, frozen=True, kw_only=True):
    """A tool by name."""

    name: str


class FunctionChoice(Struct, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """The model must call this function."""

    function: ToolName


class CustomChoice(Struct, frozen=True, kw_only=True, tag_field="type", tag="custom"):
    """The model must call this custom tool."""

    custom: ToolName


class AllowedTool(Struct, frozen=True, kw_only=True):
    """One entry of a list of allowed tools."""

    type: str
    function: ToolName | None = None
    custom: ToolName | None = None


class AllowedTools(Struct, frozen=True, kw_only=True):
    """The part of the tools that may be called this time."""

    mode: Literal["auto", "required"]
    tools: list[AllowedTool]


class AllowedToolsChoice(Struct, frozen=True, kw_only=True, tag_field="type", tag="allowed_tools"):
    """The model may, or must, call one of these tools."""

    allowed_tools: AllowedTools


ToolChoice = Literal["none", "auto", "required"] | FunctionChoice | CustomChoice | AllowedToolsChoice

# --- The other fields of a request ------------------------------------------------------------------


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


class CreateChatCompletionRequest(Struct, frozen=True, kw_only=True):
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


# --- Answers ----------------------------------------------------------------------------------------


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


class ChatCompletionResponseMessage(Struct, frozen=True, kw_only=True):
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


class ChatCompletionChoice(Struct, frozen=True, kw_only=True):
    """One of the answers."""

    index: int
    message: ChatCompletionResponseMessage
    finish_reason: FinishReason
    logprobs: None = None


class PromptTokensDetails(Struct, frozen=True, kw_only=True):
    """What the prompt was made of."""

    cached_tokens: int = 0
    audio_tokens: int = 0


class CompletionTokensDetails(Struct, frozen=True, kw_only=True):
    """What the answer was made of."""

    reasoning_tokens: int = 0
    audio_tokens: int = 0
    accepted_prediction_tokens: int = 0
    rejected_prediction_tokens: int = 0


class CompletionUsage(Struct, frozen=True, kw_only=True):
    """Tokens as billed."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails
    completion_tokens_details: CompletionTokensDetails


class CreateChatCompletionResponse(Struct, frozen=True, kw_only=True):
    """A whole answer."""

    id: str
    created: int
    model: str
    choices: list[ChatCompletionChoice]
    usage: CompletionUsage
    object: Literal["chat.completion"] = "chat.completion"


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


class Delta(Struct, frozen=True, kw_only=True):
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
