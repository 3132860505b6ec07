"""The README's tables of fates and the code's are one."""

import re
from pathlib import Path
from typing import Literal

import pytest

from gateway.translate.fates import markdown
from gateway.translate.realtime import fates
from tests.contract.tables import TABLES

Side = Literal["client", "glm"]

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("name", TABLES)
def test_readme_shows_the_table_that_the_code_keeps(name: str) -> None:
    """Between its markers stands the table as it is; ``markdown`` in ``translate/fates.py`` writes it anew."""
    text = README.read_text("utf-8")

    shown = re.search(rf"<!-- fates:{name} -->\n+(.*?)\n*<!-- /fates -->", text, re.DOTALL)

    assert shown is not None, f"README.md lacks <!-- fates:{name} --> … <!-- /fates -->"
    assert markdown(TABLES[name]).strip() == shown[1].strip()


@pytest.mark.parametrize("side", fates.TABLES)
def test_readme_shows_what_becomes_of_every_event(side: Side) -> None:
    shown = re.search(rf"<!-- events:{side} -->\n+(.*?)\n*<!-- /events -->", README.read_text("utf-8"), re.DOTALL)

    assert shown is not None
    assert fates.markdown(side).strip() == shown[1].strip()
