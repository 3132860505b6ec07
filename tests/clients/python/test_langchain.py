"""LangChain's ``ChatOpenAI``: text, streams, tools, structured answers, pictures and errors."""

import base64
import json
from functools import reduce
from operator import add
from typing import Any

import openai
import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, Field

COUNT = "Count from 1 to 9"


class Place(BaseModel):
    """A place and how warm it is."""

    city: str = Field(description="The name of the city.")
    degrees: int = Field(description="Degrees Celsius.")


@tool
def get_weather(city: str) -> str:
    """Get the weather of a city."""
    return f"{city}: sunny"


def chat(**settings: object) -> ChatOpenAI:
    return ChatOpenAI(**{"model": "glm-4.7", "max_retries": 0, **settings})


def whole(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    return reduce(add, chunks)


def test_an_openai_model_name_is_answered_by_glm() -> None:
    answer = chat(model="gpt-5").invoke("Say: tea")

    assert answer.content == "tea"
    assert answer.response_metadata["model_name"] == "glm-4.7"
    assert answer.response_metadata["finish_reason"] == "stop"


def test_a_stream_has_the_usage_of_the_whole_answer_exactly_once() -> None:
    model = chat(stream_usage=True)
    asked = model.invoke(COUNT)

    chunks = list(model.stream(COUNT))

    assert whole(chunks).text == asked.text == "1 2 3 4 5 6 7 8 9"
    assert whole(chunks).usage_metadata == asked.usage_metadata
    assert len([chunk for chunk in chunks if chunk.usage_metadata]) == 1
    assert len([chunk for chunk in chunks if chunk.content]) > 1


def test_a_stream_has_no_usage_when_none_was_asked_for() -> None:
    assert whole(list(chat(stream_usage=False).stream(COUNT))).usage_metadata is None


async def test_an_asynchronous_stream_says_the_same_as_an_answer_in_one_piece() -> None:
    model = chat()

    streamed = whole([chunk async for chunk in model.astream(COUNT)])

    assert streamed.text == (await model.ainvoke(COUNT)).text
    assert streamed.response_metadata["finish_reason"] == "stop"


async def test_a_batch_keeps_its_order() -> None:
    answers = await chat().abatch([f"Say: {word}" for word in ("one", "two", "three")])

    assert [answer.content for answer in answers] == ["one", "two", "three"]


def test_tools_are_called_and_their_results_read() -> None:
    model = chat().bind_tools([get_weather])
    question = HumanMessage("What is the weather in Paris and Rome?")

    called = model.invoke([question])
    results = [get_weather.invoke(call) for call in called.tool_calls]
    told = model.invoke([question, called, *results])

    assert [call["args"] for call in called.tool_calls] == [{"city": "Paris"}, {"city": "Rome"}]
    assert len({call["id"] for call in called.tool_calls}) == 2
    assert called.response_metadata["finish_reason"] == "tool_calls"
    assert "Paris: sunny" in told.text
    assert "Rome: sunny" in told.text


def test_streamed_tool_calls_add_up_to_whole_ones() -> None:
    model = chat().bind_tools([get_weather])

    chunks = list(model.stream("What is the weather in Paris and Rome?"))
    streamed = whole(chunks)

    assert [(call["name"], call["args"]) for call in streamed.tool_calls] == [
        ("get_weather", {"city": "Paris"}),
        ("get_weather", {"city": "Rome"}),
    ]
    assert streamed.invalid_tool_calls == []
    ids = [piece["id"] for chunk in chunks for piece in chunk.tool_call_chunks if piece["id"]]
    assert [call["id"] for call in streamed.tool_calls] == ids


@pytest.mark.parametrize("choice", ["any", "get_weather"])
def test_a_tool_is_called_when_the_caller_insists(choice: str) -> None:
    answer = chat().bind_tools([get_weather], tool_choice=choice).invoke("What is the weather in Oslo?")

    assert [call["name"] for call in answer.tool_calls] == ["get_weather"]


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
def test_a_structured_answer_fits_its_type(method: str) -> None:
    model = chat().with_structured_output(Place, method=method)
    # JSON mode leaves it to the caller to tell the model the schema.
    schema = f"Answer as JSON with this schema: {json.dumps(Place.model_json_schema())}"
    instructions = [SystemMessage(schema)] if method == "json_mode" else []

    answer = model.invoke([*instructions, HumanMessage("It is 21 degrees in Paris.")])

    assert Place(city="Paris", degrees=21) == answer


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_a_structured_answer_can_be_streamed(method: str) -> None:
    pieces = list(chat().with_structured_output(Place, method=method).stream("It is 21 degrees in Paris."))

    assert pieces[-1] == Place(city="Paris", degrees=21)


def test_a_picture_in_the_message_is_seen(picture: bytes) -> None:
    data = base64.b64encode(picture).decode()
    answer = chat(model="glm-4.6v").invoke(
        [
            HumanMessage(
                [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}", "detail": "low"}},
                    {"type": "image", "base64": data, "mime_type": "image/png"},
                ]
            )
        ]
    )

    assert answer.text.count("64 x 48") == 2


def test_an_answer_ends_at_max_tokens() -> None:
    answer = chat(max_tokens=5, reasoning_effort="none").invoke("Count from 1 to 500")

    assert answer.response_metadata["finish_reason"] == "length"
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_tokens"] == 5


def test_an_answer_ends_before_a_stop_word() -> None:
    assert chat(stop=["5"]).invoke(COUNT).text.strip() == "1 2 3 4"


def test_the_history_of_a_conversation_is_known() -> None:
    answer = chat().invoke(
        [HumanMessage("My name is Ada."), AIMessage("Hello Ada."), HumanMessage("What is my name?")]
    )

    assert answer.text == "Ada"


def test_a_model_that_does_not_exist_is_named_as_the_fault() -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        chat(model="glm-nope").invoke("Hello")

    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


def test_a_wrong_key_is_refused() -> None:
    with pytest.raises(openai.AuthenticationError) as caught:
        chat(api_key="sk-wrong").invoke("Hello")

    assert caught.value.code == "invalid_api_key"


def test_what_glm_cannot_do_is_refused_with_its_name() -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        chat(logprobs=True).invoke("Hello")

    assert caught.value.param == "logprobs"


def test_a_stream_that_breaks_off_raises_after_what_was_said(simulator: Any) -> None:
    simulator.add_fault(kind="error_event", code="1234", after_chunks=3, contains="LangChain break")
    said = []

    with pytest.raises(openai.APIError) as caught:
        said.extend(chat(reasoning_effort="none").stream("Say: a b c d e f g h LangChain break"))

    assert whole(said).text.startswith("a b")
    assert "GLM 1234" in caught.value.message
