"""
OpenAI's text-to-speech: what ``POST /v1/audio/speech`` takes, and the events it answers with where asked.

Source: OpenAI's OpenAPI description 2.3.0 (August 2026) and what the official SDKs send. In requests null means
absent. Zhipu's own extras are fields here too, because SDKs send them as extra body.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

SpeechFormat = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]

Input = Annotated[str, Meta(min_length=1, max_length=4096)]
Instructions = Annotated[str, Meta(max_length=4096)]
Speed = Annotated[float, Meta(ge=0.25, le=4.0)]
Volume = Annotated[float, Meta(gt=0, le=10)]


class CustomVoice(Struct, frozen=True, kw_only=True):
    """A voice of one's own, by its id."""

    id: Annotated[str, Meta(min_length=1)]


class CreateSpeechRequest(Struct, frozen=True, kw_only=True):
    """The body of ``POST /v1/audio/speech``; without ``response_format`` it becomes an mp3 file."""

    model: str
    input: Input
    voice: Annotated[str, Meta(min_length=1)] | CustomVoice
    instructions: Instructions | None = None
    response_format: SpeechFormat | None = None
    speed: Speed | None = None
    stream_format: Literal["audio", "sse"] | None = None
    volume: Volume | None = None
    watermark_enabled: bool | None = None
    request_id: str | None = None
    user_id: str | None = None


class SpeechAudioDelta(Struct, frozen=True, kw_only=True):
    """The next bytes of the file, as base64."""

    audio: str
    type: Literal["speech.audio.delta"] = "speech.audio.delta"


class SpeechUsage(Struct, frozen=True, kw_only=True):
    """
    What was spoken. Zhipu counts no tokens of it, and bills characters.

    ``input_tokens`` are the characters of the input, ``output_tokens`` 12.5 for every second of sound, which is
    what Zhipu's voice models count.
    """

    input_tokens: int
    output_tokens: int
    total_tokens: int


class SpeechAudioDone(Struct, frozen=True, kw_only=True):
    """The end of the file."""

    usage: SpeechUsage
    type: Literal["speech.audio.done"] = "speech.audio.done"
