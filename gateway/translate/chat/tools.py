"""Tools and the choice among them: what GLM is offered, and how it is told to call one."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import msgspec
from msgspec import UNSET, Raw, Struct

from gateway.catalog import Model
from gateway.errors import InvalidRequest
from gateway.glm import chat as glm
from gateway.openai.chat import tools as openai
from gateway.openai.chat.requests import CreateChatCompletionRequest, WebSearchOptions

EMPTY_PARAMETERS = Raw(b'{"type":"object","properties":{}}')
CUSTOM_PARAMETERS = Raw(
    b'{"type":"object","properties":{"input":{"type":"string","description":"The whole input of the tool."}},'
    b'"required":["input"]}'
)
NO_PARAMETERS = (Raw(b"null"), Raw(b"{}"))


class CustomInput(Struct, frozen=True, kw_only=True):
    """How the free text of a custom tool travels through a function's arguments."""

    input: str


class Offer(Struct, frozen=True, kw_only=True):
    """
    The tools GLM is offered, by their place in the request, and whether and what it must call.

    ``chosen`` says that the caller chose among its tools, so that a call of anything else is a wrong one.
    ``must_name`` None means any of them.
    """

    tools: Mapping[str, openai.Tool]
    mode: Literal["auto", "required"] = "auto"
    chosen: bool = False
    must_name: str | None = None

    @property
    def names(self) -> frozenset[str]:
        """What the tools are called by."""
        return frozenset(name for tool in self.tools.values() if (name := name_of(tool)) is not None)


NOTHING = Offer(tools=MappingProxyType({}))


def offer_of(request: CreateChatCompletionRequest) -> Offer:
    """Return what of the request's tools may be called; raise InvalidRequest for a choice that names no tool."""
    if request.tools is None:
        if request.functions is not None:
            return legacy_offer(request)
        if request.tool_choice is None:
            return NOTHING
    tools = {f"tools[{index}]": tool for index, tool in enumerate(request.tools or ())}
    match request.tool_choice:
        case "none":
            return Offer(tools={})
        case None | "auto":
            return Offer(tools=tools)
        case "required":
            need_callable(tools)
            return Offer(tools=tools, mode="required", chosen=True)
        case openai.FunctionChoice(function=wanted):
            return named_offer(tools, wanted.name, param="tool_choice")
        case openai.CustomChoice(custom=wanted):
            return named_offer(tools, wanted.name, param="tool_choice")
        case openai.AllowedToolsChoice(allowed_tools=allowed):
            return allowed_offer(tools, allowed)


def legacy_offer(request: CreateChatCompletionRequest) -> Offer:
    functions = enumerate(request.functions or ())
    tools: dict[str, openai.Tool] = {
        f"functions[{index}]": openai.FunctionTool(function=function) for index, function in functions
    }
    match request.function_call:
        case "none":
            return Offer(tools={})
        case openai.ToolName(name=name):
            return named_offer(tools, name, param="function_call")
        case _:
            return Offer(tools=tools)


def need_callable(tools: Mapping[str, openai.Tool]) -> None:
    if not any(name_of(tool) for tool in tools.values()):
        raise InvalidRequest(
            "'tool_choice' asks for a call, but 'tools' holds no function to call.", param="tool_choice"
        )


def named_offer(tools: Mapping[str, openai.Tool], name: str, *, param: str) -> Offer:
    found = {place: tool for place, tool in tools.items() if name_of(tool) == name}
    if not found:
        raise InvalidRequest(f"'{param}' names a function that the request does not define.", param=param)
    return Offer(tools=found, mode="required", chosen=True, must_name=name)


def allowed_offer(tools: Mapping[str, openai.Tool], allowed: openai.AllowedTools) -> Offer:
    names = {choice.name for tool in allowed.tools if (choice := tool.function or tool.custom) is not None}
    found = {place: tool for place, tool in tools.items() if name_of(tool) in names}
    if not found:
        raise InvalidRequest("'allowed_tools' names no tool that is among 'tools'.", param="tool_choice")
    return Offer(tools=found, mode=allowed.mode, chosen=True)


def name_of(tool: openai.Tool) -> str | None:
    """Return the name a tool is called by; Zhipu's built-in tools have none."""
    match tool:
        case openai.FunctionTool(function=function):
            return function.name
        case openai.CustomTool(custom=custom):
            return custom.name
        case _:
            return None


