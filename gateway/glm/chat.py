"""
Zhipu's chat completions: what ``POST /chat/completions`` takes and answers.

Source: docs.bigmodel.cn, chat completion reference (OpenAPI of 2026-07), and recorded traffic of 2025 and 2026.
Requests hold only what the reference lists; answers tolerate whatever is missing or new. JSON has no cycles, so
what comes with every request or token is not looked through for any.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

# --- Requests ---------------------------------------------------------------------------------------


class TextPart(Struct, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """A piece of text."""

    text: str


class Link(Struct, frozen=True, kw_only=True):
    """Where something is: a URL or, for images, bare base64. Nothing else is allowed inside."""

    url: str


class ImagePart(Struct, frozen=True, kw_only=True, tag_field="type", tag="image_url"):
    """A picture (jpg, png; at most 5 MB and 6000 x 6000)."""

    image_url: Link


class VideoPart(Struct, frozen=True, kw_only=True, tag_field="type", tag="video_url"):
    """A video by URL (mp4, mkv, mov; at most 200 MB)."""

    video_url: Link


class FileUrlPart(Struct, frozen=True, kw_only=True, tag_field="type", tag="file_url"):
    """A document by URL; not together with pictures or videos."""

    file_url: Link


class FileContent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A document: exactly one of ``file_id``, ``file_url`` and ``file_data``; at most 50 MB."""

    filename: str | UnsetType = UNSET
    file_id: str | UnsetType = UNSET
    file_url: str | UnsetType = UNSET
    file_data: str | UnsetType = UNSET


class FilePart(Struct, frozen=True, kw_only=True, tag_field="type", tag="file"):
    """A document in the form of the newer pages."""

    file: FileContent


class InputAudio(Struct, frozen=True, kw_only=True):
    """Spoken input: base64 of a wav or mp3 of at most 10 minutes."""

    data: str
    format: str


class InputAudioPart(Struct, frozen=True, kw_only=True, tag_field="type", tag="input_audio"):
    """Speech; glm-4-voice only."""

    input_audio: InputAudio


Part = TextPart | ImagePart | VideoPart | FileUrlPart | FilePart | InputAudioPart


class FunctionCall(Struct, frozen=True, kw_only=True):
    """A call as it stands in the history: ``arguments`` is JSON text."""

    name: str
    arguments: str


class ToolCall(Struct, frozen=True, kw_only=True):
    """A call of a function in an assistant message."""

    id: str
    type: str = "function"
    function: FunctionCall


class AudioReference(Struct, frozen=True, kw_only=True):
    """An earlier spoken answer, named by the id Zhipu gave it."""

    id: str


class Message(Struct, frozen=True, kw_only=True, gc=False):
    """
    One turn. Roles: ``system``, ``user``, ``assistant``, ``tool``; no others.

    ``reasoning_content`` must go back exactly as it came (docs.bigmodel.cn, thinking mode).
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str | list[Part] | UnsetType = UNSET
    reasoning_content: str | UnsetType = UNSET
    tool_calls: list[ToolCall] | UnsetType = UNSET
    tool_call_id: str | UnsetType = UNSET
    audio: AudioReference | UnsetType = UNSET


class Function(Struct, frozen=True, kw_only=True):
    """A function the model may call; unlike OpenAI's, description and parameters are required."""

    name: str
    description: str
    parameters: Raw


class FunctionTool(Struct, frozen=True, kw_only=True):
    """The tool kind ``function``."""

    function: Function
    type: Literal["function"] = "function"


class WebSearch(Struct, frozen=True, kw_only=True):
    """
    Zhipu's built-in web search; ``search_engine`` is required, ``count`` is 1 to 50.

    ``result_sequence``: whether the findings come ``before`` or ``after`` the text; absent means after.
    """

    search_engine: str
    enable: bool = True
    search_result: bool = True
    content_size: str | UnsetType = UNSET
    result_sequence: str | UnsetType = UNSET
    search_domain_filter: str | UnsetType = UNSET


class WebSearchTool(Struct, frozen=True, kw_only=True):
    """The tool kind ``web_search``; a caller's own body travels as it came."""

    web_search: WebSearch | Raw
    type: Literal["web_search"] = "web_search"


class RetrievalTool(Struct, frozen=True, kw_only=True):
    """The tool kind ``retrieval``: Zhipu's knowledge base."""

    retrieval: Raw
    type: Literal["retrieval"] = "retrieval"


class McpTool(Struct, frozen=True, kw_only=True):
    """The tool kind ``mcp``: a remote server."""

    mcp: Raw
    type: Literal["mcp"] = "mcp"


Tool = FunctionTool | WebSearchTool | RetrievalTool | McpTool


class Thinking(Struct, frozen=True, kw_only=True):
    """
    Whether GLM reasons before it answers; absent means ``enabled``.

    ``clear_thinking`` false keeps the reasoning of earlier turns in the model's context.
    """

    type: Literal["enabled", "disabled"] | UnsetType = UNSET
    clear_thinking: bool | UnsetType = UNSET


