"""LiveKit's class for OpenAI's realtime: typed and spoken turns, two calls of a function at once, interruption."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from livekit import rtc
from livekit.agents import function_tool, llm, stt
from livekit.agents.utils import http_context
from livekit.plugins import openai

RATE = 24_000
LONG = "Count from 1 to 60"


@function_tool
async def get_weather(city: str) -> str:
    """Get the weather in a city."""
    return f"Rain in {city}"


class Call:
    """A session, and what it has told so far; any error is a failure."""

    def __init__(self, session: llm.RealtimeSession) -> None:
        self.session = session
        self.heard: list[str] = []
        self.errors: list[Any] = []
        self.answers: asyncio.Queue[llm.GenerationCreatedEvent] = asyncio.Queue()
        self.speech = asyncio.Event()
        session.on("generation_created", self.answers.put_nowait)
        session.on("input_speech_started", lambda _event: self.speech.set())
        session.on("error", self.errors.append)
        session.on("input_audio_transcription_completed", lambda event: self.heard.append(event.transcript))

    async def type(self, text: str) -> llm.GenerationCreatedEvent:
        """Write a message after those that there are, and give the answer to it, which has begun."""
        context = self.session.chat_ctx.copy()
        context.add_message(role="user", content=text)
        await self.session.update_chat_ctx(context)
        await self.session.generate_reply()
        return await self.answers.get()

    async def speak(self, sound: bytes) -> None:
        for start in range(0, len(sound), 960):
            piece = sound[start : start + 960]
            self.session.push_audio(rtc.AudioFrame(piece, RATE, 1, len(piece) // 2))
            await asyncio.sleep(0.01)


async def said(answer: llm.GenerationCreatedEvent) -> tuple[str, float]:
    """Give the words of an answer, and how many seconds they take."""
    words, seconds = "", 0.0
    async for message in answer.message_stream:
        words += "".join([str(piece) async for piece in message.text_stream])
        seconds += sum([frame.duration async for frame in message.audio_stream])
    return words, seconds


@pytest.fixture
async def call() -> AsyncIterator[Call]:
    async with aiohttp.ClientSession() as http:
        model = openai.realtime.RealtimeModel(model="gpt-realtime", http_session=http)
        one = Call(model.session())
        await one.session.update_instructions("Be brief.")
        yield one
        await one.session.aclose()
        await model.aclose()
    assert not one.errors


async def test_a_typed_turn_is_answered_and_remembered(call: Call) -> None:
    await said(await call.type("My name is Ada"))
    words, seconds = await said(await call.type("What is my name?"))

    assert "Ada" == words
    assert seconds > 0.2


async def test_a_spoken_turn_comes_back_in_words(call: Call, question: bytes) -> None:
    await call.speak(question)
    words, seconds = await said(await call.answers.get())

    assert "weather in Paris" in words
    assert seconds > 2
    assert ["what is the weather in paris and london"] == call.heard
    assert ["user", "assistant"] == [item.role for item in call.session.chat_ctx.items]


async def test_two_functions_are_called_at_once(call: Call, question: bytes) -> None:
    await call.session.update_tools([get_weather])
    await call.speak(question)
    answer = await call.answers.get()
    made = [one async for one in answer.function_stream]
    context = call.session.chat_ctx.copy()
    for one, city in zip(made, ("Paris", "London"), strict=True):
        assert city in one.arguments
        output = llm.FunctionCallOutput(
            call_id=one.call_id, name=one.name, output=f"Rain in {city}", is_error=False
        )
        context.insert(output)
    await call.session.update_chat_ctx(context)
    await call.session.generate_reply()
    words, _ = await said(await call.answers.get())

    assert "Rain in Paris" in words
    assert "Rain in London" in words


async def test_who_speaks_interrupts(call: Call, question: bytes) -> None:
    long = await call.type(LONG)
    message = await anext(aiter(long.message_stream))
    await anext(aiter(message.audio_stream))
    await call.speak(question)
    interrupted = "".join([str(piece) async for piece in message.text_stream])
    answered, _ = await said(await call.answers.get())

    assert call.speech.is_set()
    assert "60" not in interrupted
    assert "weather in Paris" in answered


async def test_recognition_over_a_socket(question: bytes) -> None:
    """Its class for speech recognition calls too, for a session that answers nothing; any error would end it."""
    async with http_context.open():
        listener = openai.STT(model="gpt-4o-transcribe", use_realtime=True)
        async with listener.stream() as stream:
            for start in range(0, len(question), 4800):
                piece = question[start : start + 4800]
                stream.push_frame(rtc.AudioFrame(piece, RATE, 1, len(piece) // 2))
                await asyncio.sleep(0.05)
            async for event in stream:
                if event.type == stt.SpeechEventType.FINAL_TRANSCRIPT:
                    break
        await listener.aclose()

    assert "weather in paris and london" in event.alternatives[0].text
