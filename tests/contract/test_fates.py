"""A table of fates as Markdown."""

import pytest

from gateway.translate.params import Converted, Ignored, Refused, Renamed, Rule, Same
from tests.contract.fates import markdown


@pytest.mark.parametrize(
    ("rule", "row"),
    [
        pytest.param(Same(), "| `x` | same |  |", id="same"),
        pytest.param(Same("as is"), "| `x` | same | as is |", id="same, with a note"),
        pytest.param(Renamed("y"), "| `x` | renamed | → `y` |", id="renamed"),
        pytest.param(Converted("y, z", note="why"), "| `x` | converted | → `y`, `z`; why |", id="converted"),
        pytest.param(Converted("", note="here"), "| `x` | converted | here |", id="acted upon here"),
        pytest.param(
            Ignored("No.", neutral=(False, 0)),
            "| `x` | ignored | No. `false` or `0` asks for nothing and passes. |",
            id="ignored",
        ),
        pytest.param(
            Refused("No.", neutral=("",)),
            '| `x` | refused | No. `""` asks for nothing and passes. |',
            id="refused, but for an empty text",
        ),
        pytest.param(Refused("Not a|b."), "| `x` | refused | Not a\\|b. |", id="refused, with a bar"),
    ],
)
def test_row_says_what_happens(rule: Rule, row: str) -> None:
    """A row has the name, the fate's one word, and what becomes of the field."""
    assert markdown({"x": rule}) == f"| parameter | fate | what becomes of it |\n|---|---|---|\n{row}\n"
