"""Tools of a response in chat's terms, what GLM has no counterpart for, and the way back from GLM's names."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec import UNSET, Raw, Struct

from gateway.errors import InvalidRequest
from gateway.glm import chat as glm
from gateway.openai.chat import tools as chat
from gateway.openai.responses import tools as openai
from gateway.translate.chat.tools import name_of
from gateway.translate.responses.kinds import MAX_KIND_CHARACTERS, TOOL_HEAD, Kind

SEARCHES = ("web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11")
MAX_NAME_CHARACTERS = 64
DIGEST_CHARACTERS = 8

FUNCTION = Kind(openai.FlatFunction)
CUSTOM = Kind(openai.FlatCustom)
NAMESPACE = Kind(openai.Namespace)
SEARCH = Kind(openai.HostedSearch)
RETRIEVAL = Kind(openai.HostedRetrieval)
MCP = Kind(openai.HostedMcp)


class Named(Struct, frozen=True):
    """What the caller calls a tool: its name, and the namespace it is in, None outside of one."""

    name: str
    namespace: str | None = None


@dataclass(slots=True)
class Toolbox:
    """
    The tools in chat's terms, in the order of their ``places`` in the request.

    ``names`` gives the caller's name for each that GLM knows by another. ``notes`` are instructions that explain
    groups of tools. ``ignored`` names what was accepted without effect.
    """

    tools: list[chat.Tool] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    names: dict[str, Named] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def add(self, tool: chat.Tool, *, kind: str, place: str) -> None:
        """Put one more in."""
        self.tools.append(tool)
        self.kinds.append(kind)
        self.places.append(place)


def flat_name(name: str, namespace: str | None) -> str:
    """Return the name by which GLM knows a tool; one that would be too long ends in a digest of itself."""
    if namespace is None:
        return name
    flat = f"{namespace}__{name}"
    if len(flat) <= MAX_NAME_CHARACTERS:
        return flat
    digest = hashlib.sha256(flat.encode()).hexdigest()[:DIGEST_CHARACTERS]
    return f"{flat[: MAX_NAME_CHARACTERS - DIGEST_CHARACTERS - 1]}_{digest}"


def toolbox_of(raws: Sequence[Raw]) -> Toolbox:
    """Return the tools; raise InvalidRequest naming the one that GLM has no counterpart for."""
    box = Toolbox()
    for index, raw in enumerate(raws):
        place = f"tools[{index}]"
        kind = TOOL_HEAD.read(raw, param=place).type
        if kind == "namespace":
            put_namespace(raw, box, place=place)
        else:
            put(raw, box, kind=kind, place=place)
    return box


def put_namespace(raw: Raw, box: Toolbox, *, place: str) -> None:
    group = NAMESPACE.read(raw, param=place)
    for index, member in enumerate(group.tools):
        inner = f"{place}.tools[{index}]"
        kind = TOOL_HEAD.read(member, param=inner).type
        if kind not in ("function", "custom"):
            raise no_counterpart(kind, param=f"{inner}.type")
        put(member, box, kind=kind, place=inner, namespace=group.name)
    if group.description and group.tools:
        box.notes.append(f"About the functions whose names begin with '{group.name}__': {group.description}")


def put(raw: Raw, box: Toolbox, *, kind: str, place: str, namespace: str | None = None) -> None:
    match kind:
        case "function":
            box.add(function_of(raw, box, place=place, namespace=namespace), kind=kind, place=place)
        case "custom":
            box.add(custom_of(raw, box, place=place, namespace=namespace), kind=kind, place=place)
        case "retrieval":
            box.add(
                chat.RetrievalTool(retrieval=RETRIEVAL.read(raw, param=place).retrieval), kind=kind, place=place
            )
        case "mcp":
            body = MCP.read(raw, param=place).mcp
            if body is UNSET:
                raise no_counterpart(kind, param=f"{place}.type")
            box.add(chat.McpTool(mcp=body), kind=kind, place=place)
        case _ if kind in SEARCHES:
            put_search(SEARCH.read(raw, param=place), box, kind=kind, place=place)
        case _:
            raise no_counterpart(kind, param=f"{place}.type")


def function_of(raw: Raw, box: Toolbox, *, place: str, namespace: str | None) -> chat.FunctionTool:
    tool = FUNCTION.read(raw, param=place)
    name = named(tool.name, box, namespace=namespace)
    return chat.FunctionTool(
        function=chat.Function(name=name, description=tool.description, parameters=tool.parameters)
    )


def custom_of(raw: Raw, box: Toolbox, *, place: str, namespace: str | None) -> chat.CustomTool:
    """Return a custom tool; a grammar, which GLM cannot be held to, is a part of the description."""
    tool = CUSTOM.read(raw, param=place)
    description = tool.description or ""
    if tool.format is not None and tool.format.type == "grammar":
        box.ignored.append(f"{place}.format")
        description += (
            f"\n\nThe input must keep to this {tool.format.syntax} grammar, and hold nothing else:\n"
            f"{tool.format.definition}"
        )
    name = named(tool.name, box, namespace=namespace)
    return chat.CustomTool(custom=chat.Custom(name=name, description=description))


def named(name: str, box: Toolbox, *, namespace: str | None) -> str:
    flat = flat_name(name, namespace)
    if namespace is not None:
        box.names[flat] = Named(name, namespace)
    return flat


def put_search(search: openai.HostedSearch, box: Toolbox, *, kind: str, place: str) -> None:
    """Offer Zhipu's search: as the caller worded it for Zhipu, or else as near as it comes to OpenAI's."""
    if search.web_search is not UNSET:
        box.add(chat.WebSearchTool(web_search=search.web_search), kind=kind, place=place)
        return
    if search.external_web_access is False:
        box.ignored.append(place)  # Pages that were fetched before are all that is wanted; Zhipu keeps none.
        return
    if search.user_location is not None:
        box.ignored.append(f"{place}.user_location")
    body = glm.WebSearch(
        search_engine="search_std",
        content_size="high" if search.search_context_size == "high" else "medium",
        result_sequence="before",
        search_domain_filter=domain_of(search.filters, param=f"{place}.filters"),
    )
    box.add(chat.WebSearchTool(web_search=Raw(msgspec.json.encode(body))), kind=kind, place=place)


def domain_of(filters: openai.SearchFilters | None, *, param: str) -> str | msgspec.UnsetType:
    """Return the one domain to search; raise InvalidRequest for several, since Zhipu's filter holds one."""
    domains = (filters.allowed_domains if filters is not None else None) or []
    if len(domains) > 1:
        raise InvalidRequest(
            f"Zhipu searches one domain or all; there are {len(domains)}. Keep the one that matters.",
            param=f"{param}.allowed_domains",
            code="unsupported_value",
        )
    return domains[0] if domains else UNSET


