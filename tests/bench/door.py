"""The door of a benchmark: what it is told, the conditions it runs under, what it prints, how it ends."""

import platform
import signal
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

from .machine import Neighbours
from .measures import Measure, measured
from .processes import Bench
from .report import Report, as_json, as_text


def enter(
    parser: ArgumentParser, measures: Callable[[Namespace], Sequence[Measure]], *, load: str, upstream: str
) -> int:
    """
    Measure what the options ask for and print it.

    ``load`` and ``upstream`` say what makes them. Returns 1 when a measure failed, with ``--strict`` also when one
    was skipped or missed its target; else 0.
    """
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--strict", action="store_true", help="exit with 1 unless every target is met")
    how.add_argument("--smoke", action="store_true", help="measure next to nothing, to see that it works")
    options = parser.parse_args()
    # Either signal unwinds, so that everything started here is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        report = _run(measures(options), smoke=options.smoke, load=load, upstream=upstream)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    sys.stdout.write(as_json(report) + "\n" if options.json else as_text(report))
    short = any(row.skipped or row.met is False for row in report.rows)
    return int(any(row.failed for row in report.rows) or (options.strict and short))


def _run(measures: Sequence[Measure], *, smoke: bool, load: str, upstream: str) -> Report:
    started, neighbours = time.monotonic(), Neighbours()
    with tempfile.TemporaryDirectory(prefix="glm-gateway-bench-") as directory:
        bench = Bench(Path(directory), smoke=smoke)
        rows = [row for rows in measured(bench, measures) for row in rows]
    return Report(
        python=platform.python_version(),
        cores=bench.where,
        load=load,
        upstream=upstream,
        seconds=time.monotonic() - started,
        neighbours=neighbours.cores_used(),
        smoke=smoke,
        rows=rows,
    )
