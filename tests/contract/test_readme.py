"""What the README says is what the code and the package say."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from msgspec import Struct
from msgspec.structs import fields

from gateway.auth import Tenant
from gateway.glm.chat import ErrorDetail
from gateway.glm.errors import BUSINESS_CODES
from gateway.settings.environment import PLAIN
from gateway.settings.schema import Account, Jwt
from gateway.translate.errors import from_glm
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


def codes(text: str) -> Iterator[str]:
    """Yield the codes that a list with ranges names."""
    for part in text.split(", "):
        first, _, last = part.partition("–")
        yield from map(str, range(int(first), int(last or first) + 1))


def test_readme_says_the_fate_of_every_error_code() -> None:
    """Each code stands in one row, and is answered as that says."""
    rows = re.findall(
        r"^\| ([\d–, ]+): [^|]* \| (\d{3})(?: `(\w+)`)?[^|]*\| (yes|no) \|$",
        README.read_text("utf-8"),
        re.MULTILINE,
    )
    said = [(code, int(status), name, retried) for listed, status, name, retried in rows for code in codes(listed)]
    said = [row for row in said if row[0] in BUSINESS_CODES]
    told = {code: from_glm(ErrorDetail(code=code, message=""), http_status=200) for code in BUSINESS_CODES}

    assert sorted(BUSINESS_CODES) == sorted(code for code, *_ in said)
    for code, status, name, retried in said:
        error = told[code]
        retries = error.status >= 429 if error.should_retry is None else error.should_retry
        assert (code, status, name, retried) == (code, error.status, error.code or "", "yes" if retries else "no")


def shown_in(path: tuple[str, ...], table: dict[str, Any]) -> bool:
    """Tell whether a table says something under a key path, be it by the name of a variable or a file."""
    name, *inner = path
    if inner:
        return shown_in(tuple(inner), table.get(name, {}))
    return not table.keys().isdisjoint({name, f"{name}_env", f"{name}_file"})


def test_readme_says_every_setting() -> None:
    """Whatever can be configured stands in the examples, in the table of variables, or by name in a sentence."""
    text = README.read_text("utf-8")
    said: dict[str, Any] = {}
    for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL):
        said |= tomllib.loads(block)

    unsaid = [
        variable
        for variable, path in PLAIN.items()
        if not shown_in(path, said) and f"`{variable}`" not in text and not re.search(rf"`.*\b{path[-1]} = ", text)
    ]
    listed: dict[str, type[Struct]] = {"accounts": Account, "tenants": Tenant, "jwt": Jwt}
    unsaid += [
        f"{table}.{field.name}"
        for table, kind in listed.items()
        for field in fields(kind)
        if not shown_in((field.name,), said[table][0]) and f"`{field.name}`" not in text
    ]

    assert not unsaid, unsaid
