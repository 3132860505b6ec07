"""
Zhipu's speech recognition: what ``POST /audio/transcriptions`` answers, whole and as a stream.

Source: docs.bigmodel.cn, audio transcription reference (OpenAPI of 2026-07), and the page of glm-asr, whose
answers also have segments and usage. The request is a multipart form: ``model``, ``file``, ``prompt``,
``hotwords`` (once for each word), ``stream``, ``request_id``, ``user_id``.
"""

from msgspec import Struct

from gateway.glm.chat import ErrorDetail, Usage


class Segment(Struct, frozen=True, kw_only=True):
    """What was said between two times, in seconds from the beginning of the file."""

    text: str
    start: float | None = None
    end: float | None = None


class TranscriptionAnswer(Struct, frozen=True, kw_only=True):
    """What was said; ``error`` instead when an error comes inside a success."""

    text: str | None = None
    segments: list[Segment] | None = None
    usage: Usage | None = None
    error: ErrorDetail | None = None


class TranscriptionChunk(Struct, frozen=True, kw_only=True):
    """
    One event of a stream.

    ``transcript.text.delta`` has a ``delta``, the last, ``transcript.text.done``, the whole ``text``. An answer
    that was not streamed has neither type.
    """

    type: str | None = None
    delta: str | None = None
    text: str | None = None
    usage: Usage | None = None
    error: ErrorDetail | None = None
