"""
The parts of a recording: where they are, what is sent for them, and what GLM heard in them.

A part that GLM gives no segments for is one line, from its first sound to its last.
"""

from collections.abc import Mapping, Sequence

from msgspec import UNSET, Struct, UnsetType

from gateway.audio import Cut, Piece, Probe, wav
from gateway.audio.pcm import SAMPLE_BYTES, WAV_HEADER
from gateway.catalog import TranscriptionTraits
from gateway.glm import transcriptions as glm
from gateway.glm.chat import Usage
from gateway.translate.answers import reader_of
from gateway.translate.endpoint import Call
from gateway.translate.errors import unreadable
from gateway.translate.multipart import Attached, write_form
from gateway.translate.transcriptions.transcript import Line, join
from gateway.translate.transcriptions.upload import RATE, Recording

PIECE_SECONDS = 25.0
"""Well below GLM's 30 s: what it cuts off is lost."""

LEAST_SHARE = 0.6
"""How much of the longest piece any but the last has, so that a pause is near and there are few."""

LINE_SECONDS = 6.0
"""From where on a pause ends a piece, when times are asked for: as long as a subtitle is read."""

read_answer = reader_of(glm.TranscriptionAnswer)


class Part(Struct, kw_only=True):
    """
    A part of a recording, from ``start`` to ``end`` in seconds; ``text`` and what follows is GLM's.

    ``latest`` bounds the times that GLM tells. ``original`` is what was said where ``text`` is its translation,
    else empty.
    """

    start: float
    end: float
    latest: float
    speech_start: float
    speech_end: float
    text: str = ""
    original: str = ""
    segments: Sequence[glm.Segment] = ()
    usage: Usage | None = None

    def hear(self, body: bytes) -> None:
        """Take GLM's answer; raise the error that it carries, or UpstreamProtocolError: both GLM's fault."""
        answer = read_answer(body)
        if answer.text is None and answer.segments is None:
            raise unreadable()
        self.segments = answer.segments or ()
        self.text = answer.text if answer.text is not None else join(one.text for one in self.segments)
        self.usage = answer.usage

    @property
    def lines(self) -> list[Line]:
        """What was said, with times from the beginning of the recording."""
        if timed := self._timed():
            return timed
        text = self.text.strip()
        return [Line(self.speech_start, self.speech_end, text)] if text else []

    def _timed(self) -> list[Line]:
        """Return GLM's segments; none where one of them has no times, since its words would be missing."""
        lines = []
        for one in self.segments:
            if text := one.text.strip():
                if one.start is None or one.end is None:
                    return []
                lines.append(Line(self._within(one.start), self._within(max(one.start, one.end)), text))
        return lines

    def _within(self, seconds: float) -> float:
        return min(self.start + max(seconds, 0.0), self.latest)


def part_of(piece: Piece, *, alone_seconds: float = 0.0) -> Part:
    """
    Return the part that a piece is; one in which nothing is heard is all of it.

    One that is a whole recording ends when GLM says it does, if that is within ``alone_seconds``.
    """
    return Part(
        start=piece.start,
        end=piece.end,
        latest=max(piece.end, piece.start + alone_seconds),
        speech_start=piece.start if piece.speech_start is None else piece.speech_start,
        speech_end=piece.end if piece.speech_end is None else piece.speech_end,
    )


def cut_for(traits: TranscriptionTraits, *, timed: bool) -> Cut:
    """Return how a long recording is cut for a model; finer where each piece is a line with times."""
    by_size = (traits.max_audio_bytes - WAV_HEADER.size) / SAMPLE_BYTES / RATE
    longest = min(PIECE_SECONDS, traits.max_audio_seconds, by_size)
    return Cut(
        max_seconds=longest,
        min_seconds=LEAST_SHARE * longest,
        pause_after_seconds=min(LINE_SECONDS, longest / 2) if timed else None,
    )


def passes(found: Probe, traits: TranscriptionTraits) -> bool:
    """Tell whether a recording that is short enough goes to the model as it is."""
    return found.plain and found.container in traits.audio_formats and found.size_bytes <= traits.max_audio_bytes


class Dispatch:
    """Makes the calls of one request. ``fields`` are those of GLM's form, ``id`` what nobody else can know."""

    def __init__(self, fields: Mapping[str, object], *, stream: bool | UnsetType = UNSET, id: str) -> None:  # noqa: A002
        self._texts = [
            (name, str(text))
            for name, value in fields.items()
            for text in (value if isinstance(value, list) else [value])
        ]
        if stream is not UNSET:
            self._texts.append(("stream", str(stream).lower()))
        self._boundary = f"glm-gateway-{id}"
        self._calls = 0

    def whole(self, recording: Recording, found: Probe) -> Call:
        """Return the call for a recording as it is."""
        return self._call(recording.read(), kind=found.container)

    def piece(self, piece: Piece, *, prompt: str | None = None) -> Call:
        """Return the call for a piece; ``prompt`` takes the place of the caller's."""
        return self._call(wav(piece.pcm, sample_rate=RATE), kind="wav", prompt=prompt)

    def _call(self, data: bytes, *, kind: str, prompt: str | None = None) -> Call:
        texts = [
            (name, text)
            for name, text in self._texts
            if not (name == "request_id" and self._calls) and not (name == "prompt" and prompt is not None)
        ]
        if prompt is not None:
            texts.append(("prompt", prompt))
        self._calls += 1
        file = Attached("file", f"audio.{kind}", "audio/mpeg" if kind == "mp3" else "audio/wav", data)
        body, content_type = write_form(texts, file, boundary=self._boundary)
        return Call(body, content_type)
