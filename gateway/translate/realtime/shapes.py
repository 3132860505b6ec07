"""The two shapes in which a client may be told: today's (GA) and beta's; what is told is the same."""

from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import UNSET
from msgspec.structs import replace

from gateway.openai.realtime import items, server, session
from gateway.translate.realtime.config import DEFAULT_TEMPERATURE, FORMATS, PCM_HERTZ, Config

FLAT_FORMATS: Mapping[session.FormatType, Any] = {form: name for name, form in FORMATS.items()}
BETA_CONTENT = {"output_text": "text", "output_audio": "audio"}


class Shape(Protocol):
    """How a client is told. ``names`` lacks the events that are not told."""

    names: Mapping[type[server.ServerEvent], str]

    def session(self, config: Config, *, session_id: str, expires_at: int) -> session.Session:
        """Return a whole session; ``expires_at`` is Unix time."""

    def response(self, response: items.Response, config: Config) -> server.Response:
        """Return a response, which is given in today's shape."""

    def item(self, item: items.Item) -> items.Item:
        """Return an item, which is given in today's shape."""


class Today:
    """Today's shape."""

    names = server.NAMES

    def session(self, config: Config, *, session_id: str, expires_at: int) -> session.Session:
        """Return a whole session."""
        heard = session.AudioInput(
            format=audio_format(config.input_format),
            transcription=config.transcription,
            noise_reduction=config.noise_reduction,
            turn_detection=config.turn_detection,
        )
        if config.kind == "transcription":
            return session.TranscriptionSession(
                id=session_id,
                audio=session.Audio(input=heard),
                expires_at=expires_at,
                include=config.echoed.get("include"),
            )
        spoken = session.AudioOutput(
            format=audio_format(config.output_format), voice=config.voice, speed=config.speed
        )
        return session.RealtimeSession(
            id=session_id,
            model=config.model,
            output_modalities=config.output_modalities,
            instructions=config.instructions,
            tools=config.tools,
            tool_choice=config.tool_choice,
            max_output_tokens=config.max_output_tokens,
            audio=session.Audio(input=heard, output=spoken),
            expires_at=expires_at,
            glm=config.glm or UNSET,
            **{name: value for name, value in config.echoed.items() if value is not None},
        )

    def response(self, response: items.Response, config: Config) -> server.Response:
        """Return a response."""
        del config
        return response

    def item(self, item: items.Item) -> items.Item:
        """Return an item."""
        return item


class Beta:
    """Beta's shape."""

    names = server.BETA_NAMES

    def session(self, config: Config, *, session_id: str, expires_at: int) -> session.Session:
        """Return a whole session."""
        if config.kind == "transcription":
            return session.BetaTranscriptionSession(
                id=session_id,
                input_audio_format=FLAT_FORMATS[config.input_format],
                input_audio_transcription=config.transcription,
                input_audio_noise_reduction=config.noise_reduction,
                turn_detection=config.turn_detection,
                modalities=("text", "audio"),
                client_secret=session.ClientSecret(value="", expires_at=0),
                expires_at=expires_at,
            )
        choice = config.tool_choice
        return session.BetaSession(
            id=session_id,
            model=config.asked_model,
            modalities=flat_modalities(config),
            instructions=config.instructions,
            voice=config.voice,
            input_audio_format=FLAT_FORMATS[config.input_format],
            output_audio_format=FLAT_FORMATS[config.output_format],
            input_audio_transcription=config.transcription,
            input_audio_noise_reduction=config.noise_reduction,
            turn_detection=config.turn_detection,
            tools=config.tools,
            tool_choice=choice if isinstance(choice, str) else choice.name,
            temperature=DEFAULT_TEMPERATURE if config.temperature is None else config.temperature,
            max_response_output_tokens=config.max_output_tokens,
            speed=config.speed,
            expires_at=expires_at,
            tracing=config.echoed.get("tracing"),
            glm=config.glm or UNSET,
        )

    def response(self, response: items.Response, config: Config) -> server.Response:
        """Return a response."""
        return items.BetaResponse(
            id=response.id,
            status=response.status,
            status_details=response.status_details,
            output=tuple(map(self.item, response.output)),
            conversation_id=response.conversation_id,
            modalities=flat_modalities(config),
            voice=config.voice,
            output_audio_format=FLAT_FORMATS[config.output_format],
            temperature=DEFAULT_TEMPERATURE if config.temperature is None else config.temperature,
            max_output_tokens=response.max_output_tokens,
            usage=response.usage,
            metadata=response.metadata,
        )

    def item(self, item: items.Item) -> items.Item:
        """Return an item, whose parts have other names; beta knows no pictures."""
        if item.content is UNSET:
            return item
        content = tuple(
            replace(part, type=BETA_CONTENT.get(part.type, part.type))
            for part in item.content
            if part.type != "input_image"
        )
        return replace(item, content=content)


def flat_modalities(config: Config) -> tuple[session.Modality, ...]:
    return ("text", "audio") if config.spoken else ("text",)


def audio_format(form: session.FormatType) -> session.Format:
    return session.Format(type=form, rate=PCM_HERTZ if form == "audio/pcm" else None)
