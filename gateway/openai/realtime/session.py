"""
OpenAI's realtime session: what a client says of it, and how it is told, in today's shape and in beta's.

Source: the official SDK's types (openai 3.54, ``types.realtime`` and ``types.beta.realtime``). What a client
leaves out keeps its value, so absent and null are told apart.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Modality = Literal["text", "audio"]
FormatType = Literal["audio/pcm", "audio/pcmu", "audio/pcma"]
FlatFormat = Literal["pcm16", "g711_ulaw", "g711_alaw"]
Kind = Literal["realtime", "transcription"]
Milliseconds = Annotated[int, Meta(ge=0, le=60_000)]
Share = Annotated[float, Meta(ge=0, le=1)]
Speed = Annotated[float, Meta(ge=0.25, le=1.5)]
MaxTokens = Annotated[int, Meta(ge=1)] | Literal["inf"]


class Format(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How audio is written: s16le mono at 24 kHz, or G.711 at 8 kHz, which has no ``rate``."""

    type: FormatType
    rate: int | None = None


class NoiseReduction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far the microphone is; ``type`` None is as good as none at all."""

    type: Literal["near_field", "far_field"] | None = None


class Transcription(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether and how the user's speech is written down."""

    model: str | None = None
    language: str | None = None
    languages: list[str] | None = None
    prompt: str | None = None
    keywords: list[str] | None = None
    delay: Any = None


class TurnDetection(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    When a turn of the user's ends; all but ``type`` have defaults that depend on it.

    "none" is Azure's, and says what null does.
    """

    type: Literal["server_vad", "semantic_vad", "none"]
    threshold: Share | None = None
    prefix_padding_ms: Milliseconds | None = None
    silence_duration_ms: Milliseconds | None = None
    idle_timeout_ms: Milliseconds | None = None
    eagerness: Literal["low", "medium", "high", "auto"] | None = None
    create_response: bool | None = None
    interrupt_response: bool | None = None


class Tool(Struct, frozen=True, kw_only=True):
    """A tool; functions are the only ``type`` that GLM has."""

    type: str = "function"
    name: str | None = None
    description: str | None = None
    parameters: Mapping[str, Any] | None = None


class NamedTool(Struct, frozen=True, kw_only=True):
    """The one function that has to be called."""

    type: Literal["function"] = "function"
    name: str


class VoiceId(Struct, frozen=True, kw_only=True):
    """A voice by the id it has."""

    id: str


ToolChoice = str | NamedTool


class AudioInput(Struct, frozen=True, kw_only=True):
    """What is said of the microphone."""

    format: Format | UnsetType | None = UNSET
    transcription: Transcription | UnsetType | None = UNSET
    noise_reduction: NoiseReduction | UnsetType | None = UNSET
    turn_detection: TurnDetection | UnsetType | None = UNSET


class AudioOutput(Struct, frozen=True, kw_only=True):
    """What is said of the voice."""

    format: Format | UnsetType | None = UNSET
    voice: str | VoiceId | UnsetType | None = UNSET
    speed: Speed | UnsetType | None = UNSET


class Audio(Struct, frozen=True, kw_only=True):
    """What is said of sound."""

    input: AudioInput | UnsetType | None = UNSET
    output: AudioOutput | UnsetType | None = UNSET


class SessionChange(Struct, frozen=True, kw_only=True):
    """
    What a client says of a session. It may use the names of either shape: those of beta come last.

    ``glm`` is Zhipu's own: ``beta_fields`` and whatever else its session has.
    """

    type: Kind | UnsetType | None = UNSET
    model: str | UnsetType | None = UNSET
    output_modalities: list[Modality] | UnsetType | None = UNSET
    instructions: str | UnsetType | None = UNSET
    tools: list[Tool] | UnsetType | None = UNSET
    tool_choice: ToolChoice | UnsetType | None = UNSET
    max_output_tokens: MaxTokens | UnsetType | None = UNSET
    audio: Audio | UnsetType | None = UNSET
    include: Any | UnsetType = UNSET
    parallel_tool_calls: Any | UnsetType = UNSET
    prompt: Any | UnsetType = UNSET
    reasoning: Any | UnsetType = UNSET
    tracing: Any | UnsetType = UNSET
    truncation: Any | UnsetType = UNSET
    glm: Mapping[str, Any] | UnsetType | None = UNSET

    modalities: list[Modality] | UnsetType | None = UNSET
    voice: str | VoiceId | UnsetType | None = UNSET
    speed: Speed | UnsetType | None = UNSET
    input_audio_format: FlatFormat | UnsetType | None = UNSET
    output_audio_format: FlatFormat | UnsetType | None = UNSET
    input_audio_transcription: Transcription | UnsetType | None = UNSET
    input_audio_noise_reduction: NoiseReduction | UnsetType | None = UNSET
    turn_detection: TurnDetection | UnsetType | None = UNSET
    temperature: Annotated[float, Meta(ge=0, le=2)] | UnsetType | None = UNSET
    max_response_output_tokens: MaxTokens | UnsetType | None = UNSET


class RealtimeSession(Struct, frozen=True, kw_only=True, tag_field="type", tag="realtime"):
    """A whole session as a client is told it, in today's shape."""

    object: Literal["realtime.session"] = "realtime.session"
    id: str
    model: str
    output_modalities: tuple[Modality, ...]
    instructions: str
    tools: tuple[Tool, ...]
    tool_choice: ToolChoice
    max_output_tokens: MaxTokens
    audio: Audio
    expires_at: int
    include: Any = None
    parallel_tool_calls: Any | UnsetType = UNSET
    prompt: Any = None
    reasoning: Any | UnsetType = UNSET
    tracing: Any = None
    truncation: Any = "auto"
    glm: Mapping[str, Any] | UnsetType = UNSET


class TranscriptionSession(Struct, frozen=True, kw_only=True, tag_field="type", tag="transcription"):
    """A whole session that only writes down, in today's shape."""

    object: Literal["realtime.transcription_session"] = "realtime.transcription_session"
    id: str
    audio: Audio
    expires_at: int
    include: Any = None


class BetaSession(Struct, frozen=True, kw_only=True):
    """A whole session in beta's shape, which is flat."""

    id: str
    object: Literal["realtime.session"] = "realtime.session"
    model: str
    modalities: tuple[Modality, ...]
    instructions: str
    voice: str
    input_audio_format: FlatFormat
    output_audio_format: FlatFormat
    input_audio_transcription: Transcription | None
    input_audio_noise_reduction: NoiseReduction | None
    turn_detection: TurnDetection | None
    tools: tuple[Tool, ...]
    tool_choice: str
    temperature: float
    max_response_output_tokens: MaxTokens
    speed: float
    expires_at: int
    tracing: Any = None
    glm: Mapping[str, Any] | UnsetType = UNSET


class ClientSecret(Struct, frozen=True, kw_only=True):
    """A key for a browser, and when it expires (Unix seconds; 0 in an event: none was made)."""

    value: str
    expires_at: int


class BetaTranscriptionSession(Struct, frozen=True, kw_only=True):
    """A whole session that only writes down, in beta's shape."""

    id: str
    object: Literal["realtime.transcription_session"] = "realtime.transcription_session"
    input_audio_format: FlatFormat
    input_audio_transcription: Transcription | None
    input_audio_noise_reduction: NoiseReduction | None
    turn_detection: TurnDetection | None
    modalities: tuple[Modality, ...]
    client_secret: ClientSecret
    expires_at: int


Session = RealtimeSession | TranscriptionSession | BetaSession | BetaTranscriptionSession