def to_glm(tools: Mapping[str, openai.Tool], *, model: Model) -> list[glm.Tool]:
    """Return the tools in GLM's terms; raise InvalidRequest naming the one that ``model`` does not take."""
    return [convert(tool, model=model, param=place) for place, tool in tools.items()]


def convert(tool: openai.Tool, *, model: Model, param: str) -> glm.Tool:
    match tool:
        case openai.FunctionTool(function=function):
            require(model, "function", param=param)
            return function_tool(function, param=param)
        case openai.CustomTool(custom=custom):
            require(model, "function", param=param)
            return custom_tool(custom, param=param)
        case openai.WebSearchTool(web_search=body):
            require(model, "web_search", param=param)
            return glm.WebSearchTool(web_search=json_object(body, param=f"{param}.web_search"))
        case openai.RetrievalTool(retrieval=body):
            require(model, "retrieval", param=param)
            return glm.RetrievalTool(retrieval=json_object(body, param=f"{param}.retrieval"))
        case openai.McpTool(mcp=body):
            require(model, "mcp", param=param)
            return glm.McpTool(mcp=json_object(body, param=f"{param}.mcp"))


def without_effect(request: CreateChatCompletionRequest) -> Iterator[str]:
    """Name what the definitions of functions ask for and GLM does not know: to keep strictly to their schema."""
    if any(isinstance(tool, openai.FunctionTool) and tool.function.strict for tool in request.tools or ()):
        yield "tools[].function.strict"
    if any(function.strict for function in request.functions or ()):
        yield "functions[].strict"


def json_object(body: Raw, *, param: str) -> Raw:
    """Return ``body`` as it came; raise InvalidRequest when it is not a JSON object."""
    if not bytes(body).startswith(b"{"):
        raise InvalidRequest(f"Invalid type for '{param}': expected an object.", param=param, code="invalid_type")
    return body


def function_tool(function: openai.Function, *, param: str) -> glm.FunctionTool:
    """Return a function with what GLM requires and OpenAI does not: a description and an object of parameters."""
    parameters = EMPTY_PARAMETERS
    if function.parameters is not UNSET and function.parameters not in NO_PARAMETERS:
        parameters = json_object(function.parameters, param=f"{param}.function.parameters")
    return glm.FunctionTool(
        function=glm.Function(name=function.name, description=function.description or "", parameters=parameters)
    )


def custom_tool(custom: openai.Custom, *, param: str) -> glm.FunctionTool:
    if custom.format is not None and custom.format.type != "text":
        raise InvalidRequest(
            "GLM cannot keep a custom tool's input to a grammar. Use format 'text', or a function tool.",
            param=f"{param}.custom.format",
            code="unsupported_parameter",
        )
    return glm.FunctionTool(
        function=glm.Function(name=custom.name, description=custom.description or "", parameters=CUSTOM_PARAMETERS)
    )


def require(model: Model, kind: str, *, param: str) -> None:
    """Raise InvalidRequest when ``model`` does not take this kind of tool."""
    kinds: Sequence[str] = model.chat_traits.tools
    if kind not in kinds:
        takes = f"it takes {', '.join(kinds)} tools" if kinds else "it takes no tools at all"
        raise InvalidRequest(
            f"{model.id} takes no {kind} tools; {takes}. Use a text model such as glm-4.7.",
            param=param,
            code="unsupported_parameter",
        )


def web_search_of(options: WebSearchOptions) -> glm.WebSearchTool:
    """Return Zhipu's search for OpenAI's options; the user's location has no counterpart."""
    size = "high" if options.search_context_size == "high" else "medium"
    return glm.WebSearchTool(web_search=glm.WebSearch(search_engine="search_std", content_size=size))


def call_instruction(offer: Offer) -> str:
    """Return the sentence that asks for a call, since GLM's ``tool_choice`` knows only ``auto``."""
    if offer.must_name is not None:
        return f"You must answer by calling the function '{offer.must_name}'. Do not answer in text."
    return "You must answer by calling one of the functions you were given. Do not answer in text."


def wrap_custom_input(text: str) -> str:
    """Return the function arguments that carry a custom tool's input."""
    return msgspec.json.encode(CustomInput(input=text)).decode()


def unwrap_custom_input(arguments: str) -> str:
    """Return a custom tool's input; whatever is not wrapped is taken as the input itself."""
    try:
        return msgspec.json.decode(arguments, type=CustomInput).input
    except (msgspec.DecodeError, UnicodeDecodeError):
        return arguments
