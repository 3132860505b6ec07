"""Writes ``openapi.yaml`` and the README's tables of fates anew from the code; ``make contract`` runs it."""

import re
from pathlib import Path

from openapi import FILE, text

from gateway.translate.chat.params import CHAT
from gateway.translate.fates import markdown

README = Path(__file__).parents[2] / "README.md"
TABLES = {"chat": CHAT}


def with_tables(readme: str) -> str:
    """Return the README with the tables that the code keeps."""
    for name, table in TABLES.items():
        shown = f"<!-- fates:{name} -->\n\n{markdown(table)}\n<!-- /fates -->"
        pattern = rf"<!-- fates:{name} -->.*?<!-- /fates -->"
        readme = re.sub(pattern, lambda _, shown=shown: shown, readme, flags=re.DOTALL)
    return readme


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
    README.write_text(with_tables(README.read_text("utf-8")), "utf-8")
