"""The rows of the report, and how they look as text and as JSON."""

from typing import Literal

import msgspec
from msgspec import Struct

Bound = Literal["at least", "at most", "none"]


class Row(Struct, frozen=True, kw_only=True):
    """
    One measure. ``gateway`` and ``reference`` are in ``unit``; ``result`` is what the target is about.

    A row without a result says why: ``skipped`` names the tool that is missing here, ``failed`` what went wrong.
    """

    measure: str
    unit: str
    gateway: float | None = None
    reference: float | None = None
    result: float | None = None
    bound: Bound = "none"
    target: float | None = None
    note: str = ""
    skipped: str = ""
    failed: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is no result or no target."""
        if self.result is None or self.target is None:
            return None
        return self.result >= self.target if self.bound == "at least" else self.result <= self.target


class Report(Struct, frozen=True, kw_only=True):
    """What was measured in one run, and under which conditions."""

    python: str
    cores: str
    load: str
    upstream: str
    seconds: float
    neighbours: float | None
    """Cores that other programs used meanwhile; with more than a little, do not believe the rest."""
    smoke: bool
    """Whether so little was measured that the figures say nothing."""
    rows: list[Row]


QUIET_CORES = 0.1
HEADINGS = ("measure", "gateway", "reference", "result", "target", "")


def as_json(report: Report) -> str:
    """Return the report for programs, each row with whether its target was ``met``."""
    built = msgspec.to_builtins(report)
    for row, shown in zip(report.rows, built["rows"], strict=True):
        shown["met"] = row.met
    return msgspec.json.format(msgspec.json.encode(built)).decode()


def as_text(report: Report) -> str:
    """Return the report as a table."""
    table = [HEADINGS, *(_cells(row) for row in report.rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table
    ]
    lines += [f"  {row.measure}: {row.note}" for row in report.rows if row.note]
    lines += dict.fromkeys(f"  skipped: {row.skipped}" for row in report.rows if row.skipped)
    lines += dict.fromkeys(f"  failed: {row.failed}" for row in report.rows if row.failed)
    return "\n".join([*_conditions(report), "", *lines]) + "\n"


def _conditions(report: Report) -> list[str]:
    conditions = [
        f"Python {report.python}, {report.cores}, {report.seconds:.0f} s.",
        f"Load: {report.load}. Upstream: {report.upstream}.",
    ]
    if report.smoke:
        conditions.append(
            "Next to nothing was measured: the figures say nothing, nor do the numbers in the names."
        )
    if report.neighbours is not None and report.neighbours > QUIET_CORES:
        conditions.append(f"Not a quiet machine: other programs used {report.neighbours:.2f} cores meanwhile.")
    return conditions


def _cells(row: Row) -> tuple[str, ...]:
    sign = {"at least": "≥ ", "at most": "≤ ", "none": ""}[row.bound]
    without_result = "skipped" if row.skipped else "failed" if row.failed else ""
    verdict = {True: "met", False: "missed", None: without_result}[row.met]
    return (
        f"{row.measure} ({row.unit})",
        _number(row.gateway),
        _number(row.reference),
        _number(row.result),
        sign + _number(row.target) if row.target is not None else "",
        verdict,
    )


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3f}"