class ResponseFormat(Struct, frozen=True, kw_only=True):
    """The shape of the answer; there is no ``json_schema``."""

    type: Literal["text", "json_object"]


class ChatRequest(Struct, frozen=True, kw_only=True, gc=False):
    """The body of ``POST /chat/completions``. A field that is not here is never sent."""

    model: str
    messages: list[Message]
    stream: bool | UnsetType = UNSET
    do_sample: bool | UnsetType = UNSET
    temperature: float | UnsetType = UNSET
    top_p: float | UnsetType = UNSET
    max_tokens: int | UnsetType = UNSET
    stop: list[str] | UnsetType = UNSET
    request_id: str | UnsetType = UNSET
    user_id: str | UnsetType = UNSET
    thinking: Thinking | UnsetType = UNSET
    reasoning_effort: str | UnsetType = UNSET
    response_format: ResponseFormat | UnsetType = UNSET
    tools: list[Tool] | UnsetType = UNSET
    tool_choice: Literal["auto"] | UnsetType = UNSET
    tool_stream: bool | UnsetType = UNSET
    watermark_enabled: bool | UnsetType = UNSET


# --- Answers ----------------------------------------------------------------------------------------


class AnswerFunction(Struct, frozen=True, kw_only=True, gc=False):
    """
    The function of a call, whole or a fragment.

    ``arguments`` is JSON text; one page of docs.z.ai shows an object, so anything is taken.
    """

    name: str | None = None
    arguments: Any = None


class AnswerToolCall(Struct, frozen=True, kw_only=True, gc=False):
    """A call in an answer. ``type`` is ``function`` or ``mcp``; ``index`` is there in both kinds of answer."""

    id: str | None = None
    index: int | None = None
    type: str | None = None
    function: AnswerFunction | None = None


class AnswerAudio(Struct, frozen=True, kw_only=True, gc=False):
    """A spoken answer: base64 of headerless PCM or of a WAV file; ``expires_at`` in Unix seconds."""

    id: str | None = None
    data: str | None = None
    expires_at: float | str | None = None


class AnswerMessage(Struct, frozen=True, kw_only=True, gc=False):
    """
    A message or a delta; every part may be missing. Its ``role`` is always ``assistant`` and repeated in deltas.

    ``content`` may be a list of text parts. On some vision models the text holds ``<think>…</think>`` and
    ``<|begin_of_box|>``, ``<|end_of_box|>`` around the answer.
    """

    content: str | list[Any] | None = None
    reasoning_content: str | None = None
    tool_calls: list[AnswerToolCall] | None = None
    audio: AnswerAudio | None = None


Tokens = Annotated[int, Meta(ge=0, le=2**53)]
"""A count of tokens; what is below 0, or more than a number of JSON's holds, is none."""


class CachedTokens(Struct, frozen=True, kw_only=True):
    """How much of the prompt came from the cache."""

    cached_tokens: Tokens | None = None


class ReasoningTokens(Struct, frozen=True, kw_only=True):
    """How much of the answer was reasoning; there since 2026."""

    reasoning_tokens: Tokens | None = None


class Usage(Struct, frozen=True, kw_only=True, gc=False):
    """Tokens as billed."""

    prompt_tokens: Tokens = 0
    completion_tokens: Tokens = 0
    total_tokens: Tokens = 0
    prompt_tokens_details: CachedTokens | None = None
    completion_tokens_details: ReasoningTokens | None = None


class SearchResult(Struct, frozen=True, kw_only=True):
    """One hit of the built-in web search; ``refer`` is the mark the text uses, such as ``ref_1``."""

    title: str | None = None
    link: str | None = None
    content: str | None = None
    media: str | None = None
    refer: str | None = None


class ErrorDetail(Struct, frozen=True, kw_only=True):
    """Zhipu's error: ``code`` is a string of digits, rarely a number."""

    code: str | int | None = None
    message: str | None = None


class Choice(Struct, frozen=True, kw_only=True, gc=False):
    """
    The one answer of a whole completion (``message``) or of a chunk (``delta``); its ``index`` is always 0.

    ``finish_reason`` is absent, null or empty in every chunk but the last. Its words: ``stop``, ``length``,
    ``tool_calls``, ``sensitive``, ``network_error``, ``model_context_window_exceeded``.
    """

    finish_reason: str | None = None
    message: AnswerMessage | None = None
    delta: AnswerMessage | None = None


class ChatAnswer(Struct, frozen=True, kw_only=True, gc=False):
    """
    A whole completion or one chunk of a stream: what is read of it, since one comes with every token.

    Its ``id``, ``request_id``, ``created`` and ``model`` are left out, as answers to callers have their own.
    ``error`` is set when an error comes inside an HTTP 200, whole or as an event of a stream.
    """

    choices: list[Choice] | None = None
    usage: Usage | None = None
    web_search: list[SearchResult] | None = None
    error: ErrorDetail | None = None
