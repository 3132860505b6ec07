"""What a client says of its session, of either shape, and the configuration that holds after it."""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from gateway.errors import InvalidRequest
from gateway.openai.realtime.items import ResponseParams
from gateway.openai.realtime.session import (
    AudioInput,
    AudioOutput,
    Format,
    FormatType,
    SessionChange,
    Tool,
    VoiceId,
)
from gateway.translate.realtime.config import FORMATS, NEUTRAL_INSTRUCTIONS, PCM_HERTZ, Config, completed
from gateway.translate.realtime.voices import glm_voice

ECHOED = ("include", "parallel_tool_calls", "prompt", "reasoning", "tracing", "truncation")
"""What is accepted without effect, and told again."""


def changed(config: Config, change: SessionChange, *, at: str = "session") -> Config:
    """
    Return ``config`` with what a client says changed; null goes back to the default.

    Raises InvalidRequest whose ``param`` begins with ``at``: the client's fault.
    """
    fields: dict[str, Any] = {}
    take_plain(fields, change)
    take_modalities(fields, change.output_modalities, at=f"{at}.output_modalities")
    take_modalities(fields, change.modalities, at=f"{at}.modalities")
    if change.tools is not UNSET:
        fields["tools"] = checked_tools(change.tools or (), at=f"{at}.tools")
    take_flat_audio(fields, change, config, at=at)
    if change.audio:
        if change.audio.input:
            take_input(fields, change.audio.input, at=f"{at}.audio.input")
        if change.audio.output:
            take_output(fields, change.audio.output, config, at=f"{at}.audio.output")
    echoed = {name: getattr(change, name) for name in ECHOED if getattr(change, name) is not UNSET}
    if echoed:
        fields["echoed"] = {**config.echoed, **echoed}
    if change.glm is not UNSET:
        fields["glm"] = {**config.glm, **(change.glm or {})}
    new = replace(config, **fields)
    check_choice(new, at=f"{at}.tool_choice")
    return new


def take_plain(fields: dict[str, Any], change: SessionChange) -> None:
    """Take what has no counterpart in the other shape, and what differs in its name only."""
    if change.type:
        fields["kind"] = change.type
    if change.instructions is not UNSET:
        fields["instructions"] = change.instructions or NEUTRAL_INSTRUCTIONS
    if change.tool_choice is not UNSET:
        fields["tool_choice"] = change.tool_choice or "auto"
    if change.temperature is not UNSET:
        fields["temperature"] = change.temperature
    for limit in (change.max_output_tokens, change.max_response_output_tokens):
        if limit is not UNSET:
            fields["max_output_tokens"] = limit or "inf"


def take_modalities(fields: dict[str, Any], modalities: Any, *, at: str) -> None:
    if modalities is UNSET:
        return
    if modalities == []:
        raise InvalidRequest(f"'{at}' is empty; choose ['audio'] or ['text'].", param=at, code="invalid_value")
    fields["output_modalities"] = ("text",) if modalities == ["text"] else ("audio",)


def take_flat_audio(fields: dict[str, Any], change: SessionChange, config: Config, *, at: str) -> None:
    """Take what beta says of sound, by names of its own."""
    take_output(fields, AudioOutput(voice=change.voice, speed=change.speed), config, at=at, voice_at=f"{at}.voice")
    if change.input_audio_format is not UNSET:
        fields["input_format"] = FORMATS[change.input_audio_format or "pcm16"]
    if change.output_audio_format is not UNSET:
        fields["output_format"] = FORMATS[change.output_audio_format or "pcm16"]
    take_input(
        fields,
        AudioInput(
            transcription=change.input_audio_transcription,
            noise_reduction=change.input_audio_noise_reduction,
            turn_detection=change.turn_detection,
        ),
        at=at,
    )


def take_input(fields: dict[str, Any], said: AudioInput, *, at: str) -> None:
    if said.format is not UNSET:
        fields["input_format"] = checked_format(said.format, at=f"{at}.format")
    if said.transcription is not UNSET:
        fields["transcription"] = said.transcription
    if said.noise_reduction is not UNSET:
        fields["noise_reduction"] = said.noise_reduction
    if said.turn_detection is not UNSET:
        turns = said.turn_detection
        fields["turn_detection"] = None if turns is None or turns.type == "none" else completed(turns)


def take_output(fields: dict[str, Any], said: AudioOutput, config: Config, *, at: str, voice_at: str = "") -> None:
    if said.format is not UNSET:
        fields["output_format"] = checked_format(said.format, at=f"{at}.format")
    if said.speed is not UNSET:
        fields["speed"] = said.speed or 1.0
    if said.voice:
        voice = said.voice.id if isinstance(said.voice, VoiceId) else said.voice
        fields["voice"] = voice
        fields["glm_voice"] = glm_voice(voice, voices=config.voices, param=voice_at or f"{at}.voice")


def checked_format(said: Format | None, *, at: str) -> FormatType:
    if said is None:
        return "audio/pcm"
    if said.type == "audio/pcm" and said.rate not in {None, PCM_HERTZ}:
        raise InvalidRequest(
            f"'{at}.rate' has to be {PCM_HERTZ}; send pcm at that rate.", param=f"{at}.rate", code="invalid_value"
        )
    return said.type


def checked_tools(tools: Sequence[Tool], *, at: str) -> tuple[Tool, ...]:
    """Return the tools; raise InvalidRequest for one that is no function, or has no name."""
    for number, tool in enumerate(tools):
        if tool.type != "function":
            raise InvalidRequest(
                f"'{at}[{number}].type' has to be 'function'; GLM-Realtime has no other tools.",
                param=f"{at}[{number}].type",
                code="unsupported_value",
            )
        if not tool.name:
            param = f"{at}[{number}].name"
            raise InvalidRequest(
                f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter"
            )
    return tuple(tools)


def check_choice(config: Config, *, at: str) -> None:
    """Raise InvalidRequest for a choice that is none, or of a function that is not there."""
    choice = config.tool_choice
    if isinstance(choice, str):
        if choice not in {"auto", "none", "required"}:
            raise InvalidRequest(
                f"'{at}' has to be 'auto', 'none', 'required' or a function.", param=at, code="invalid_value"
            )
    elif choice.name not in {tool.name for tool in config.tools}:
        raise InvalidRequest(f"'{at}' names a function that is not in 'tools'.", param=at, code="invalid_value")


def of_response(config: Config, params: ResponseParams) -> Config:
    """Return what holds for one response; raise InvalidRequest."""
    change = SessionChange(
        instructions=params.instructions,
        output_modalities=params.output_modalities,
        tools=params.tools,
        tool_choice=params.tool_choice,
        max_output_tokens=params.max_output_tokens,
        audio=params.audio,
        modalities=params.modalities,
        voice=params.voice,
        output_audio_format=params.output_audio_format,
        temperature=params.temperature,
        max_response_output_tokens=params.max_response_output_tokens,
    )
    # What is null here is not said for this response, and the session's own holds.
    said = {name: None for name in change.__struct_fields__ if getattr(change, name) is None}
    return changed(config, replace(change, **dict.fromkeys(said, UNSET)), at="response")
