"""The comparison as a table and as a picture."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from tests.bench.peers.comparison import Figures
from tests.bench.peers.installing import install_from_pypi

DRAWING = "matplotlib==3.10.*"
DRAWING_SECONDS = 120


def number(value: float | None, *, digits: int = 0) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


COLUMNS: tuple[tuple[str, Callable[[Figures], str]], ...] = (
    ("", lambda one: f"**{one.name}** ({one.what})"),
    ("answers/s", lambda one: number(one.requests_per_second)),
    ("µs of computing per answer", lambda one: number(one.microseconds_per_request)),
    ("added ms, p50", lambda one: number(one.added_p50_ms, digits=2)),
    ("added ms, p99", lambda one: number(one.added_p99_ms, digits=2)),
    ("stream events/s", lambda one: number(one.events_per_second)),
    ("streams on time", lambda one: number(one.punctual_streams)),
    ("their p99, ms", lambda one: number(one.punctual_p99_ms, digits=1)),
    ("MiB idle", lambda one: number(one.idle_mebibytes)),
    ("MiB loaded", lambda one: number(one.loaded_mebibytes)),
    ("s to start", lambda one: number(one.start_seconds, digits=1)),
)


def as_markdown(figures: Sequence[Figures]) -> str:
    """Return the table, with why a program has no figures below it."""
    head = "| " + " | ".join(name for name, _ in COLUMNS) + " |"
    rule = "|" + "|".join("---" if index == 0 else "--:" for index, _ in enumerate(COLUMNS)) + "|"
    rows = ["| " + " | ".join(cell(one) for _, cell in COLUMNS) + " |" for one in figures]
    missing = [f"\n{one.name}: {one.without}" for one in figures if one.without]
    return "\n".join([head, rule, *rows, *missing]) + "\n"


def draw(figures: Sequence[Figures], *, into: Path, directory: Path) -> None:
    """Draw the picture with a matplotlib that is installed for it alone. Raises OSError or SubprocessError."""
    python = install_from_pypi(directory, name="drawing", requirement=DRAWING) / "python"
    subprocess.run(
        [str(python), str(Path(__file__).with_name("drawing.py")), str(into)],
        input=msgspec.json.encode(figures),
        stdout=sys.stderr,
        check=True,
        timeout=DRAWING_SECONDS,
    )
