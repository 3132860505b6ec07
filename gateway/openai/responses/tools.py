"""Tools of a response, which are flat where those of chat are nested, and the choice among them."""

from typing import Any, Literal

from msgspec import UNSET, Raw, Struct, UnsetType

from gateway.openai.chat.tools import FunctionName


class ToolHead(Struct, frozen=True, kw_only=True):
    """What tells tools apart."""

    type: str


class FlatFunction(Struct, frozen=True, kw_only=True):
    """A function the model may call; ``parameters`` is a JSON Schema that travels as it came."""

    name: FunctionName
    description: str | None = None
    parameters: Raw | UnsetType = UNSET


class Grammar(Struct, frozen=True, kw_only=True):
    """The form of a custom tool's input: ``text``, or a ``grammar`` with its ``syntax`` and ``definition``."""

    type: str = "text"
    syntax: str = ""
    definition: str = ""


class FlatCustom(Struct, frozen=True, kw_only=True):
    """A tool whose input is free text."""

    name: FunctionName
    description: str | None = None
    format: Grammar | None = None


class Namespace(Struct, frozen=True, kw_only=True):
    """Functions and custom tools under one name."""

    name: FunctionName
    tools: list[Raw]
    description: str | None = None


class SearchFilters(Struct, frozen=True, kw_only=True):
    """Where to search."""

    allowed_domains: list[str] | None = None


class HostedSearch(Struct, frozen=True, kw_only=True):
    """
    A search of the web: OpenAI's, or Zhipu's own as ``web_search``.

    ``external_web_access`` false: only in pages that were fetched before.
    """

    search_context_size: Literal["low", "medium", "high"] | None = None
    user_location: Any = None
    filters: SearchFilters | None = None
    external_web_access: bool | None = None
    web_search: Raw | UnsetType = UNSET


class HostedRetrieval(Struct, frozen=True, kw_only=True):
    """Zhipu's knowledge base, as Zhipu documents it."""

    retrieval: Raw


class HostedMcp(Struct, frozen=True, kw_only=True):
    """A remote MCP server, as Zhipu documents it; OpenAI's form has no ``mcp``."""

    mcp: Raw | UnsetType = UNSET


class ChosenTool(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A tool by its type and name, or a choice among several."""

    type: str
    name: str | None = None
    mode: Literal["auto", "required"] | None = None
    tools: list["ChosenTool"] | None = None


FlatChoice = Literal["none", "auto", "required"] | ChosenTool
