"""What the small model makes of what it is given."""

import base64
import json
from typing import Any

import pytest

from gateway.simulator.chat.conversation import read_conversation
from gateway.simulator.chat.mind import Thought, think
from gateway.simulator.platform import Fences


def answer(*messages: str | dict[str, Any], fences: Fences = "never", **fields: Any) -> Thought:
    """Think about messages; texts are the user's."""
    turns = [{"role": "user", "content": turn} if isinstance(turn, str) else turn for turn in messages]
    return think(read_conversation({"messages": turns} | fields), fences=fences)


def function(name: str, description: str = "", **properties: Any) -> dict[str, Any]:
    """Make a function tool that requires all its properties."""
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


WEATHER = function("get_weather", "Get the current weather", city={"type": "string"})
TIME = function("get_time", "Get the local time", city={"type": "string"})
MAIL = function("sendMail", "Send a mail to somebody", to={"type": "string", "format": "email"})


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("Say hello world", "hello world"),
        ("say 'this is a test'", "this is a test"),
        ("请说：你好，世界", "你好，世界"),
        ("Count from 1 to 5", "1 2 3 4 5"),
        ("从1数到3", "1 2 3"),
        ("What is 6*7?", "6 * 7 = 42"),
        ("Compute 1 / 0", "1 / 0 = nan"),
        ("Hello there", "Hello! How can I help you?"),
        ("你好", "你好！我能帮你什么？"),
        ("The sky is blue", "You said: “The sky is blue”"),
        ("天是蓝的", "你说：“天是蓝的”"),
        ("  ", "I am listening."),
    ],
)
def test_reply_fits_the_question(question: str, reply: str) -> None:
    """Small questions have real answers; everything else is said back."""
    assert answer(question).text == reply


def test_name_is_remembered_from_earlier_turns() -> None:
    """History counts."""
    said = ("My name is Ada.", {"role": "assistant", "content": "Hi"}, "What is my name?")

    assert answer(*said).text == "Ada"
    assert answer("What is my name?").text == "You said: “What is my name?”"


@pytest.mark.parametrize(
    ("question", "calls"),
    [
        ("What's the weather in Paris?", [("get_weather", {"city": "Paris"})]),
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
    thought = answer(question, tools=[WEATHER, TIME, MAIL])

    assert [(call.name, json.loads(call.arguments)) for call in thought.calls] == calls
    assert bool(thought.text) == (not calls)


def test_function_is_matched_by_its_chinese_description() -> None:
    """A Chinese question finds a function whose description is Chinese."""
    tool = function("get_weather", "查询指定城市的天气", city={"type": "string"})

    (call,) = answer("北京今天天气怎么样", tools=[tool]).calls

    assert json.loads(call.arguments) == {"city": "北京"}


def test_chosen_function_is_called_whatever_the_question() -> None:
    """A caller that names a function gets a call of it."""
    choice = {"type": "function", "function": {"name": "get_time"}}

    (call,) = answer("Tell me a joke", tools=[WEATHER, TIME], tool_choice=choice).calls

    assert call.name == "get_time"


def test_results_are_summed_up_when_functions_have_run() -> None:
    """After the calls the answer holds every result, by the name of its function."""
    calls = [
        {"id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": "{}"}}
        for n, name in enumerate(["get_weather", "get_time"])
    ]
    results = [
        {"role": "tool", "content": text, "tool_call_id": f"call_{n}"} for n, text in enumerate(["rain", "noon"])
    ]

    thought = answer("Weather?", {"role": "assistant", "tool_calls": calls}, *results, tools=[WEATHER, TIME])

    assert thought.text == "get_weather says: rain\nget_time says: noon"
    assert thought.calls == []


@pytest.mark.parametrize(
    ("fences", "fenced"), [("never", [False, False]), ("always", [True, True]), ("sometimes", [False, True])]
)
def test_json_is_fenced_as_often_as_is_set(fences: Fences, fenced: list[bool]) -> None:
    """Real models wrap JSON in Markdown at times; which times depends on the question alone."""
    texts = [
        answer(question, response_format={"type": "json_object"}, fences=fences).text
        for question in ("Say one", "Say four")
    ]

    assert [text.startswith("```json\n") for text in texts] == fenced
    assert [json.loads(text.removeprefix("```json\n").removesuffix("\n```")) for text in texts] == [
        {"answer": "one"},
        {"answer": "four"},
    ]


def test_json_follows_the_schema_of_the_prompt() -> None:
    """A schema in the system's or the user's text is filled from the question."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}
    system = {"role": "system", "content": f"Answer with JSON. Schema: {json.dumps(schema)}"}

    text = answer(system, "A trip to Rome for 4 days", response_format={"type": "json_object"}).text

    assert json.loads(text) == {"city": "Rome", "days": 4}


def test_pictures_and_links_are_described() -> None:
    """The header of a picture is read, an address is named."""
    png = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (3).to_bytes(4, "big") + (2).to_bytes(4, "big")
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": base64.b64encode(png).decode()}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]

    text = answer({"role": "user", "content": parts}).text

    assert text == "I was sent a png picture, 3 x 2 pixels; a picture at https://example.com/a.png."


@pytest.mark.parametrize(("search_result", "shown"), [(True, 2), (False, 0)])
def test_search_is_cited_and_shown_when_asked_for(search_result: bool, shown: int) -> None:  # noqa: FBT001
    """The text carries marks; the findings come along only when they are wanted."""
    search = {"search_engine": "search_std", "enable": True, "count": 2, "search_result": search_result}

    thought = answer("GLM news", tools=[{"type": "web_search", "web_search": search}])

    assert thought.text.endswith("[ref_1][ref_2]")
    assert [finding["refer"] for finding in thought.searches] == ["ref_1", "ref_2"][:shown]
