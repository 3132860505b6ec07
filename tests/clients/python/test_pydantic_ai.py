"""pydantic-ai's OpenAI chat model, which validates every answer and chunk with pydantic."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import (
    Agent,
    BinaryContent,
    ModelHTTPError,
    NativeOutput,
    PromptedOutput,
    ToolOutput,
)
from pydantic_ai.messages import ThinkingPart, ToolCallPart
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


class Place(BaseModel):
    """A place and how warm it is."""

    city: str
    degrees: int


@pytest.fixture
async def provider() -> AsyncIterator[OpenAIProvider]:
    async with AsyncOpenAI(max_retries=0) as client:
        yield OpenAIProvider(openai_client=client)


@pytest.fixture
def model(provider: OpenAIProvider) -> OpenAIChatModel:
    return OpenAIChatModel("glm-4.7", provider=provider)


async def get_weather(city: str) -> str:
    """Get the weather of a city."""
    return f"{city}: sunny"


def parts(result: Any, kind: type) -> list[Any]:
    return [part for message in result.all_messages() for part in message.parts if isinstance(part, kind)]


async def test_an_agent_answers_with_usage_and_reasoning(model: OpenAIChatModel) -> None:
    result = await Agent(model, system_prompt="Be brief.").run("Say: tea")

    assert result.output == "tea"
    assert result.usage.input_tokens > 0
    assert result.usage.output_tokens > result.usage.details["reasoning_tokens"] > 0
    assert [part.content for part in parts(result, ThinkingPart)] == [
        "The user asks: “Say: tea”. I will answer directly."
    ]
    assert result.response.model_name == "glm-4.7"
    assert result.response.finish_reason == "stop"


async def test_a_stream_says_the_same_with_the_same_usage(model: OpenAIChatModel) -> None:
    agent = Agent(model)
    asked = await agent.run("Count from 1 to 9")

    async with agent.run_stream("Count from 1 to 9") as streamed:
        deltas = [delta async for delta in streamed.stream_text(delta=True, debounce_by=None)]

    assert "".join(deltas) == asked.output == "1 2 3 4 5 6 7 8 9"
    assert len(deltas) > 1
    assert streamed.usage == asked.usage


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_tools_are_called_and_their_results_read(model: OpenAIChatModel, *, streamed: bool) -> None:
    agent, question = Agent(model, tools=[get_weather]), "What is the weather in Paris and Rome?"

    if streamed:
        async with agent.run_stream(question) as result:
            answer = await result.get_output()
    else:
        result = await agent.run(question)
        answer = result.output

    assert [call.args_as_dict() for call in parts(result, ToolCallPart)] == [{"city": "Paris"}, {"city": "Rome"}]
    assert "Paris: sunny" in answer
    assert "Rome: sunny" in answer


@pytest.mark.parametrize("way", [ToolOutput, NativeOutput, PromptedOutput])
async def test_an_answer_has_the_type_that_was_asked_for(model: OpenAIChatModel, way: type) -> None:
    result = await Agent(model, output_type=way(Place)).run("It is 21 degrees in Paris.")

    assert result.output == Place(city="Paris", degrees=21)


@pytest.mark.parametrize("way", [ToolOutput, NativeOutput])
async def test_a_typed_answer_can_be_streamed(model: OpenAIChatModel, way: type) -> None:
    async with Agent(model, output_type=way(Place)).run_stream("It is 21 degrees in Paris.") as result:
        assert await result.get_output() == Place(city="Paris", degrees=21)


async def test_a_picture_is_seen(provider: OpenAIProvider, picture: bytes) -> None:
    agent = Agent(OpenAIChatModel("glm-4.6v", provider=provider))

    result = await agent.run(["What is this?", BinaryContent(picture, media_type="image/png")])

    assert "64 x 48" in result.output


async def test_a_history_can_be_sent_back_with_its_reasoning(model: OpenAIChatModel) -> None:
    agent = Agent(model, tools=[get_weather])
    first = await agent.run("My name is Ada. What is the weather in Paris?")

    second = await agent.run("What is my name?", message_history=first.all_messages())

    assert second.output == "Ada"


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"kind": "error", "code": "1301"}, 400, "content_filter"),
        ({"kind": "error", "code": "1261"}, 400, "context_length_exceeded"),
        ({"kind": "error", "code": "1113"}, 429, "insufficient_quota"),
        ({"kind": "error", "code": "1000"}, 502, "upstream_account_rejected"),
        ({"kind": "error", "code": "1305", "times": None}, 503, "upstream_overloaded"),
    ],
    ids=lambda value: value.get("code") if isinstance(value, dict) else None,
)
async def test_an_error_of_glm_reaches_the_caller_as_openai_would_say_it(
    simulator: Any, model: OpenAIChatModel, fault: dict[str, str], status: int, code: str
) -> None:
    word = f"pydantic {fault['code']}"
    simulator.add_fault(**fault, contains=word)

    with pytest.raises(ModelHTTPError) as caught:
        await Agent(model).run(f"Say: {word}")

    assert caught.value.status_code == status
    assert caught.value.body["code"] == code
    assert f"(GLM {fault['code']})" in caught.value.body["message"]
