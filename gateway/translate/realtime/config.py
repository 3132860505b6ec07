"""The configuration of a session: one model of it for clients of both shapes."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.openai.realtime.session import (
    FormatType,
    Kind,
    MaxTokens,
    Modality,
    NoiseReduction,
    Tool,
    ToolChoice,
    Transcription,
    TurnDetection,
)

NEUTRAL_INSTRUCTIONS = "You are a helpful assistant. Answer in the language that you are spoken to in."
"""Without any, GLM introduces itself as somebody of Zhipu's making."""

PCM_HERTZ = 24_000
DEFAULT_TEMPERATURE = 0.8
FORMATS: Mapping[str, FormatType] = {
    "pcm16": "audio/pcm",
    "g711_ulaw": "audio/pcmu",
    "g711_alaw": "audio/pcma",
}
SILENCE_MS = {"low": 1000, "medium": 500, "auto": 500, "high": 300}
"""How long a silence ends a turn, by OpenAI's word for how eager the model is to speak."""


class Config(Struct, frozen=True, kw_only=True):
    """
    What holds for a session.

    ``model`` is GLM's id, ``asked_model`` what the client called it; ``voice`` is what the client calls it,
    ``glm_voice`` what GLM does. ``temperature`` None: GLM's own. ``echoed`` has what is accepted without effect,
    and told again. ``glm`` has fields of Zhipu's own.
    """

    model: str
    asked_model: str
    voices: tuple[str, ...]
    voice: str
    glm_voice: str
    kind: Kind = "realtime"
    output_modalities: tuple[Modality, ...] = ("audio",)
    instructions: str = NEUTRAL_INSTRUCTIONS
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = "auto"
    max_output_tokens: MaxTokens = "inf"
    input_format: FormatType = "audio/pcm"
    output_format: FormatType = "audio/pcm"
    transcription: Transcription | None = None
    noise_reduction: NoiseReduction | None = None
    turn_detection: TurnDetection | None = None
    temperature: float | None = None
    speed: float = 1.0
    echoed: Mapping[str, Any] = {}
    glm: Mapping[str, Any] = {}

    @classmethod
    def first(cls, *, model: str, asked_model: str, voices: Sequence[str], voice: str) -> "Config":
        """Return what holds before a client has said anything: GLM hears when a turn ends."""
        return cls(
            model=model,
            asked_model=asked_model,
            voices=tuple(voices),
            voice=voice,
            glm_voice=voice,
            turn_detection=completed(TurnDetection(type="server_vad")),
        )

    @property
    def spoken(self) -> bool:
        """Whether answers are spoken, and not written."""
        return "audio" in self.output_modalities


def completed(turns: TurnDetection) -> TurnDetection:
    """Return the same with every value that holds."""
    turns = replace(
        turns,
        create_response=turns.create_response is not False,
        interrupt_response=turns.interrupt_response is not False,
    )
    if turns.type == "semantic_vad":
        return replace(turns, eagerness=turns.eagerness or "auto")
    return replace(
        turns,
        threshold=0.5 if turns.threshold is None else turns.threshold,
        prefix_padding_ms=300 if turns.prefix_padding_ms is None else turns.prefix_padding_ms,
        silence_duration_ms=500 if turns.silence_duration_ms is None else turns.silence_duration_ms,
    )


def silence_ms(turns: TurnDetection) -> int:
    """Return how long a silence ends a turn."""
    if turns.silence_duration_ms is not None:
        return turns.silence_duration_ms
    return SILENCE_MS[turns.eagerness or "auto"]
