"""
What a call is told about itself, checked: every update replaces the whole.

Source: docs.bigmodel.cn, GLM-Realtime, session.update and transcription_session.update; the vendor's SDK, whose
samples send null for what they leave open and 0 for the numbers of server VAD; users, who report that an omitted
``beta_fields`` resets the mode, and that its fields outside of it break the call. Unknown fields are ignored.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct, field

from gateway.simulator.chat.tools import is_function_name
from gateway.simulator.realtime.models import DEFAULT_MODEL, REALTIME_MODELS, VOICES
from gateway.simulator.realtime.trouble import BROKEN, Trouble

MOST_OUTPUT_TOKENS = 1024
_MOST_GREETING = 1024
_GREETING = "你好，我是小智，有什么可以帮助你的吗？"
_RATES_HZ = {"wav": 16000, "pcm": 16000, "pcm16": 16000, "pcm24": 24000}
_WHOLE_NUMBER = re.compile(r"\d{1,4}")
_SEARCH_TOOL = {
    "name": "search_engine_auto",
    "description": "多功能网络搜索工具，旨在检索互联网上的实时、准确和全面的信息。",
    "parameters": {"type": "object", "properties": {"q": {"type": "string", "description": "搜索查询"}}},
    "type": "function",
}

ChatMode = Literal["audio", "video_passive"]
Fields = TypeVar("Fields")


class NoiseReduction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far the microphone is."""

    type: Literal["near_field", "far_field"]


class TurnDetection(Struct, frozen=True, kw_only=True):
    """Who says when a turn ends; numbers that are null or 0 are the default ones."""

    type: Literal["server_vad", "client_vad"]
    create_response: bool | None = None
    interrupt_response: bool | None = None
    prefix_padding_ms: int | None = None
    silence_duration_ms: int | None = None
    threshold: float | None = None


class Greeting(Struct, frozen=True, kw_only=True):
    """What the model says first."""

    enable: bool | None = None
    content: str | None = None