def no_counterpart(kind: str, *, param: str) -> InvalidRequest:
    return InvalidRequest(
        f"GLM has no counterpart for tools of type '{kind[:MAX_KIND_CHARACTERS]}'. Supported are 'function', "
        "'custom', 'namespace' and 'web_search'; offer a function that does the work instead.",
        param=param,
        code="unsupported_tool",
    )


def chosen(box: Toolbox, choice: openai.FlatChoice | None) -> tuple[list[int], chat.ToolChoice | None]:
    """Return which tools may be called, by their place in the box, and chat's choice among them."""
    everything = list(range(len(box.tools)))
    if not isinstance(choice, openai.ChosenTool):
        return everything, choice
    if choice.type == "allowed_tools":
        wanted = choice.tools or []
        found = [index for index in everything if any(is_meant(box, index, one) for one in wanted)]
        if not found:
            raise InvalidRequest("'allowed_tools' names no tool that is among 'tools'.", param="tool_choice")
        return found, choice.mode or "auto"
    found = [index for index in everything if is_meant(box, index, choice)]
    if not found:
        raise InvalidRequest("'tool_choice' names a tool that the request does not define.", param="tool_choice")
    name = name_of(box.tools[found[0]])
    match choice.type:
        case "function" if name is not None:
            return everything, chat.FunctionChoice(function=chat.ToolName(name=name))
        case "custom" if name is not None:
            return everything, chat.CustomChoice(custom=chat.ToolName(name=name))
        case _:
            return found, "auto"  # Whether it searches is Zhipu's decision; it has nothing else to do.


def is_meant(box: Toolbox, index: int, choice: openai.ChosenTool) -> bool:
    """Tell whether a choice means this tool; hosted ones are named by their type alone."""
    kind, tool = box.kinds[index], box.tools[index]
    if kind not in ("function", "custom"):
        return choice.type == kind or (choice.type in SEARCHES and kind in SEARCHES)
    name = name_of(tool)
    own = box.names.get(name or "", Named(name or ""))
    return choice.type == kind and choice.name in (name, own.name)
