"""What a session is told of itself."""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType


class NoiseReduction(Struct, frozen=True, kw_only=True):
    """How far the microphone is."""

    type: Literal["near_field", "far_field"]


class TurnDetection(Struct, frozen=True, kw_only=True):
    """
    GLM decides when a turn ends; a session without this leaves it to its client.

    The three numbers stand in the table of the transcription session and in the echo of this one.
    """

    type: Literal["server_vad"] = "server_vad"
    create_response: bool
    interrupt_response: bool
    prefix_padding_ms: int
    silence_duration_ms: int
    threshold: float


class Tool(Struct, frozen=True, kw_only=True):
    """A function; the four fields are required, and voice calls alone may have any."""

    type: Literal["function"] = "function"
    name: str
    description: str
    parameters: Mapping[str, Any]


class Session(Struct, frozen=True, kw_only=True):
    """
    Everything a session is told, always all of it: what an update leaves out goes back to its default.

    ``input_audio_format`` "pcm" is 16 kHz mono s16le, ``output_audio_format`` "pcm" is 24 kHz of the same.
    ``max_response_output_tokens`` is a text, "inf" or a number up to 1024. ``beta_fields`` is required; its
    ``chat_mode`` is "audio" or "video_passive", and from the latter there is no way back without losing history.
    """

    model: str
    modalities: tuple[str, ...]
    instructions: str
    voice: str
    input_audio_format: str = "pcm"
    output_audio_format: str = "pcm"
    input_audio_noise_reduction: NoiseReduction | UnsetType = UNSET
    turn_detection: TurnDetection | UnsetType = UNSET
    temperature: float | UnsetType = UNSET
    max_response_output_tokens: str | UnsetType = UNSET
    tools: tuple[Tool, ...] | UnsetType = UNSET
    beta_fields: Mapping[str, Any]