class BetaFields(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Zhipu's own fields."""

    chat_mode: ChatMode = "audio"
    tts_source: str | None = None
    auto_search: bool | None = None
    greeting_config: Greeting | None = None


class Tool(Struct, frozen=True, kw_only=True):
    """A function that may be called."""

    name: str
    description: str
    parameters: dict[str, Any]
    type: Literal["function"] = "function"


class SessionFields(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The session as clients send it."""

    model: str | None = None
    modalities: list[Literal["text", "audio"]] | None = None
    instructions: str | None = None
    voice: str | None = None
    input_audio_format: Literal["wav", "pcm", "pcm16", "pcm24"] | None = None
    output_audio_format: Literal["pcm", "mp3"] | None = None
    input_audio_noise_reduction: NoiseReduction | None = None
    turn_detection: TurnDetection | None = None
    temperature: float | None = None
    max_response_output_tokens: str | None = None
    tools: list[Tool] | None = None
    beta_fields: BetaFields | None = None


class Turns(Struct, frozen=True, kw_only=True):
    """How the platform hears when a turn ends, and what it does then. ``threshold`` is from 0 to 1."""

    create_response: bool = True
    interrupt_response: bool = True
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500
    threshold: float = 0.5


class Session(Struct, frozen=True, kw_only=True):
    """
    The whole of what a call goes by; ``turns`` None leaves the turns to the client.

    ``greeting`` is what the model says first; None when it waits. ``transcribes`` calls write down, never answer.
    """

    model: str = DEFAULT_MODEL
    spoken: bool = True
    instructions: str = ""
    voice: str = "default"
    input_format: str = "wav"
    output_format: str = "pcm"
    turns: Turns | None = None
    output_tokens: int = MOST_OUTPUT_TOKENS
    functions: list[dict[str, Any]] = field(default_factory=list)
    mode: ChatMode = "audio"
    searches: bool = False
    greeting: str | None = None
    transcribes: bool = False

    @property
    def input_hz(self) -> int:
        """The rate of audio that comes without a header."""
        return _RATES_HZ[self.input_format]


def read_session(fields: Mapping[str, Any]) -> tuple[Session, dict[str, Any]]:
    """Return what ``session.update`` asks for, and how it is echoed; raise Trouble."""
    if "chat_mode" in fields or "tts_source" in fields:
        raise Trouble(
            "downstream reconnect exceeded: 3/3",
            code="downstream_reconnect_exceeded",
            kind="server_error",
            close_code=BROKEN,
        )
    said = _convert(fields, SessionFields)
    beta = said.beta_fields or BetaFields()
    _check(said, beta)
    session = Session(
        model=said.model or DEFAULT_MODEL,
        spoken="audio" in (said.modalities or ["text", "audio"]),
        instructions=said.instructions or "",
        voice=said.voice or "default",
        input_format=said.input_audio_format or "wav",
        output_format=said.output_audio_format or "pcm",
        turns=_turns(said.turn_detection),
        output_tokens=_output_tokens(said.max_response_output_tokens),
        functions=[msgspec.to_builtins(tool) for tool in said.tools or []],
        mode=beta.chat_mode,
        searches=beta.auto_search is True,
        greeting=_greeting(beta.greeting_config),
    )
    return session, _echo(said, session)


def read_transcription(fields: Mapping[str, Any]) -> tuple[Session, dict[str, Any]]:
    """Return what ``transcription_session.update`` asks for, and how it is echoed; raise Trouble."""
    said = _convert(fields, SessionFields)
    form = said.input_audio_format or "pcm"
    if form not in {"pcm", "pcm16", "wav"}:
        raise Trouble("session.input_audio_format: pcm or wav")
    session = Session(input_format=form, turns=_turns(said.turn_detection), transcribes=True)
    noise = said.input_audio_noise_reduction or NoiseReduction(type="far_field")
    echo = {
        "input_audio_format": form,
        "input_audio_noise_reduction": msgspec.to_builtins(noise),
        "modalities": said.modalities or ["text", "audio"],
    }
    return session, echo | _echo_of_turns(session.turns)


def _convert(fields: Mapping[str, Any], kind: type[Fields]) -> Fields:
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise Trouble(f"session: {error}") from error


def _check(said: SessionFields, beta: BetaFields) -> None:
    if said.model is not None and said.model not in REALTIME_MODELS:
        raise Trouble(f"session.model: {said.model} does not exist")
    if said.voice is not None and said.voice not in VOICES:
        raise Trouble(f"session.voice: {said.voice} does not exist")
    if said.temperature is not None and not 0 <= said.temperature <= 1:
        raise Trouble("session.temperature: from 0 to 1")
    greeting = beta.greeting_config
    if greeting is not None and len(greeting.content or "") > _MOST_GREETING:
        raise Trouble(f"session.beta_fields.greeting_config.content: at most {_MOST_GREETING} characters")
    if said.tools and beta.chat_mode != "audio":
        raise Trouble("session.tools: in calls without video only")
    for tool in said.tools or []:
        if not is_function_name(tool.name) or not tool.description:
            raise Trouble("session.tools: a name of letters, digits, _ and -, and a description")


def _turns(said: TurnDetection | None) -> Turns | None:
    if said is None or said.type == "client_vad":
        return None
    given = {name: getattr(said, name) for name in Turns.__struct_fields__}
    numbers = {name: value for name, value in given.items() if value or value is False}
    if not 0 <= numbers.get("threshold", 0.5) <= 1:
        raise Trouble("session.turn_detection.threshold: from 0 to 1")
    if min(numbers.get("prefix_padding_ms", 0), numbers.get("silence_duration_ms", 0)) < 0:
        raise Trouble("session.turn_detection: milliseconds cannot be negative")
    return Turns(**numbers)


def _output_tokens(said: str | None) -> int:
    if said in {None, "", "inf"}:
        return MOST_OUTPUT_TOKENS
    number = int(said) if said and _WHOLE_NUMBER.fullmatch(said) else 0
    if not 0 < number <= MOST_OUTPUT_TOKENS:
        raise Trouble('session.max_response_output_tokens: "inf", or a number up to 1024')
    return number


def _greeting(said: Greeting | None) -> str | None:
    return (said.content or _GREETING) if said is not None and said.enable else None


def _echo(said: SessionFields, session: Session) -> dict[str, Any]:
    echo: dict[str, Any] = {
        "model": session.model,
        "modalities": said.modalities or ["text", "audio"],
        "voice": session.voice,
        "input_audio_format": session.input_format,
        "output_audio_format": session.output_format,
        "temperature": 0.05 if said.temperature is None else said.temperature,
        "max_response_output_tokens": said.max_response_output_tokens or "inf",
        "beta_fields": {"chat_mode": session.mode, "tts_source": "e2e", "auto_search": session.searches},
    }
    if said.instructions:
        echo["instructions"] = said.instructions
    if said.input_audio_noise_reduction is not None:
        echo["input_audio_noise_reduction"] = msgspec.to_builtins(said.input_audio_noise_reduction)
    tools = [*session.functions, *([_SEARCH_TOOL] if session.searches and session.mode == "audio" else [])]
    return echo | ({"tools": tools} if tools else {}) | _echo_of_turns(session.turns)


def _echo_of_turns(turns: Turns | None) -> dict[str, Any]:
    return {"turn_detection": {"type": "server_vad"} | msgspec.to_builtins(turns)} if turns is not None else {}
