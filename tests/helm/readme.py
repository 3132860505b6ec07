"""The table of values in the chart's README, made of the comments in values.yaml."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.helm.engine import CHART

README = CHART / "README.md"
BEGIN, END = "<!-- values -->", "<!-- /values -->"

LINE = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z]\w*):")
COMMENT = re.compile(r"^ *# (?P<opening>-- )?(?P<text>.*)")


def described(values: str) -> Iterator[tuple[str, str]]:
    """Yield the dotted name and the description of every value that has one."""
    parents: list[tuple[int, str]] = []
    text = ""
    for line in values.splitlines():
        if comment := COMMENT.match(line):
            text = comment["text"] if comment["opening"] else f"{text} {comment['text']}"
        elif key := LINE.match(line):
            indent = len(key["indent"])
            parents = [*(one for one in parents if one[0] < indent), (indent, key["key"])]
            if text:
                yield ".".join(name for _, name in parents), text
            text = ""


def plain(values: Any, *, described: frozenset[str], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted name of every value and what it is by default; what is described as a whole is one."""
    for key, value in values.items():
        name = f"{path}.{key}" if path else key
        if isinstance(value, dict) and value and name not in described:
            yield from plain(value, described=described, path=name)
        else:
            yield name, value


def table(values: str) -> str:
    """Return the table in Markdown."""
    told = dict(described(values))
    rows = ["| value | default | meaning |", "|---|---|---|"]
    for name, value in plain(yaml.safe_load(values), described=frozenset(told)):
        shown = yaml.safe_dump(value, default_flow_style=True, width=1000).replace("\n...", "").strip()
        rows.append(f"| `{name}` | `{shown}` | {told[name].replace('|', '&#124;')} |")
    return "\n".join(rows)


def renewed(readme: str) -> str:
    """Return the README with the table as the values are now."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    values = Path(CHART, "values.yaml").read_text("utf-8")
    return f"{before}{BEGIN}\n\n{table(values)}\n\n{END}{after}"


if __name__ == "__main__":
    README.write_text(renewed(README.read_text("utf-8")), "utf-8")
