"""LlamaIndex's ``OpenAILike``, in an environment of its own: it needs an older OpenAI SDK than the others."""

import os

import openai
import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

COUNT = [ChatMessage("Count from 1 to 9")]
CITIES = "What is the weather in Paris and Rome?"


class Place(BaseModel):
    """A place and how warm it is."""

    city: str
    degrees: int


def get_weather(city: str) -> str:
    """Get the weather of a city."""
    return f"{city}: sunny"


WEATHER = FunctionTool.from_defaults(get_weather)


def chat(**settings: object) -> OpenAILike:
    settings = {"model": "glm-4.7", "is_chat_model": True, "is_function_calling_model": True, **settings}
    return OpenAILike(api_base=os.environ["OPENAI_BASE_URL"], max_retries=0, **settings)


def test_a_chat_is_answered_and_counted() -> None:
    answer = chat().chat([ChatMessage("Be brief.", role="system"), ChatMessage("Say: tea")])

    assert answer.message.content == "tea"
    assert answer.raw.model == "glm-4.7"
    assert answer.raw.usage.total_tokens == answer.raw.usage.prompt_tokens + answer.raw.usage.completion_tokens


def test_a_stream_adds_up_to_the_whole_answer() -> None:
    pieces = list(chat().stream_chat(COUNT))

    assert "".join(piece.delta for piece in pieces) == pieces[-1].message.content == "1 2 3 4 5 6 7 8 9"


async def test_an_asynchronous_stream_adds_up_to_the_whole_answer() -> None:
    deltas = [piece.delta async for piece in await chat().astream_chat(COUNT)]

    assert "".join(deltas) == "1 2 3 4 5 6 7 8 9"


def test_a_prompt_is_completed_over_chat() -> None:
    assert chat().complete("Say: tea").text == "tea"


def test_tools_are_called_with_the_arguments_of_the_question() -> None:
    answer = chat().chat_with_tools([WEATHER], user_msg=CITIES, allow_parallel_tool_calls=True)

    assert [call.tool_kwargs for call in chat().get_tool_calls_from_response(answer)] == [
        {"city": "Paris"},
        {"city": "Rome"},
    ]


def test_a_single_call_is_made_when_parallel_ones_are_not_wanted() -> None:
    answer = chat().chat_with_tools(
        [WEATHER],
        user_msg=CITIES,
        tool_required=True,
        allow_parallel_tool_calls=False,
    )

    assert [call.tool_kwargs for call in chat().get_tool_calls_from_response(answer)] == [{"city": "Paris"}]


async def test_an_agent_calls_a_tool_and_tells_its_result() -> None:
    agent = FunctionAgent(llm=chat(), tools=[WEATHER])

    assert str(await agent.run("What is the weather in Paris?")) == "get_weather says: Paris: sunny"


@pytest.mark.parametrize("by_schema", [True, False], ids=["json_schema", "function_calling"])
def test_a_structured_answer_fits_its_type(*, by_schema: bool) -> None:
    model = chat(should_use_structured_outputs=by_schema).as_structured_llm(Place)

    assert model.complete("It is 21 degrees in Paris.").raw == Place(city="Paris", degrees=21)


def test_a_picture_is_seen(picture: bytes) -> None:
    blocks = [TextBlock(text="What is this?"), ImageBlock(image=picture, image_mimetype="image/png")]

    assert "64 x 48" in chat(model="glm-4.6v").chat([ChatMessage(blocks=blocks)]).message.content


def test_a_model_that_does_not_exist_is_named_as_the_fault() -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        chat(model="glm-nope").complete("Hello")

    assert caught.value.code == "model_not_found"
