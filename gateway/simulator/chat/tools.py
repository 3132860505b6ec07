"""
What tools a request may offer: their kinds, their fields, their schemas.

Source: docs.bigmodel.cn, chat completion reference, tools; codes as callers report them.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from gateway.simulator.models import ChatModel
from gateway.simulator.refusals import Refusal

_MOST_TOOLS = 128
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_ENGINES = {"search_std", "search_pro", "search_pro_sogou", "search_pro_quark"}
_FIELDS = {
    "function": {
        "name",
        "description",
        "parameters",
        "strict",
    },  # strict is recorded as accepted, without effect
    "retrieval": {"knowledge_id", "prompt_template"},
    "web_search": {
        "enable",
        "search_engine",
        "search_query",
        "search_intent",
        "count",
        "search_domain_filter",
        "search_recency_filter",
        "content_size",
        "result_sequence",
        "search_result",
        "require_search",
        "search_prompt",
    },
    "mcp": {"server_label", "server_url", "transport_type", "allowed_tools", "headers"},
}


def check_tools(name: str, tools: Any, model: ChatModel) -> None:
    """Refuse tools the platform or the model would refuse."""
    if not isinstance(tools, list):
        raise Refusal("1214", name)
    if len(tools) > _MOST_TOOLS:
        raise Refusal("1210", f"{name}: at most {_MOST_TOOLS}")
    for index, tool in enumerate(tools):
        path = f"{name}[{index}]"
        kind = tool.get("type") if isinstance(tool, dict) else None
        if kind not in _FIELDS:
            raise Refusal("1214", f"{path}.type")
        if kind not in model.tools:
            raise Refusal("1210", f"{path}.type: {kind} is not supported by {model.id}")
        _check_tool(path, tool, kind)


def check_tool_choice(name: str, choice: Any, model: ChatModel) -> None:
    """Refuse any choice but ``auto`` and, on text models, a named function, which traffic shows to work."""
    if not model.tools:
        raise Refusal("1210", f"{name}: not supported by {model.id}")
    named = isinstance(choice, dict) and isinstance(choice.get("function"), dict) and model.family == "text"
    if choice != "auto" and not named:
        raise Refusal("1210", f"{name}: auto")


def is_function_name(name: str) -> bool:
    """Tell whether functions may be called that."""
    return _NAME.fullmatch(name) is not None


def _check_tool(path: str, tool: dict[str, Any], kind: str) -> None:
    inner = tool.get(kind)
    if not isinstance(inner, dict):
        raise Refusal("1213", f"{path}.{kind}")
    unknown = tool.keys() - {"type", kind} | inner.keys() - _FIELDS[kind]
    if unknown:
        raise Refusal("1210", f"{path}: unknown field: {', '.join(sorted(unknown))}")
    _KINDS[kind](f"{path}.{kind}", inner)


def _check_function(path: str, function: dict[str, Any]) -> None:
    for required in ("name", "description", "parameters"):
        if function.get(required) is None:
            raise Refusal("1213", f"{path}.{required}")
    if not isinstance(function["name"], str) or not is_function_name(function["name"]):
        raise Refusal("1214", f"{path}.name")
    if not isinstance(function["description"], str):
        raise Refusal("1214", f"{path}.description")
    if not isinstance(function["parameters"], dict):
        raise Refusal("1214", f"{path}.parameters")
    if _has_tuples(function["parameters"]):
        raise Refusal("1210", f"{path}.parameters: tuple arrays are not supported")


def _has_tuples(schema: Any) -> bool:
    if isinstance(schema, list):
        return any(_has_tuples(item) for item in schema)
    if not isinstance(schema, dict):
        return False
    return "prefixItems" in schema or isinstance(schema.get("items"), list) or _has_tuples([*schema.values()])


def _check_web_search(path: str, search: dict[str, Any]) -> None:
    if search.get("search_engine") is None:
        raise Refusal("1213", f"{path}.search_engine")
    if search["search_engine"] not in _ENGINES:
        raise Refusal("1214", f"{path}.search_engine")
    results = search.get("count", 10)
    if isinstance(results, bool) or not isinstance(results, int) or not 1 <= results <= 50:
        raise Refusal("1214", f"{path}.count")
    for field, words in (("content_size", {"medium", "high"}), ("result_sequence", {"before", "after"})):
        if search.get(field) is not None and search[field] not in words:
            raise Refusal("1214", f"{path}.{field}")


def _check_mcp(path: str, mcp: dict[str, Any]) -> None:
    _requires("server_label")(path, mcp)
    if mcp.get("transport_type") not in {None, "sse", "streamable-http"}:
        raise Refusal("1214", f"{path}.transport_type")
    for field, kind in (("allowed_tools", list), ("headers", dict)):
        if not isinstance(mcp.get(field, kind()), kind):
            raise Refusal("1214", f"{path}.{field}")


def _requires(field: str) -> Callable[[str, dict[str, Any]], None]:
    def check(path: str, inner: dict[str, Any]) -> None:
        if not isinstance(inner.get(field), str):
            raise Refusal("1213", f"{path}.{field}")

    return check


_KINDS: Mapping[str, Callable[[str, dict[str, Any]], None]] = {
    "function": _check_function,
    "retrieval": _requires("knowledge_id"),
    "web_search": _check_web_search,
    "mcp": _check_mcp,
}
