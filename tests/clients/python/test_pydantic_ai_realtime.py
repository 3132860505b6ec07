"""Pydantic AI in calls: typed and spoken turns, two calls of a function at once, interruption."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from pydantic_ai import Agent
from pydantic_ai.messages import FunctionToolResultEvent, PartEndEvent, PartStartEvent, SpeechPart
from pydantic_ai.realtime import RealtimeEvent, RealtimeSession, RealtimeTurnCompleteEvent
from pydantic_ai.realtime.openai import OpenAIRealtimeModel

LONG = "Count from 1 to 60"


class Call:
    """A session, read event by event."""

    def __init__(self, session: RealtimeSession) -> None:
        self.session = session
        self._events = aiter(session)

    async def until(self, holds: Callable[[RealtimeEvent], bool]) -> list[RealtimeEvent]:
        events: list[RealtimeEvent] = []
        while not events or not holds(events[-1]):
            events.append(await anext(self._events))
        return events

    async def turn(self) -> list[RealtimeEvent]:
        return await self.until(lambda event: isinstance(event, RealtimeTurnCompleteEvent))

    async def speak(self, sound: bytes) -> None:
        for start in range(0, len(sound), 4800):
            await self.session.send_audio(sound[start : start + 4800])
            await asyncio.sleep(0.05)


def said(events: list[RealtimeEvent], speaker: str) -> str:
    parts = [event.part for event in events if isinstance(event, PartEndEvent)]
    return "".join(part.transcript for part in parts if isinstance(part, SpeechPart) and part.speaker == speaker)


@pytest.fixture
async def call() -> AsyncIterator[Call]:
    agent = Agent(instructions="Be brief.")
    async with agent.realtime(OpenAIRealtimeModel("gpt-realtime")).session() as session:
        yield Call(session)


async def test_a_typed_turn_is_answered_and_remembered(call: Call) -> None:
    await call.session.send("My name is Ada")
    await call.turn()
    await call.session.send("What is my name?")

    assert "Ada" == said(await call.turn(), "assistant")


async def test_a_spoken_turn_comes_back_in_words(call: Call, question: bytes) -> None:
    await call.speak(question)
    events = await call.turn()

    assert "weather in paris" in said(events, "user")
    assert "weather in Paris" in said(events, "assistant")


async def test_two_functions_are_called_at_once(question: bytes) -> None:
    agent = Agent(instructions="Be brief.")

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """Get the weather in a city."""
        return f"Rain in {city}"

    async with agent.realtime(OpenAIRealtimeModel("gpt-realtime")).session() as session:
        call = Call(session)
        await call.speak(question)
        events = await call.turn()

    results = [event.part.content for event in events if isinstance(event, FunctionToolResultEvent)]
    assert ["Rain in London", "Rain in Paris"] == sorted(results)
    assert "Rain in London" in said(events, "assistant")


async def test_who_speaks_interrupts(call: Call, question: bytes) -> None:
    await call.session.send(LONG)
    await call.until(lambda event: isinstance(event, PartStartEvent))
    await call.speak(question)
    interrupted = said(await call.turn(), "assistant")
    answered = said(await call.turn(), "assistant")

    assert interrupted.startswith("1")
    assert "60" not in interrupted
    assert "weather in Paris" in answered
