"""Writes ``openapi.yaml`` and the README's tables of fates anew from the code; ``make contract`` runs it."""

from pathlib import Path

from tests.contract.fates import EVENTS, events, markdown
from tests.contract.openapi import FILE, text
from tests.contract.tables import TABLES

README = Path(__file__).parents[2] / "README.md"


def with_tables(readme: str) -> str:
    """Return the README with the tables that the code keeps."""
    for name, table in TABLES.items():
        begin, end = f"<!-- fates:{name} -->", "<!-- /fates -->"
        before, _, rest = readme.partition(begin)
        _, _, after = rest.partition(end)
        readme = f"{before}{begin}\n\n{markdown(table)}\n{end}{after}"
    for side in EVENTS:
        begin, end = f"<!-- events:{side} -->", "<!-- /events -->"
        before, _, rest = readme.partition(begin)
        _, _, after = rest.partition(end)
        readme = f"{before}{begin}\n\n{events(side)}\n{end}{after}"
    return readme


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
    README.write_text(with_tables(README.read_text("utf-8")), "utf-8")
