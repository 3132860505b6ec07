"""The tools a model may call, OpenAI's and Zhipu's own, and the choice among them."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

FunctionName = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]


class Function(Struct, frozen=True, kw_only=True):
    """A function; ``parameters`` is a JSON Schema that travels as it came."""

    name: FunctionName
    description: str | None = None
    parameters: Raw | UnsetType = UNSET
    strict: bool | None = None


class FunctionTool(Struct, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """A function the model may call."""

    function: Function


class CustomFormat(Struct, frozen=True, kw_only=True):
    """The form of a custom tool's input: ``text`` or ``grammar``."""

    type: str = "text"


class Custom(Struct, frozen=True, kw_only=True):
    """A tool whose input is free text."""

    name: FunctionName
    description: str | None = None
    format: CustomFormat | None = None


class CustomTool(Struct, frozen=True, kw_only=True, tag_field="type", tag="custom"):
    """A custom tool the model may call."""

    custom: Custom


class WebSearchTool(Struct, frozen=True, kw_only=True, tag_field="type", tag="web_search"):
    """Zhipu's built-in search, as Zhipu documents it."""

    web_search: Raw


class RetrievalTool(Struct, frozen=True, kw_only=True, tag_field="type", tag="retrieval"):
    """Zhipu's knowledge base, as Zhipu documents it."""

    retrieval: Raw


class McpTool(Struct, frozen=True, kw_only=True, tag_field="type", tag="mcp"):
    """A remote MCP server, as Zhipu documents it."""

    mcp: Raw


Tool = FunctionTool | CustomTool | WebSearchTool | RetrievalTool | McpTool


class ToolName(Struct, frozen=True, kw_only=True):
    """A tool by name."""

    name: str


class FunctionChoice(Struct, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """The model must call this function."""

    function: ToolName


class CustomChoice(Struct, frozen=True, kw_only=True, tag_field="type", tag="custom"):
    """The model must call this custom tool."""

    custom: ToolName


class AllowedTool(Struct, frozen=True, kw_only=True):
    """One entry of a list of allowed tools."""

    type: str
    function: ToolName | None = None
    custom: ToolName | None = None


class AllowedTools(Struct, frozen=True, kw_only=True):
    """The part of the tools that may be called this time."""

    mode: Literal["auto", "required"]
    tools: list[AllowedTool]


class AllowedToolsChoice(Struct, frozen=True, kw_only=True, tag_field="type", tag="allowed_tools"):
    """The model may, or must, call one of these tools."""

    allowed_tools: AllowedTools


ToolChoice = Literal["none", "auto", "required"] | FunctionChoice | CustomChoice | AllowedToolsChoice
