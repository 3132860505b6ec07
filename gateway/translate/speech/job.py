"""One text read out as a job: a call for each piece of it, and the one file that their sound becomes."""

import base64
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec
from msgspec import UNSET

from gateway.audio import MEDIA_TYPES, SPEECH_RATE, AudioFormat, encoder
from gateway.audio.pcm import SAMPLE_BYTES
from gateway.errors import GatewayError, InvalidRequest
from gateway.glm import speech as glm
from gateway.glm.chat import Usage
from gateway.openai import speech as openai
from gateway.translate.endpoint import EVENT_STREAM, Call, Recalled
from gateway.translate.errors import to_openai
from gateway.translate.speech.joint import Joint
from gateway.translate.speech.stream import PieceStream
from gateway.translate.sse import event

FORMATS: Mapping[openai.SpeechFormat, AudioFormat] = MappingProxyType(
    {"mp3": "mp3", "opus": "opus", "aac": "aac", "flac": "flac", "wav": "wav", "pcm": "pcm16"}
)
TOKENS_PER_SECOND = 12.5

encode = msgspec.json.Encoder().encode


class SpeechJob:
    """
    A text read out in ``texts``, one after the other; the next is asked for while one is heard.

    ``events``: the file is told in events instead of its bytes.
    """

    at_once = 2
    in_order = True

    def __init__(
        self,
        texts: Sequence[str],
        *,
        request: glm.SpeechRequest,
        kind: AudioFormat,
        events: bool,
        ignored: Sequence[str],
    ) -> None:
        self.ignored = ignored
        self.recalled: Recalled | None = None
        self.usage: Usage | None = None
        self.leave: Mapping[str, str] = {}
        self.stream_type = EVENT_STREAM if events else MEDIA_TYPES[kind].encode()
        self.calls: Sequence[Call] = [
            Call(encode(part_of(request, text, first=index == 0))) for index, text in enumerate(texts)
        ]
        self._characters = sum(map(len, texts))
        self._samples = 0
        self._encoder = encoder(kind, sample_rate=SPEECH_RATE)
        self._events = events

    def stream(self, index: int) -> PieceStream:
        """Return the translation of the speech of one piece."""
        return PieceStream(Joint(rises=index > 0, falls=index < len(self.calls) - 1))

    def refine(self, events: bytes) -> bytes:
        """Return what these samples add to the caller's file, empty when nothing yet."""
        self._samples += len(events) // SAMPLE_BYTES
        return self._told(self._encoder.feed(events))

    def close(self) -> bytes:
        """Return the end of the file."""
        end = self._told(self._encoder.finish())
        return end + self._done() if self._events else end

    def fail(self, error: GatewayError) -> bytes | None:
        """Return the event that ends a stream which failed; a file that breaks off has no words for why."""
        return event(to_openai(error)) if self._events else None

    def explain(self, index: int, error: GatewayError) -> GatewayError:
        """Return what the caller is told when GLM refuses a piece; a voice that it does not know is a field."""
        del index
        if isinstance(error, InvalidRequest) and error.param is None and "voice" in error.message.lower():
            error.param = "voice"
        return error

    def _told(self, file: bytes) -> bytes:
        if not self._events or not file:
            return file
        delta = openai.SpeechAudioDelta(audio=base64.b64encode(file).decode())
        return event(encode(delta))

    def _done(self) -> bytes:
        spoken = math.ceil(self._samples / SPEECH_RATE * TOKENS_PER_SECOND)
        usage = openai.SpeechUsage(
            input_tokens=self._characters, output_tokens=spoken, total_tokens=self._characters + spoken
        )
        return event(encode(openai.SpeechAudioDone(usage=usage)))


def part_of(request: glm.SpeechRequest, text: str, *, first: bool) -> glm.SpeechRequest:
    """Return the request for a piece; GLM takes the caller's id only once (1231)."""
    return msgspec.structs.replace(request, input=text, request_id=request.request_id if first else UNSET)
