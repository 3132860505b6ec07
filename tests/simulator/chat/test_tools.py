"""What tools a request may offer."""

from typing import Any

import pytest

from gateway.simulator.chat.tools import check_tools
from gateway.simulator.models import CHAT_MODELS
from gateway.simulator.refusals import Refusal

SEARCH = {"search_engine": "search_std"}


def function(**fields: Any) -> dict[str, Any]:
    """Make a function tool; fields that are None are left out."""
    inner = {"name": "f", "description": "", "parameters": {"type": "object"}} | fields
    return {"type": "function", "function": {key: value for key, value in inner.items() if value is not None}}


def mcp(**fields: Any) -> dict[str, Any]:
    """Make a tool on a server of somebody's."""
    return {"type": "mcp", "mcp": {"server_label": "s"} | fields}


def refused(*tools: Any) -> tuple[str, str] | None:
    """Tell code and subject tools are refused with; None when they are taken."""
    try:
        check_tools("tools", list(tools), CHAT_MODELS["glm-4.7"])
    except Refusal as refusal:
        return refusal.code.code, refusal.subjects[0]
    return None


@pytest.mark.parametrize(
    "tool",
    [
        pytest.param(function(name="get-weather_2"), id="function"),
        pytest.param(function(strict=False), id="strict, without effect"),
        pytest.param(
            {"type": "web_search", "web_search": SEARCH | {"enable": True, "count": 50}}, id="web_search"
        ),
        pytest.param({"type": "retrieval", "retrieval": {"knowledge_id": "1"}}, id="retrieval"),
        pytest.param(mcp(), id="mcp"),
        pytest.param(mcp(transport_type="sse", allowed_tools=["f"], headers={"a": "b"}), id="mcp with all it may"),
    ],
)
def test_tool_is_taken_when_it_is_as_documented(tool: Any) -> None:
    """All four kinds are taken by a text model."""
    assert refused(tool) is None


@pytest.mark.parametrize(
    ("tool", "code", "subject"),
    [
        pytest.param({"type": "code_interpreter"}, "1214", "tools[0].type", id="unknown type"),
        pytest.param("f", "1214", "tools[0].type", id="not an object"),
        pytest.param({"type": "function"}, "1213", "tools[0].function", id="no function"),
        pytest.param(function(name=None), "1213", "tools[0].function.name", id="no name"),
        pytest.param(function(description=None), "1213", "tools[0].function.description", id="no description"),
        pytest.param(function(parameters=None), "1213", "tools[0].function.parameters", id="no parameters"),
        pytest.param(function(name="a b"), "1214", "tools[0].function.name", id="space in name"),
        pytest.param(function(name="x" * 65), "1214", "tools[0].function.name", id="long name"),
        pytest.param(
            function(description=1), "1214", "tools[0].function.description", id="description is a number"
        ),
        pytest.param(function(parameters=[]), "1214", "tools[0].function.parameters", id="parameters are a list"),
        pytest.param(
            function() | {"cache": 1}, "1210", "tools[0]: unknown field: cache", id="more beside function"
        ),
        pytest.param(function(returns={}), "1210", "tools[0]: unknown field: returns", id="more inside function"),
        pytest.param(
            {"type": "web_search", "web_search": {}}, "1213", "tools[0].web_search.search_engine", id="no engine"
        ),
        pytest.param(
            {"type": "web_search", "web_search": {"search_engine": "bing"}},
            "1214",
            "tools[0].web_search.search_engine",
            id="unknown engine",
        ),
        pytest.param(
            {"type": "web_search", "web_search": SEARCH | {"count": 51}},
            "1214",
            "tools[0].web_search.count",
            id="too many results",
        ),
        pytest.param(
            {"type": "web_search", "web_search": SEARCH | {"content_size": "low"}},
            "1214",
            "tools[0].web_search.content_size",
            id="unknown size",
        ),
        pytest.param(
            {"type": "retrieval", "retrieval": {}}, "1213", "tools[0].retrieval.knowledge_id", id="no knowledge"
        ),
        pytest.param(mcp(server_label=None), "1213", "tools[0].mcp.server_label", id="no label"),
        pytest.param(mcp(transport_type="stdio"), "1214", "tools[0].mcp.transport_type", id="unknown transport"),
        pytest.param(mcp(allowed_tools="f"), "1214", "tools[0].mcp.allowed_tools", id="allowed tools are a text"),
        pytest.param(mcp(headers=["a"]), "1214", "tools[0].mcp.headers", id="headers are a list"),
    ],
)
def test_tool_is_refused_when_it_is_not_as_documented(tool: Any, code: str, subject: str) -> None:
    """Each mistake has the platform's code, and the message says which tool."""
    assert refused(tool) == (code, subject)


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"type": "array", "prefixItems": [{"type": "string"}]}, id="prefixItems"),
        pytest.param({"properties": {"a": {"type": "array", "items": [{"type": "string"}]}}}, id="list of items"),
        pytest.param({"anyOf": [{"type": "array", "items": []}]}, id="inside anyOf"),
    ],
)
def test_schema_is_refused_when_it_has_tuples(schema: Any) -> None:
    """The platform does not know arrays whose items differ by place."""
    refusal = refused(function(parameters=schema))

    assert refusal is not None
    assert refusal[0] == "1210"


def test_tools_are_refused_when_there_are_too_many() -> None:
    """128 is the most."""
    assert refused(*[function()] * 128) is None
    assert refused(*[function()] * 129) == ("1210", "tools: at most 128")
