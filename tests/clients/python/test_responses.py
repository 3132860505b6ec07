"""Clients that ask for responses by themselves: Agents and pydantic-ai; and LangChain, where it is told to."""

from typing import Any

import pytest
from agents import Agent, Runner, RunResult, RunResultStreaming, WebSearchTool, function_tool
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.messages import ThinkingPart, ToolCallPart
from pydantic_ai.models.openai import OpenAIResponsesModel

MODEL = "glm-4.7"
QUESTION = "What is the weather in Paris?"
SPANISH = "Please transfer me to somebody who speaks spanish"


class Place(BaseModel):
    """A place and how warm it is."""

    city: str
    degrees: int


@function_tool
def get_weather(city: str) -> str:
    """Get the weather of a city."""
    return f"{city}: sunny"


def kinds(result: RunResult | RunResultStreaming) -> list[str]:
    return [item.type for item in result.new_items]


# The Agents SDK, with the model that a plain name means to it.


async def test_an_agent_calls_its_tool(simulator: Any) -> None:
    agent = Agent(name="Weather", model=MODEL, tools=[get_weather])

    result = await Runner.run(agent, QUESTION)

    assert kinds(result) == [
        "reasoning_item",
        "tool_call_item",
        "tool_call_output_item",
        "reasoning_item",
        "message_output_item",
    ]
    assert result.final_output == "get_weather says: Paris: sunny"
    assert result.context_wrapper.usage.requests == 2
    turns = [turn for turn in simulator.last_request()["messages"] if turn["role"] == "assistant"]
    assert "get_weather" in turns[0]["reasoning_content"]


async def test_a_streamed_run_adds_up() -> None:
    result = Runner.run_streamed(Agent(name="Weather", model=MODEL, tools=[get_weather]), QUESTION)

    deltas: dict[str, str] = {}
    async for event in result.stream_events():
        if event.type == "raw_response_event" and event.data.type.endswith(".delta"):
            deltas[event.data.type] = deltas.get(event.data.type, "") + event.data.delta

    assert deltas["response.output_text.delta"] == result.final_output == "get_weather says: Paris: sunny"
    assert deltas["response.function_call_arguments.delta"].replace(" ", "") == '{"city":"Paris"}'
    assert deltas["response.reasoning_text.delta"]
    assert result.context_wrapper.usage.total_tokens > 0


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_a_conversation_is_handed_to_another_agent(*, streamed: bool) -> None:
    spanish = Agent(name="Spanish", instructions="Answer in Spanish.", model=MODEL)
    triage = Agent(name="Triage", instructions="Hand off by language.", model=MODEL, handoffs=[spanish])

    if streamed:
        result = Runner.run_streamed(triage, SPANISH)
        async for _ in result.stream_events():
            pass
    else:
        result = await Runner.run(triage, SPANISH)

    assert result.last_agent is spanish


async def test_an_answer_has_the_type_that_was_asked_for() -> None:
    result = await Runner.run(Agent(name="Reader", model=MODEL, output_type=Place), "It is 21 degrees in Paris.")

    assert result.final_output == Place(city="Paris", degrees=21)


async def test_the_web_is_searched_by_the_sdks_own_tool() -> None:
    result = await Runner.run(Agent(name="Searcher", model=MODEL, tools=[WebSearchTool()]), "Who won?")

    assert "tool_call_item" in kinds(result)
    assert "[ref_1]" in result.final_output


async def test_a_run_goes_on_where_another_ended() -> None:
    agent = Agent(name="Friend", model=MODEL)
    first = await Runner.run(agent, "My name is Ada.")

    second = await Runner.run(agent, "What is my name?", previous_response_id=first.last_response_id)

    assert second.final_output == "Ada"


# pydantic-ai, whose "openai:" means responses.


def get_temperature(city: str) -> str:
    """Get the temperature of a city."""
    return f"{city}: 21 degrees"


async def test_pydantic_ai_thinks_calls_and_answers() -> None:
    agent = PydanticAgent(OpenAIResponsesModel(MODEL), tools=[get_temperature])

    result = await agent.run("What is the temperature in Paris?")

    parts = [part for message in result.all_messages() for part in message.parts]
    assert any(isinstance(part, ThinkingPart) for part in parts)
    assert [part.tool_name for part in parts if isinstance(part, ToolCallPart)] == ["get_temperature"]
    assert "21 degrees" in result.output


async def test_pydantic_ai_streams_a_conversation() -> None:
    agent = PydanticAgent(OpenAIResponsesModel(MODEL))
    first = await agent.run("My name is Ada.")

    async with agent.run_stream("What is my name?", message_history=first.all_messages()) as streamed:
        text = "".join([piece async for piece in streamed.stream_text(delta=True, debounce_by=None)])

    assert text == "Ada"


async def test_pydantic_ai_reads_a_type() -> None:
    agent = PydanticAgent(OpenAIResponsesModel(MODEL), output_type=Place)

    result = await agent.run("It is 21 degrees in Paris.")

    assert result.output == Place(city="Paris", degrees=21)


# LangChain.


@pytest.fixture
def chat() -> ChatOpenAI:
    return ChatOpenAI(model=MODEL, max_retries=0, use_responses_api=True)


WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def test_langchain_calls_a_tool_and_uses_its_result(chat: ChatOpenAI) -> None:
    model = chat.bind_tools([WEATHER])
    question = HumanMessage(QUESTION)

    call = model.invoke([question])
    assert isinstance(call, AIMessage)
    (asked,) = call.tool_calls
    answer = model.invoke([question, call, ToolMessage("sunny", tool_call_id=asked["id"])])

    assert asked["args"] == {"city": "Paris"}
    assert "sunny" in answer.text


def test_langchain_streams_the_same(chat: ChatOpenAI) -> None:
    chunks = list(chat.stream("Count from 1 to 5"))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk

    assert whole.text == "1 2 3 4 5"
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["total_tokens"] > 0


def test_langchain_reads_a_type(chat: ChatOpenAI) -> None:
    assert chat.with_structured_output(Place).invoke("It is 21 degrees in Paris.") == Place(
        city="Paris", degrees=21
    )


def test_langchain_goes_on_by_id() -> None:
    chat = ChatOpenAI(model=MODEL, max_retries=0, use_responses_api=True, use_previous_response_id=True)
    first = chat.invoke([HumanMessage("My name is Ada.")])

    answer = chat.invoke([HumanMessage("My name is Ada."), first, HumanMessage("What is my name?")])

    assert answer.text == "Ada"
