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


ANY_OBJECT = {"type": "object"}
PLACE = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param(PLACE, {"city": "Rome"}, id="schema"),
        pytest.param(ANY_OBJECT, {"answer": "You said: “A trip to Rome”"}, id="any object"),
    ],
)
def test_json_is_the_answer_when_the_system_says_so_without_a_response_format(schema: Any, value: Any) -> None:
    """A model without a JSON mode follows its instructions."""
    system = {"role": "system", "content": f"Answer with one JSON object and nothing else:\n{json.dumps(schema)}"}

    assert json.loads(answer(system, "A trip to Rome").text) == value


@pytest.mark.parametrize(
    "text",
    [f"You know this JSON Schema: {json.dumps(PLACE)}", "Answer in JSON."],
    ids=["no order", "no schema"],
)
def test_text_is_the_answer_when_the_system_does_not_ask_for_json_of_a_schema(text: str) -> None:
    """Speaking of JSON is not asking for it."""
    assert answer({"role": "system", "content": text}, "Say hello").text == "hello"


def test_json_follows_results_when_the_system_asks_for_it() -> None:
    """What the functions said does not replace the form of the answer."""
    system = {"role": "system", "content": f"Unless you call a function, answer with JSON: {json.dumps(PLACE)}"}
    result = {"role": "tool", "content": "noon", "tool_call_id": "1"}

    thought = answer(system, "Weather in Rome?", result, tools=[WEATHER])

    assert json.loads(thought.text) == {"city": "Rome"}


@pytest.mark.parametrize(
    ("messages", "keys"),
    [
        pytest.param(["A joke as JSON with 'setup' and 'punchline' keys"], ["setup", "punchline"], id="user"),
        pytest.param(
            [{"role": "system", "content": "Use the keys 'a' and 'b'."}, "Joke"], ["a", "b"], id="system"
        ),
        pytest.param(["JSON with a 'x' key", "JSON with a 'y' key"], ["y"], id="latest"),
        pytest.param(["A joke"], ["answer"], id="none"),
    ],
)
def test_json_has_the_keys_the_prompt_names(messages: list[Any], keys: list[str]) -> None:
    """Without a schema the prompt may still say what the object holds."""
    text = answer(*messages, response_format={"type": "json_object"}).text

    assert list(json.loads(text)) == keys


def test_list_that_the_system_shows_is_filled_with_what_it_is_given() -> None:
    """Who has pieces rewritten gets as many; what they say stays as it is."""
    system = {"role": "system", "content": 'Translate. Answer with a JSON object {"texts": [...]} in order.'}
    pieces = json.dumps(["one two", "three"])

    text = answer(system, pieces, response_format={"type": "json_object"}).text

    assert json.loads(text) == {"texts": ["one two", "three"]}


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
