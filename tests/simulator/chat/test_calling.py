"""Which functions are called, and with what."""

import json
from typing import Any

import pytest

from gateway.simulator.chat.calling import calls_for
from gateway.simulator.chat.conversation import read_conversation


def function(name: str, description: str = "", **properties: Any) -> dict[str, Any]:
    """Make a function tool that requires all its properties."""
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


WEATHER = function("get_weather", "Get the current weather", city={"type": "string"})
TIME = function("get_time", "Get the local time", city={"type": "string"})
MAIL = function("sendMail", "Send a mail to somebody", to={"type": "string", "format": "email"})
ANY = "You must answer by calling one of the functions you were given. Do not answer in text."
NAMED = "You must answer by calling the function 'get_time'. Do not answer in text."


def called(*messages: str | dict[str, Any], tools: list[dict[str, Any]], **fields: Any) -> list[Any]:
    """Give the calls for messages; texts are the user's."""
    turns = [{"role": "user", "content": turn} if isinstance(turn, str) else turn for turn in messages]
    calls = calls_for(read_conversation({"messages": turns, "tools": tools} | fields))
    return [(call.name, json.loads(call.arguments)) for call in calls]


def system(text: str) -> dict[str, Any]:
    return {"role": "system", "content": text}


RESULT = (
    {
        "role": "assistant",
        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "get_time", "arguments": "{}"}}],
    },
    {"role": "tool", "content": "noon", "tool_call_id": "1"},
)


@pytest.mark.parametrize(
    ("question", "calls"),
    [
        ("What's the weather in Paris?", [("get_weather", {"city": "Paris"})]),
        ("What's the weather in San Francisco, CA?", [("get_weather", {"city": "San Francisco, CA"})]),
        (
            "What's the weather in Paris and London?",
            [("get_weather", {"city": "Paris"}), ("get_weather", {"city": "London"})],
        ),
        ("Tell me weather and time in Oslo", [("get_weather", {"city": "Oslo"}), ("get_time", {"city": "Oslo"})]),
        ("Please mail Bob", [("sendMail", {"to": "user@example.com"})]),
        ("Use get_time", [("get_time", {"city": "Use get_time"})]),
        ("Tell me a joke", []),
    ],
)
def test_functions_are_called_when_the_question_matches_them(question: str, calls: list[Any]) -> None:
    """One call for each function and subject that is asked for, with arguments from the text."""
    assert called(question, tools=[WEATHER, TIME, MAIL]) == calls


def test_function_is_matched_by_its_chinese_description() -> None:
    """A Chinese question finds a function whose description is Chinese."""
    tool = function("get_weather", "查询指定城市的天气", city={"type": "string"})

    assert called("北京今天天气怎么样", tools=[tool]) == [("get_weather", {"city": "北京"})]


def test_chosen_function_is_called_whatever_the_question() -> None:
    """A caller that names a function gets a call of it."""
    choice = {"type": "function", "function": {"name": "get_time"}}

    calls = called("Tell me a joke", tools=[WEATHER, TIME], tool_choice=choice)

    assert [name for name, _ in calls] == ["get_time"]


@pytest.mark.parametrize(
    ("messages", "names"),
    [
        pytest.param([system(NAMED), "Tell me a joke"], ["get_time"], id="named"),
        pytest.param([system(NAMED), "Weather in Rome?"], ["get_time"], id="named, another matches"),
        pytest.param([system(ANY), "Tell me a joke"], ["get_weather"], id="any, none matches"),
        pytest.param([system(ANY), "What time is it?"], ["get_time"], id="any, one matches"),
        pytest.param([f"A joke. {NAMED}"], ["get_time"], id="the user's"),
        pytest.param([system(NAMED), "Tell me a joke", *RESULT], ["get_time"], id="standing after results"),
        pytest.param([f"A joke. {NAMED}", *RESULT], [], id="the user's, done"),
        pytest.param(["What time is it?", *RESULT], [], id="no order after results"),
    ],
)
def test_functions_are_called_when_a_sentence_orders_it(messages: list[Any], names: list[str]) -> None:
    """The platform has no way to force a call but to say so, and the model obeys."""
    assert [name for name, _ in called(*messages, tools=[WEATHER, TIME])] == names


def test_required_arguments_are_filled_when_a_call_is_ordered() -> None:
    """A question that says nothing of the arguments still makes a valid call."""
    tool = function("book", days={"type": "integer", "minimum": 2}, room={"enum": ["single", "double"]})

    assert called(system(ANY), "Go on", tools=[tool]) == [("book", {"days": 2, "room": "single"})]
