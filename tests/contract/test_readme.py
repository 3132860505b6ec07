"""What the README says is what the code and the package say."""

import re
import tomllib
from pathlib import Path
from typing import Literal

import pytest

from tests.contract.fates import EVENTS, events, markdown
from tests.contract.tables import TABLES

Side = Literal["client", "glm"]

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("name", TABLES)
def test_readme_shows_the_table_that_the_code_keeps(name: str) -> None:
    """Between its markers stands the table as it is; ``make contract`` writes it anew."""
    text = README.read_text("utf-8")

    shown = re.search(rf"<!-- fates:{name} -->\n+(.*?)\n*<!-- /fates -->", text, re.DOTALL)

    assert shown is not None, f"README.md lacks <!-- fates:{name} --> … <!-- /fates -->"
    assert markdown(TABLES[name]).strip() == shown[1].strip()


@pytest.mark.parametrize("side", EVENTS)
def test_readme_shows_what_becomes_of_every_event(side: Side) -> None:
    shown = re.search(rf"<!-- events:{side} -->\n+(.*?)\n*<!-- /events -->", README.read_text("utf-8"), re.DOTALL)

    assert shown is not None
    assert events(side).strip() == shown[1].strip()


def test_readme_names_the_pythons_that_the_package_names() -> None:
    """Those on which the suite was run, from the oldest that is taken."""
    project = tomllib.loads((README.parent / "pyproject.toml").read_text("utf-8"))["project"]
    said = re.search(r"The suite was run on Python ([^:]*?)\. ", README.read_text("utf-8"))

    assert said is not None
    named = re.findall(r"3\.\d+", said[1])
    assert [f"Programming Language :: Python :: {one}" for one in named] == project["classifiers"]
    assert f">={named[0]}" == project["requires-python"]
