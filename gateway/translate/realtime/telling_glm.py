"""A session's configuration as GLM is told it: always whole, since an update replaces everything."""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET, UnsetType

from gateway.glm.realtime import session as glm
from gateway.openai.realtime.session import Tool, TurnDetection
from gateway.translate.realtime.config import Config, silence_ms

MAX_OUTPUT_TOKENS = 1024
NESTED = "beta_fields"
AUDIO = "audio"
VIDEO = "video_passive"
NO_PARAMETERS = {"type": "object", "properties": {}}


def to_glm(
    config: Config, *, hears_turns: bool, video: bool, notes: Sequence[str] = (), typed: Sequence[str] = ()
) -> glm.Session:
    """
    Return what GLM is told.

    ``hears_turns``: GLM decides when a turn ends, if the client wants that decided at all. ``video`` is the mode
    with pictures and without tools. ``notes`` are instructions too; ``typed`` is what was written and GLM knows by
    its instructions only.
    """
    turns = config.turn_detection if hears_turns else None
    limit = config.max_output_tokens
    return glm.Session(
        model=config.model,
        modalities=("text", "audio") if config.spoken else ("text",),
        instructions=instructions(config, notes=notes, typed=typed),
        voice=config.glm_voice,
        input_audio_noise_reduction=noise_reduction(config),
        turn_detection=turn_detection(turns) if turns is not None else UNSET,
        temperature=min(config.temperature, 1.0) if config.temperature is not None else UNSET,
        max_response_output_tokens=limit if isinstance(limit, str) else str(min(limit, MAX_OUTPUT_TOKENS)),
        tools=UNSET if video else tools(config),
        beta_fields=beta_fields(config, video=video),
    )


def turn_detection(turns: TurnDetection) -> glm.TurnDetection:
    return glm.TurnDetection(
        create_response=turns.create_response is not False,
        interrupt_response=turns.interrupt_response is not False,
        prefix_padding_ms=300 if turns.prefix_padding_ms is None else turns.prefix_padding_ms,
        silence_duration_ms=silence_ms(turns),
        threshold=0.5 if turns.threshold is None else turns.threshold,
    )


def noise_reduction(config: Config) -> glm.NoiseReduction | UnsetType:
    if config.noise_reduction is None or config.noise_reduction.type is None:
        return UNSET
    return glm.NoiseReduction(type=config.noise_reduction.type)


def tools(config: Config) -> tuple[glm.Tool, ...] | UnsetType:
    """Return the functions, none where the client wants none called: GLM has no ``tool_choice``."""
    if config.tool_choice == "none" or not config.tools:
        return UNSET
    return tuple(map(tool, config.tools))


def tool(said: Tool) -> glm.Tool:
    return glm.Tool(
        name=said.name or "",
        description=said.description or said.name or "",
        parameters=said.parameters if said.parameters is not None else NO_PARAMETERS,
    )


def instructions(config: Config, *, notes: Sequence[str], typed: Sequence[str]) -> str:
    """Return the instructions, with what GLM has no field for."""
    parts = [config.instructions, *notes]
    choice = config.tool_choice
    if config.tools and choice == "required":
        parts.append("Call a function to answer; do not answer without calling one.")
    elif config.tools and not isinstance(choice, str):
        parts.append(f"Call the function {choice.name} to answer; do not answer without calling it.")
    if typed:
        parts.append("The conversation so far, in writing. Answer what was written last:\n" + "\n".join(typed))
    return "\n\n".join(parts)


def beta_fields(config: Config, *, video: bool) -> dict[str, Any]:
    """Return Zhipu's own fields; the client's own come over ours."""
    fields: dict[str, Any] = {"chat_mode": AUDIO, "tts_source": "e2e", "auto_search": False, **own_fields(config)}
    if video:
        fields["chat_mode"] = VIDEO
    return fields


def own_fields(config: Config) -> dict[str, Any]:
    """Return what the client says in Zhipu's own words, whether or not it nests them as Zhipu does."""
    nested = config.glm.get(NESTED)
    flat = {name: value for name, value in config.glm.items() if name != NESTED}
    return flat | nested if isinstance(nested, dict) else flat


def asks_for_video(config: Config) -> bool:
    """Tell whether the client asks for a call with pictures before there is one."""
    return bool(own_fields(config).get("chat_mode", AUDIO) != AUDIO)
