"""The loop that applies a table of fates."""

from typing import Any

import pytest
from msgspec import Struct

from gateway.errors import InvalidRequest
from gateway.translate.params import Converted, Draft, Ignored, Refused, Renamed, Same, Table, map_params


class Request(Struct, kw_only=True):
    """A field for every fate."""

    same: int | None = None
    old: str | None = None
    long: int | None = None
    first: int | None = None
    second: int | None = None
    nudge: float | None = None
    never: bool | None = None


def add(request: Request, context: int, draft: Draft) -> None:
    draft.fields["sum"] = draft.fields.get("sum", 0) + (request.first or 0) + (request.second or 0) + context


def default(_request: Request, _context: int, draft: Draft) -> None:
    draft.fields["default"] = True


def cap(request: Request, context: int, draft: Draft) -> None:
    draft.fields["short"] = min(request.long or 0, context)


TABLE: Table = {
    "same": Same(),
    "old": Renamed("new"),
    "long": Renamed("short", by=cap),
    "first": Converted("sum", by=add),
    "second": Converted("sum", by=add),
    "nudge": Ignored("no such thing", neutral=(0,)),
    "never": Refused("Cannot be done. Leave 'never' out.", neutral=(False,)),
}


def mapped(*unknown: str, strict: bool = False, **fields: Any) -> Draft:
    return map_params(
        Request(**fields), present=[*fields, *unknown], table=TABLE, context=100, strict=strict, always=()
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"same": 1}, {"same": 1}, id="same"),
        pytest.param({"old": "x"}, {"new": "x"}, id="renamed"),
        pytest.param({"long": 500}, {"short": 100}, id="renamed and bounded"),
        pytest.param({"first": 1, "second": 2}, {"sum": 103}, id="converted together, once"),
        pytest.param({"nudge": 0.5}, {}, id="ignored"),
        pytest.param({"never": False}, {}, id="neutral value of a refused one"),
    ],
)
def test_field_meets_its_fate(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    """Each fate does what its name says."""
    assert expected == mapped(**fields).fields


@pytest.mark.parametrize(("value", "named"), [(0.5, ["nudge"]), (0, []), (0.0, [])])
def test_ignored_field_is_named_unless_its_value_is_neutral(value: float, named: list[str]) -> None:
    """Callers learn what had no effect, and are not told of what asks for nothing."""
    assert named == mapped(nudge=value).ignored


def test_refusal_names_the_field() -> None:
    """A refused value is the caller's fault, with ``param``."""
    with pytest.raises(InvalidRequest) as refusal:
        mapped(never=True)

    assert (refusal.value.param, refusal.value.code) == ("never", "unsupported_parameter")
    assert refusal.value.message == "Cannot be done. Leave 'never' out."


def test_unknown_field_is_named_when_the_tenant_is_not_strict() -> None:
    """Unknown fields have no effect, and are listed."""
    assert mapped("brand_new").ignored == ["brand_new"]


def test_unknown_field_is_refused_when_the_tenant_is_strict() -> None:
    """A strict tenant hears of its typing errors; a name as long as a body is not repeated in full."""
    with pytest.raises(InvalidRequest) as refusal:
        mapped("x" * 1000, strict=True)

    assert (refusal.value.param, refusal.value.code) == ("x" * 64, "unknown_parameter")


def test_conversion_runs_without_its_field_when_it_always_runs() -> None:
    """Defaults of our own do not wait for a field to come."""
    draft = map_params(Request(), present=[], table=TABLE, context=0, strict=False, always=(default,))

    assert draft.fields == {"default": True}
