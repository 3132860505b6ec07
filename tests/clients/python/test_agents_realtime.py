"""OpenAI's Agents SDK in calls: typed and spoken turns, two calls of a function at once, interruption."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable

import pytest
from agents import function_tool
from agents.realtime import RealtimeAgent, RealtimeRunner, RealtimeSession, RealtimeSessionEvent

LONG = "Count from 1 to 60"
VAD = {"type": "server_vad", "interrupt_response": True}


@function_tool
async def get_weather(city: str) -> str:
    """Get the weather in a city."""
    return f"Rain in {city}"


class Call:
    """A session, and the events that came of it; any error is a failure."""

    def __init__(self, session: RealtimeSession) -> None:
        self.session = session
        self._events = aiter(session)

    async def until(self, holds: Callable[[RealtimeSessionEvent], bool]) -> list[RealtimeSessionEvent]:
        events: list[RealtimeSessionEvent] = []
        while not events or not holds(events[-1]):
            events.append(await anext(self._events))
            assert events[-1].type != "error", events[-1]
        return events

    async def said(self) -> str:
        """Wait for the end of the answer; gives what the history says of it."""
        await self.until(lambda event: event.type == "agent_end")
        return self.last("assistant")

    def last(self, role: str) -> str:
        return self.all(role)[-1]

    def all(self, role: str) -> list[str]:
        messages = [item for item in self.session._history if item.type == "message" and item.role == role]
        return [
            "".join(
                getattr(part, "transcript", None) or getattr(part, "text", None) or "" for part in message.content
            )
            for message in messages
        ]

    def has_said(self, words: str) -> bool:
        return any(words in said for said in self.all("assistant"))

    async def speak(self, sound: bytes) -> None:
        for start in range(0, len(sound), 4800):
            await self.session.send_audio(sound[start : start + 4800])
            await asyncio.sleep(0.05)


@pytest.fixture
async def call(request: pytest.FixtureRequest) -> AsyncIterator[Call]:
    agent = RealtimeAgent(name="Weather", instructions="Be brief.", tools=getattr(request, "param", []))
    runner = RealtimeRunner(
        agent, config={"model_settings": {"model_name": "gpt-realtime", "turn_detection": VAD}}
    )
    url = f"ws{os.environ['OPENAI_BASE_URL'].removeprefix('http')}/realtime?model=gpt-realtime"
    async with await runner.run(model_config={"url": url}) as session:
        yield Call(session)


async def test_a_typed_turn_is_answered_and_remembered(call: Call) -> None:
    await call.session.send_message("My name is Ada")
    await call.said()
    await call.session.send_message("What is my name?")

    assert "Ada" == await call.said()


async def test_a_spoken_turn_comes_back_in_the_history(call: Call, question: bytes) -> None:
    await call.speak(question)
    events = await call.until(lambda event: event.type == "agent_end")

    assert sum(len(event.audio.data) for event in events if event.type == "audio") > 48_000
    assert "weather in Paris" in call.last("assistant")
    await call.session.send_message("Say goodbye")
    assert "goodbye" == await call.said()
    assert "weather in paris" in "".join(
        part.transcript or ""
        for item in call.session._history
        if item.type == "message" and item.role == "user"
        for part in item.content
        if part.type == "input_audio"
    )


@pytest.mark.parametrize("call", [[get_weather]], indirect=True)
async def test_two_functions_are_called_at_once(call: Call, question: bytes) -> None:
    await call.speak(question)
    events = await call.until(lambda event: event.type == "tool_end")
    # The SDK asks for an answer once or twice: as the outputs come, or when both are there.
    events += await call.until(lambda event: event.type == "agent_end" and call.has_said("Rain in London"))

    assert ["Rain in Paris", "Rain in London"] == [event.output for event in events if event.type == "tool_end"]
    assert call.has_said("Rain in Paris")


async def test_who_speaks_interrupts(call: Call, question: bytes) -> None:
    await call.session.send_message(LONG)
    await call.until(lambda event: event.type == "audio")
    await call.speak(question)
    await call.until(lambda event: event.type == "audio_interrupted")
    await call.until(lambda event: event.type == "agent_end" and "weather" in call.last("assistant"))
