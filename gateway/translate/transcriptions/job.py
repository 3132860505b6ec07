"""A recording as a job: one call where it fits, else one for each piece, made while others are under way."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from itertools import islice

from msgspec import Struct

from gateway.audio import Cut, Piece
from gateway.catalog import TranscriptionTraits
from gateway.errors import ClientError, GatewayError, InvalidRequest
from gateway.glm.chat import Usage
from gateway.openai.transcriptions import ResponseFormat
from gateway.translate.chat.answer import add_usage
from gateway.translate.endpoint import EVENT_STREAM, Call, Calls, Recalled
from gateway.translate.errors import to_openai
from gateway.translate.sse import event
from gateway.translate.transcriptions.params import short_enough
from gateway.translate.transcriptions.parts import Dispatch, Part, cut_for, part_of, passes
from gateway.translate.transcriptions.stream import PartStream, done
from gateway.translate.transcriptions.transcript import Task, Transcript, join, media_type, write
from gateway.translate.transcriptions.upload import Recording

TIMED = ("srt", "vtt", "verbose_json")
LEAST_BIT_RATE = 3_200
"""Where no second has as many bits nobody speaks: hours of silence in few bytes are known without decoding."""

CARRIED_CHARACTERS = 500
"""How much of what was said last a piece is given as its prompt, when they go one after the other."""


class Order(Struct, frozen=True, kw_only=True):
    """What is wanted of a recording; ``prompt`` empty: the caller gave none."""

    kind: ResponseFormat
    at_once: int
    ignored: Sequence[str]
    prompt: str = ""
    language: str | None = None


class TranscriptionJob:
    """What was said in a recording, by as many calls as it takes."""

    in_order = True
    recalled: Recalled | None = None
    stream_type = EVENT_STREAM
    leave: Mapping[str, str] = {}
    task: Task = "transcribe"

    def __init__(
        self, recording: Recording, order: Order, *, dispatch: Dispatch, traits: TranscriptionTraits
    ) -> None:
        self.ignored = order.ignored
        self.at_once: int | None = order.at_once
        self.media_type = media_type(order.kind)
        self.parts: list[Part] = []
        self._order = order
        self._dispatch = dispatch
        self._recording = recording
        self._streams: dict[int, PartStream] = {}
        self._seconds = 0.0
        self.calls: Calls = self._plan(traits)

    @property
    def usage(self) -> Usage | None:
        """Tokens of every call that was answered so far, added up; None when GLM did not tell."""
        total = None
        for part in self.parts:
            total = add_usage(total, part.usage)
        return total

    def receive(self, index: int, body: bytes) -> Call | None:
        """Take what GLM heard in a part."""
        self.parts[index].hear(body)
        return None

    def explain(self, index: int, error: GatewayError) -> GatewayError:
        """Say which part of the recording GLM refuses, where there are several."""
        if isinstance(error, ClientError) and len(self.parts) > 1:
            part = self.parts[index]
            error.message += f" It is about the sound from {part.start:.0f} s to {part.end:.0f} s."
        return error

    def result(self) -> bytes:
        """Return the transcript in the format that was asked for."""
        return write(self.transcript(), self._order.kind)

    def stream(self, index: int) -> PartStream:
        """Return the translation of the stream about one part."""
        self._streams[index] = PartStream(self.parts[index], first=index == 0)
        return self._streams[index]

    def close(self) -> bytes:
        """Return the events that end a stream."""
        return done(self.transcript())

    def fail(self, error: GatewayError) -> bytes | None:
        """Return the event that ends a stream that failed."""
        return event(to_openai(error))

    def transcript(self) -> Transcript:
        """Return all that was said."""
        return Transcript(
            text=join(part.text for part in self.parts),
            lines=[line for part in self.parts for line in part.lines],
            seconds=self._seconds,
            task=self.task,
            language=self._order.language,
            usage=self.usage,
        )

    def _plan(self, traits: TranscriptionTraits) -> Calls:
        found = self._recording.probe()
        if found.seconds > traits.max_audio_seconds and found.peak_bit_rate < LEAST_BIT_RATE:
            raise self._silent(found.seconds)
        if found.seconds <= traits.max_audio_seconds:
            # What a file says of its length can be too little: never more than a piece beyond it is looked at.
            pieces = [*islice(self._recording.cut(Cut(max_seconds=traits.max_audio_seconds)), 2)]
            if len(pieces) == 1:
                self._begin(pieces[0], alone_seconds=traits.max_audio_seconds)
                if passes(found, traits):
                    return [self._dispatch.whole(self._recording, found)]
                return [self._dispatch.piece(pieces[0])]
        return self._calls(cut_for(traits, timed=self._order.kind in TIMED))

    async def _calls(self, how: Cut) -> AsyncGenerator[Call, None]:
        """Yield a call for each piece in which something can be heard; for the first where that is none."""
        first = None
        async with aclosing(self._recording.pieces(how)) as pieces:
            async for piece in pieces:
                self._seconds = piece.end
                first = first or piece
                if piece.speech_start is not None:
                    yield self._call(piece)
        if first is not None and not self.parts:
            yield self._call(first)

    def _call(self, piece: Piece) -> Call:
        self._begin(piece)
        return self._dispatch.piece(piece, prompt=self._carried() if self.at_once == 1 else None)

    def _begin(self, piece: Piece, *, alone_seconds: float = 0.0) -> None:
        self._seconds = max(self._seconds, piece.end)
        self.parts.append(part_of(piece, alone_seconds=alone_seconds))

    def _carried(self) -> str | None:
        """Return the prompt of the next piece: what was said before it, after what the caller gave."""
        said = join(part.original or part.text for part in self.parts)[-CARRIED_CHARACTERS:]
        return short_enough(join([self._order.prompt, said])) or None

    def _silent(self, seconds: float) -> InvalidRequest:
        """Return the error for hours in which nothing can be heard; whether anything else is speech GLM judges."""
        return InvalidRequest(
            f"Nothing can be heard in all of the {seconds:.1f} s. Send a recording with speech.",
            param=self._recording.param,
            code="silent_audio",
        )
