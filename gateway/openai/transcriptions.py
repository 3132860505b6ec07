"""
OpenAI's speech recognition: what ``POST /v1/audio/transcriptions`` and ``/translations`` take and answer.

Source: OpenAI's OpenAPI description 2.3.0 (August 2026) and what the official SDKs send: multipart forms, in which
lists and objects have brackets in their names. Open WebUI can send JSON with ``input_audio`` instead of a file.
Zhipu's own extras are fields here too, because SDKs send them as extra body.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

ResponseFormat = Literal["json", "text", "srt", "verbose_json", "vtt", "diarized_json"]
Granularity = Literal["word", "segment"]

FILE = {"type": ["string", "null"], "format": "binary"}
RequestId = Annotated[str, Meta(min_length=6, max_length=64)]
UserId = Annotated[str, Meta(min_length=6, max_length=128)]
Temperature = Annotated[float, Meta(ge=0, le=1)]
File = Annotated[Any, Meta(extra_json_schema=FILE)]


class Recording(Struct, frozen=True, kw_only=True):
    """A recording in base64; its ``format`` is found out from its bytes."""

    data: str
    format: str | None = None


class CreateTranscriptionRequest(Struct, frozen=True, kw_only=True):
    """
    The fields of ``POST /v1/audio/transcriptions``.

    One of ``file``, ``file_base64`` and ``input_audio`` is required.
    """

    model: str
    file: File = None
    language: str | None = None
    prompt: str | None = None
    response_format: ResponseFormat | None = None
    temperature: Temperature | None = None
    stream: bool | None = None
    timestamp_granularities: list[Granularity] | None = None
    include: list[str] | None = None
    chunking_strategy: Any = None
    keywords: list[str] | None = None
    languages: list[str] | None = None
    known_speaker_names: list[str] | None = None
    known_speaker_references: list[str] | None = None
    hotwords: list[str] | None = None
    input_audio: Recording | None = None
    file_base64: str | None = None
    request_id: RequestId | None = None
    user_id: UserId | None = None


class CreateTranslationRequest(Struct, frozen=True, kw_only=True):
    """
    The fields of ``POST /v1/audio/translations``.

    One of ``file``, ``file_base64`` and ``input_audio`` is required.
    """

    model: str
    file: File = None
    prompt: str | None = None
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt"] | None = None
    temperature: Temperature | None = None
    hotwords: list[str] | None = None
    input_audio: Recording | None = None
    file_base64: str | None = None
    request_id: RequestId | None = None
    user_id: UserId | None = None


class InputTokenDetails(Struct, frozen=True, kw_only=True):
    """What the input tokens were made of."""

    text_tokens: int
    audio_tokens: int


class TokenUsage(Struct, frozen=True, kw_only=True, tag_field="type", tag="tokens"):
    """What was used, where GLM counts tokens."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_token_details: InputTokenDetails


class DurationUsage(Struct, frozen=True, kw_only=True, tag_field="type", tag="duration"):
    """What was used, where GLM does not count: begun seconds of sound."""

    seconds: int


class Segment(Struct, frozen=True, kw_only=True):
    """
    What was said between two times, in seconds.

    Vercel's client refuses a segment that lacks any of Whisper's fields; those that GLM knows nothing of are zero.
    """

    id: int
    start: float
    end: float
    text: str
    seek: int = 0
    tokens: list[int] = []
    temperature: float = 0.0
    avg_logprob: float = 0.0
    compression_ratio: float = 0.0
    no_speech_prob: float = 0.0


class CreateTranscriptionResponseJson(Struct, frozen=True, kw_only=True):
    """What was said, or its translation, for ``response_format`` json."""

    text: str
    usage: TokenUsage | DurationUsage | UnsetType = UNSET


class CreateTranscriptionResponseVerboseJson(Struct, frozen=True, kw_only=True):
    """What was said and when, for ``response_format`` verbose_json; ``duration`` in seconds."""

    task: Literal["transcribe", "translate"]
    language: str
    duration: float
    text: str
    segments: list[Segment]
    usage: DurationUsage | UnsetType = UNSET


class TranscriptTextDeltaEvent(Struct, frozen=True, kw_only=True):
    """A part of what was said, of a stream."""

    delta: str
    type: Literal["transcript.text.delta"] = "transcript.text.delta"


class TranscriptTextDoneEvent(Struct, frozen=True, kw_only=True):
    """All that was said, at the end of a stream; ``usage`` is there where GLM counts tokens."""

    text: str
    usage: TokenUsage | UnsetType = UNSET
    type: Literal["transcript.text.done"] = "transcript.text.done"
