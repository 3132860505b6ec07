"""
What is done for a session beside its call.

GLM's other models do most of it, by exchanges with slots and records of their own.
"""

import asyncio
import io
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.audio import Bounds, Cut, Piece, Probe, cut, probe, wav
from gateway.auth import Caller
from gateway.errors import GatewayError
from gateway.exchange import Desk, Exchange, StreamedAnswer
from gateway.openai import speech
from gateway.openai.realtime.items import InputTokens, OutputTokens, Usage
from gateway.record import Record
from gateway.session.pictures import jpeg_of
from gateway.translate.endpoint import Body, Endpoint
from gateway.translate.realtime import Brought
from gateway.translate.realtime.effects import (
    Called,
    Ended,
    Picture,
    Recognition,
    Reply,
    Scaling,
    Speech,
    Task,
    Voice,
    Words,
)
from gateway.translate.realtime.sound import GLM_INPUT_HERTZ
from gateway.translate.sse import DONE, Decoder
from gateway.translate.transcriptions.upload import Upload

OK = 200

decode_chunk = msgspec.json.Decoder(dict[str, Any]).decode
encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """Who does the errands; ``speech_model`` reads out."""

    transcriptions: Endpoint[Upload]
    chat: Endpoint[bytes]
    speech: Endpoint[bytes]
    speech_model: str


class Errands:
    """The errands of one session, for its caller; their records name the request and span of its ``record``."""

    def __init__(self, desk: Desk, endpoints: Endpoints, *, caller: Caller, record: Record) -> None:
        self._desk = desk
        self._endpoints = endpoints
        self._caller = caller
        self._request_id = record.request_id
        self._parent = record.own_parent
        self._number = 0
        self._writing = asyncio.Lock()

    async def run(self, what: Task) -> AsyncGenerator[Brought, None]:
        """Do it, and give what comes of it; the last is ``Ended``, with the error if there was one."""
        try:
            # Closed with this one, where its slot would else be given back by whoever collects garbage.
            async with aclosing(self._do(what)) as comes:
                async for brought in comes:
                    yield brought
        except GatewayError as error:
            yield Ended(error)

    def _do(self, what: Task) -> AsyncGenerator[Brought, None]:
        match what:
            case Recognition():
                return self._recognise(what)
            case Reply(request=request):
                return self._reply(request)
            case Speech():
                return self._speak(what)
            case Scaling():
                return self._scale(what)

    async def _recognise(self, what: Recognition) -> AsyncGenerator[Brought, None]:
        fields: dict[str, Any] = {
            "model": what.model,
            "stream": True,
            "prompt": what.prompt,
            "language": what.language,
            "keywords": list(what.keywords) or None,
        }
        turn = Turn(what.pcm)
        upload = Upload(fields=fields, is_form=False, recording=turn)
        async with self._writing:  # Turns are told in the order in which they were said.
            # One of silence is a key that was held by mistake; GLM is known to hear words in nothing.
            if not await asyncio.to_thread(turn.is_silent):
                async with self._asking(self._endpoints.transcriptions, upload) as (exchange, answer):
                    exchange.record.audio_seconds = len(what.pcm) / 2 / GLM_INPUT_HERTZ
                    async for payload in payloads(answer):
                        event = decode_chunk(payload)
                        if event.get("type") == "transcript.text.delta":
                            yield Words(event["delta"])
            yield Ended()

    async def _reply(self, request: bytes) -> AsyncGenerator[Brought, None]:
        calls: dict[int, tuple[str, str]] = {}
        usage: Usage | None = None
        async with self._asking(self._endpoints.chat, request) as (_, answer):
            async for payload in payloads(answer):
                chunk = decode_chunk(payload)
                usage = usage_of(chunk.get("usage")) or usage
                for choice in chunk.get("choices") or ():
                    delta = choice.get("delta") or {}
                    if text := delta.get("content"):
                        yield Words(text)
                    for call in delta.get("tool_calls") or ():
                        function = call.get("function") or {}
                        name, arguments = calls.get(call["index"], ("", ""))
                        calls[call["index"]] = (
                            name + (function.get("name") or ""),
                            arguments + (function.get("arguments") or ""),
                        )
        for name, arguments in calls.values():
            yield Called(name, arguments)
        yield Ended(usage=usage)

    async def _speak(self, what: Speech) -> AsyncGenerator[Brought, None]:
        request = speech.CreateSpeechRequest(
            model=self._endpoints.speech_model, input=what.text, voice=what.voice, response_format="pcm"
        )
        async with self._asking(self._endpoints.speech, encode(request)) as (_, answer):
            async for pcm in answer:
                if pcm:
                    yield Voice(pcm)
        yield Ended()

    async def _scale(self, what: Scaling) -> AsyncGenerator[Brought, None]:
        yield Picture(await asyncio.to_thread(jpeg_of, what.data, max_side=what.max_side_pixels))
        yield Ended()

    @asynccontextmanager
    async def _asking(
        self, endpoint: Endpoint[Body], body: Body
    ) -> AsyncIterator[tuple[Exchange, StreamedAnswer]]:
        """Run one exchange; raise its GatewayError, also when it fails half-way."""
        self._number += 1
        exchange = Exchange(self._desk, request_id=f"{self._request_id}-{self._number}", parent=self._parent)
        exchange.record.operation = endpoint.operation
        exchange.identify(self._caller)
        try:
            answer = await exchange.run(endpoint, body, caller=self._caller)
            assert isinstance(answer, StreamedAnswer)  # noqa: S101 - every errand asks for a stream
            exchange.record.status = OK
            yield exchange, answer
            if answer.failure is not None:
                raise answer.failure
        except GatewayError as error:
            exchange.fail(error)
            raise
        except (asyncio.CancelledError, GeneratorExit):
            exchange.leave()
            raise
        finally:
            await exchange.aclose()
            exchange.close()


class Turn:
    """What the user said, as a recording that was received."""

    param = "audio"

    def __init__(self, pcm: bytes) -> None:
        self._pcm = pcm

    def probe(self) -> Probe:
        """Return what it is."""
        return probe(io.BytesIO(self.read()), Bounds())

    def read(self) -> bytes:
        """Return it as a wav file."""
        return wav(self._pcm, sample_rate=GLM_INPUT_HERTZ)

    def cut(self, how: Cut) -> Iterator[Piece]:
        """Yield its pieces."""
        return cut([self._pcm], how, sample_rate=GLM_INPUT_HERTZ)

    async def pieces(self, how: Cut) -> AsyncGenerator[Piece, None]:
        """Yield its pieces."""
        for piece in self.cut(how):
            yield piece

    def is_silent(self) -> bool:
        """Tell whether nothing can be heard in it. It blocks."""
        return all(piece.speech_start is None for piece in self.cut(Cut()))


async def payloads(answer: StreamedAnswer) -> AsyncIterator[bytes]:
    """Give the data of an answer's events."""
    decoder = Decoder()
    async for data in answer:
        for payload in decoder.feed(data):
            if payload != DONE:
                yield payload


def usage_of(said: dict[str, Any] | None) -> Usage | None:
    """Return what a chat completion counted, all of it text; None when it did not."""
    if not said:
        return None
    cached = (said.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    heard, written = said.get("prompt_tokens") or 0, said.get("completion_tokens") or 0
    return Usage(
        total_tokens=heard + written,
        input_tokens=heard,
        output_tokens=written,
        input_token_details=InputTokens(text_tokens=heard, cached_tokens=cached),
        output_token_details=OutputTokens(text_tokens=written),
    )
