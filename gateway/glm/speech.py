"""
Zhipu's text-to-speech: what ``POST /audio/speech`` takes and streams.

Source: docs.bigmodel.cn, text-to-speech reference (OpenAPI of 2026-07), Zhipu's own SDKs. Streams are pcm16 only,
a whole answer is the bytes themselves. 24 kHz is the rate that the page advises; that streams tell theirs in
``return_sample_rate`` is known from their readers.
"""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from gateway.glm.chat import ErrorDetail

SAMPLE_RATE = 24_000


class SpeechRequest(Struct, frozen=True, kw_only=True):
    """The body of ``POST /audio/speech``; ``input`` of at most 1024 characters, ``speed`` 0.5 to 2."""

    model: str
    input: str
    voice: str
    response_format: Literal["pcm", "wav"] = "pcm"
    stream: bool = True
    speed: float | UnsetType = UNSET
    volume: float | UnsetType = UNSET
    watermark_enabled: bool | UnsetType = UNSET
    request_id: str | UnsetType = UNSET
    user_id: str | UnsetType = UNSET


class SpeechDelta(Struct, frozen=True, kw_only=True):
    """The next samples as base64, and their rate in Hz where it is told."""

    content: str | None = None
    return_sample_rate: int | None = None


class SpeechChoice(Struct, frozen=True, kw_only=True):
    """The one stream of sound; the last has a reason and no delta."""

    delta: SpeechDelta | None = None
    finish_reason: str | None = None


class SpeechChunk(Struct, frozen=True, kw_only=True):
    """One event of a stream; ``error`` is set when it fails."""

    choices: list[SpeechChoice] | None = None
    error: ErrorDetail | None = None
