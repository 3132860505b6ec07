"""Tools: what GLM is offered, for every choice among them."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.errors import InvalidRequest
from gateway.translate.chat.tools import unwrap_custom_input, wrap_custom_input

Sent = Callable[..., dict[str, Any]]

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
EMPTY = {"type": "object", "properties": {}}


def function(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **more}}


WEATHER, TIME = function("weather", description="Tells it.", parameters=SCHEMA), function("time")
SEARCH = {"type": "web_search", "web_search": {"search_engine": "search_pro", "count": 3}}
CUSTOM = {"type": "custom", "custom": {"name": "shell", "description": "Runs it."}}


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        pytest.param(WEATHER, WEATHER, id="whole"),
        pytest.param(TIME, function("time", description="", parameters=EMPTY), id="bare"),
        pytest.param(
            function("time", description=None, parameters=None),
            function("time", description="", parameters=EMPTY),
            id="nulls",
        ),
        pytest.param(
            function("time", parameters={}), function("time", description="", parameters=EMPTY), id="empty schema"
        ),
        pytest.param(
            function("weather", description="Tells it.", parameters=SCHEMA, strict=True),
            WEATHER,
            id="strict is dropped",
        ),
        pytest.param(SEARCH, SEARCH, id="Zhipu's search"),
        pytest.param(
            {"type": "retrieval", "retrieval": {"knowledge_id": "1"}},
            {"type": "retrieval", "retrieval": {"knowledge_id": "1"}},
            id="Zhipu's knowledge base",
        ),
        pytest.param(
            {"type": "mcp", "mcp": {"server_label": "s", "headers": {"a": "b"}}},
            {"type": "mcp", "mcp": {"server_label": "s", "headers": {"a": "b"}}},
            id="Zhipu's MCP",
        ),
        pytest.param(
            CUSTOM,
            function(
                "shell",
                description="Runs it.",
                parameters={
                    "type": "object",
                    "properties": {"input": {"type": "string", "description": "The whole input of the tool."}},
                    "required": ["input"],
                },
            ),
            id="custom, as a function of one string",
        ),
    ],
)
def test_tool_is_offered_as_glm_takes_it(sent: Sent, tool: dict[str, Any], expected: dict[str, Any]) -> None:
    """GLM requires descriptions and parameters, and allows no field that it does not know."""
    assert sent(tools=[tool])["tools"] == [expected]


def names(body: dict[str, Any]) -> list[str]:
    return [tool["function"]["name"] for tool in body.get("tools", [])]


@pytest.mark.parametrize(
    ("choice", "offered", "instructed"),
    [
        pytest.param("auto", ["weather", "time"], "", id="auto"),
        pytest.param("none", [], "", id="none"),
        pytest.param("required", ["weather", "time"], "calling one of the functions", id="required"),
        pytest.param(function("time"), ["time"], "calling the function 'time'", id="named"),
        pytest.param(
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [function("time")]}},
            ["time"],
            "",
            id="allowed",
        ),
        pytest.param(
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [function("time")]}},
            ["time"],
            "calling one of the functions",
            id="allowed, one required",
        ),
    ],
)
def test_choice_becomes_an_offer_and_an_instruction(
    sent: Sent, choice: Any, offered: list[str], instructed: str
) -> None:
    """GLM's ``tool_choice`` knows only ``auto``, so the choice is made by what it is offered and told."""
    body = sent(tools=[WEATHER, TIME], tool_choice=choice)
    system = [turn["content"] for turn in body["messages"] if turn["role"] == "system"]

    assert offered == names(body)
    assert "tool_choice" not in body
    assert [instructed in text for text in system] == ([True] if instructed else [])


def test_instruction_joins_the_system_message_there_is(sent: Sent) -> None:
    """A second system message would be a surprise to the model."""
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "x"}]

    system, user = sent(messages=turns, tools=[TIME], tool_choice="required")["messages"]

    assert system["content"].startswith("Be brief.\n\nYou must answer by calling")
    assert user == turns[1]


def test_custom_tool_can_be_chosen_by_name(sent: Sent) -> None:
    """A custom tool travels as a function, and is chosen like one."""
    assert names(sent(tools=[TIME, CUSTOM], tool_choice={"type": "custom", "custom": {"name": "shell"}})) == [
        "shell"
    ]


@pytest.mark.parametrize(
    ("call", "offered"),
    [(None, ["a", "b"]), ("auto", ["a", "b"]), ("none", []), ({"name": "b"}, ["b"])],
    ids=["absent", "auto", "none", "named"],
)
def test_deprecated_functions_are_offered_as_tools(sent: Sent, call: Any, offered: list[str]) -> None:
    """``functions`` and ``function_call`` are the old names of the same things."""
    assert offered == names(sent(functions=[{"name": "a"}, {"name": "b"}], function_call=call))


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [TIME], "tool_choice": function("weather")}, "tool_choice"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [SEARCH], "tool_choice": "required"}, "tool_choice"),
        (
            {
                "tools": [TIME],
                "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}},
            },
            "tool_choice",
        ),
        ({"functions": [{"name": "a"}], "function_call": {"name": "b"}}, "function_call"),
        ({"tools": [TIME, function("x", parameters=[])]}, "tools[1].function.parameters"),
        (
            {"tools": [TIME, function("x", parameters="s")], "tool_choice": function("x")},
            "tools[1].function.parameters",
        ),
        ({"functions": [{"name": "x", "parameters": 1}]}, "functions[0].function.parameters"),
        ({"tools": [{"type": "web_search", "web_search": None}]}, "tools[0].web_search"),
        ({"tools": [{"type": "mcp", "mcp": "x"}]}, "tools[0].mcp"),
        ({"tools": [{"type": "code_interpreter"}]}, "tools[0].type"),
        ({"tools": [function("not a name")]}, "tools[0].function.name"),
        ({"tools": [TIME] * 129}, "tools"),
        ({"tools": [TIME], "model": "glm-4.5v"}, "tools[0]"),
        ({"tools": [TIME, SEARCH], "model": "glm-4.6v"}, "tools[1]"),
        (
            {"tools": [{"type": "custom", "custom": {"name": "c", "format": {"type": "grammar", "grammar": {}}}}]},
            "tools[0].custom.format",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_tool_or_choice_is_refused_by_its_path(sent: Sent, fields: dict[str, Any], param: str) -> None:
    """What GLM or the model cannot do is a 400 that names the place in the request."""
    with pytest.raises(InvalidRequest) as refusal:
        sent(**fields)

    assert param == refusal.value.param


@pytest.mark.parametrize("text", ["", "ls -l", 'say "hi"\n\\', "你好"])
def test_custom_input_survives_its_wrapping(text: str) -> None:
    """Free text comes out as it went in."""
    assert unwrap_custom_input(wrap_custom_input(text)) == text


@pytest.mark.parametrize("arguments", ["ls -l", "{}", '{"command":"ls"}', '{"input":'])
def test_custom_input_is_the_arguments_when_the_model_did_not_wrap_it(arguments: str) -> None:
    """A model that forgets the wrapping is still understood."""
    assert unwrap_custom_input(arguments) == arguments
