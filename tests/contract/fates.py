"""The tables of fates as Markdown, for the README: of parameters and of realtime events."""

from collections.abc import Mapping
from typing import Literal

from gateway.translate.params import Converted, Ignored, Refused, Renamed, Rule, Same, Table
from gateway.translate.realtime.fates import CLIENT_FATES, GLM_FATES

HEAD = ("| parameter | fate | what becomes of it |", "|---|---|---|")


EVENTS: Mapping[Literal["client", "glm"], tuple[str, Mapping[str, str]]] = {
    "client": ("| a client's event | what becomes of it |", CLIENT_FATES),
    "glm": ("| GLM's event | what the client is told |", GLM_FATES),
}


def events(side: Literal["client", "glm"]) -> str:
    """Return the table of one side's events as Markdown."""
    head, fates = EVENTS[side]
    return "\n".join([head, "|---|---|", *(f"| `{name}` | {fate} |" for name, fate in fates.items())]) + "\n"


def markdown(table: Table) -> str:
    """Return ``table`` as a Markdown table, a row for every parameter in the table's own order."""
    rows = (f"| `{name}` | {fate(rule)} | {telling(rule)} |" for name, rule in table.items())
    return "\n".join([*HEAD, *rows]) + "\n"


def fate(rule: Rule) -> str:
    """Return the one word for what happens to a parameter."""
    return type(rule).__name__.lower()


def telling(rule: Rule) -> str:
    match rule:
        case Renamed(to=to, note=note) | Converted(to=to, note=note):
            target = ", ".join(f"`{name.strip()}`" for name in to.split(",") if name.strip())
            said = "; ".join(part for part in (target and f"→ {target}", note) if part)
        case Same(note=note):
            said = note
        case Ignored(note=note, neutral=neutral) | Refused(note=note, neutral=neutral):
            said = note if not neutral else f"{note} {exceptions(neutral)}"
    return said.replace("|", "\\|")


def exceptions(neutral: tuple[object, ...]) -> str:
    """Return the sentence about the values that ask for nothing."""
    values = " or ".join(f"`{shown(value)}`" for value in neutral)
    return f"{values} asks for nothing and passes."


def shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) or '""'  # Of nothing at all nothing would be seen.
