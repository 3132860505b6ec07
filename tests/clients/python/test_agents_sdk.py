"""OpenAI's Agents SDK over chat completions: tools, streams, handoffs, types and sessions."""

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from agents import (
    Agent,
    MaxTurnsExceeded,
    Model,
    ModelSettings,
    OpenAIChatCompletionsModel,
    Runner,
    RunResult,
    RunResultStreaming,
    SQLiteSession,
    function_tool,
)
from openai import AsyncOpenAI
from openai.types.shared import Reasoning
from pydantic import BaseModel


class Place(BaseModel):
    """A place and how warm it is."""

    city: str
    degrees: int


@function_tool
def get_weather(city: str) -> str:
    """Get the weather of a city."""
    return f"{city}: sunny"


@pytest.fixture
async def model() -> AsyncIterator[OpenAIChatCompletionsModel]:
    async with AsyncOpenAI(max_retries=0) as client:
        yield OpenAIChatCompletionsModel(model="glm-4.7", openai_client=client)


def kinds(result: RunResult | RunResultStreaming) -> list[str]:
    return [item.type for item in result.new_items]


async def test_an_agent_answers_and_counts_tokens(model: Model) -> None:
    result = await Runner.run(Agent(name="Echo", instructions="Be brief.", model=model), "Say: tea")

    assert result.final_output == "tea"
    usage = result.context_wrapper.usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens > 0
    assert usage.output_tokens_details.reasoning_tokens > 0


async def test_a_tool_is_called_and_its_result_told(model: Model) -> None:
    agent = Agent(name="Weather", model=model, tools=[get_weather])

    result = await Runner.run(agent, "What is the weather in Paris and Rome?")

    assert kinds(result) == [
        "reasoning_item",
        "tool_call_item",
        "tool_call_item",
        "tool_call_output_item",
        "tool_call_output_item",
        "reasoning_item",
        "message_output_item",
    ]
    assert "Paris: sunny" in result.final_output
    assert "Rome: sunny" in result.final_output
    assert result.context_wrapper.usage.requests == 2


async def test_a_streamed_run_gives_deltas_that_add_up(model: Model) -> None:
    agent = Agent(name="Weather", model=model, tools=[get_weather])
    result = Runner.run_streamed(agent, "What is the weather in Paris?")

    deltas: dict[str, str] = {}
    async for event in result.stream_events():
        if event.type == "raw_response_event" and event.data.type.endswith(".delta"):
            deltas[event.data.type] = deltas.get(event.data.type, "") + event.data.delta

    assert deltas["response.output_text.delta"] == result.final_output == "get_weather says: Paris: sunny"
    assert deltas["response.function_call_arguments.delta"].replace(" ", "") == '{"city":"Paris"}'
    assert deltas["response.reasoning_summary_text.delta"]


async def test_usage_of_a_stream_is_counted_when_asked_for(model: Model) -> None:
    agent = Agent(name="Echo", model=model, model_settings=ModelSettings(include_usage=True))
    asked = await Runner.run(agent, "Say: tea")

    result = Runner.run_streamed(agent, "Say: tea")
    async for _ in result.stream_events():
        pass

    assert result.context_wrapper.usage.total_tokens == asked.context_wrapper.usage.total_tokens


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_a_conversation_is_handed_to_another_agent(model: Model, *, streamed: bool) -> None:
    spanish = Agent(name="Spanish", instructions="Answer in Spanish.", model=model)
    triage = Agent(name="Triage", instructions="Hand off by language.", model=model, handoffs=[spanish])
    question = "Please transfer me to somebody who speaks spanish"

    if streamed:
        result = Runner.run_streamed(triage, question)
        async for _ in result.stream_events():
            pass
    else:
        result = await Runner.run(triage, question)

    assert result.last_agent is spanish
    assert "handoff_output_item" in kinds(result)


async def test_an_answer_has_the_type_that_was_asked_for(model: Model) -> None:
    agent = Agent(name="Reader", model=model, output_type=Place)

    result = await Runner.run(agent, "It is 21 degrees in Paris.")

    assert result.final_output == Place(city="Paris", degrees=21)


async def test_an_answer_has_its_type_after_tools_ran(model: Model) -> None:
    agent = Agent(name="Reader", model=model, tools=[get_weather], output_type=Place)

    result = await Runner.run(agent, "What is the weather in Paris, is it 21 degrees?")

    assert result.final_output == Place(city="Paris", degrees=21)
    assert "tool_call_output_item" in kinds(result)


async def test_a_required_tool_is_called(model: Model) -> None:
    agent = Agent(
        name="Weather",
        model=model,
        tools=[get_weather],
        model_settings=ModelSettings(tool_choice="required", parallel_tool_calls=False),
    )

    result = await Runner.run(agent, "What is the weather in Paris and Rome?")

    assert kinds(result).count("tool_call_item") == 1
    assert result.final_output == "get_weather says: Paris: sunny"


async def test_a_session_remembers_what_was_said(model: Model) -> None:
    agent, session = Agent(name="Echo", model=model), SQLiteSession("one")

    await Runner.run(agent, "My name is Ada.", session=session)
    result = await Runner.run(agent, "What is my name?", session=session)

    assert result.final_output == "Ada"


async def test_reasoning_can_be_switched_off(model: Model) -> None:
    settings = ModelSettings(reasoning=Reasoning(effort="none"))

    result = await Runner.run(Agent(name="Echo", model=model, model_settings=settings), "Say: tea")

    assert kinds(result) == ["message_output_item"]


async def test_turns_end_where_the_caller_says(model: Model) -> None:
    with pytest.raises(MaxTurnsExceeded):
        await Runner.run(
            Agent(name="Weather", model=model, tools=[get_weather]), "What is the weather in Paris?", max_turns=1
        )


async def test_an_error_of_the_gateway_reaches_the_caller(simulator: Any, model: Model) -> None:
    simulator.add_fault(kind="error", code="1113", contains="Agents poor")

    with pytest.raises(openai.RateLimitError) as caught:
        await Runner.run(Agent(name="Echo", model=model), "Agents poor")

    assert caught.value.code == "insufficient_quota"
