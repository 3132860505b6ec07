"""``python -m tests.bench [--json] [--strict | --smoke]``: measure, print, stop everything that was started."""

import argparse
import platform
import signal
import sys
import tempfile
import time
from pathlib import Path

from .load import loader_name
from .machine import Neighbours
from .measures import measured
from .processes import Bench, nginx_program
from .report import Report, as_json, as_text


def main() -> int:
    """Return 1 when a measure failed, with ``--strict`` also when one was skipped or missed its target; else 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure what the gateway costs.")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--strict", action="store_true", help="exit with 1 unless every target is met")
    how.add_argument("--smoke", action="store_true", help="measure next to nothing, to see that it works")
    options = parser.parse_args()
    # Either signal unwinds, so that everything started here is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        report = run(smoke=options.smoke)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    sys.stdout.write(as_json(report) + "\n" if options.json else as_text(report))
    short = any(row.skipped or row.met is False for row in report.rows)
    return int(any(row.failed for row in report.rows) or (options.strict and short))


def run(*, smoke: bool) -> Report:
    """Measure everything; ``smoke``: only as much as shows that every measure works."""
    started, neighbours = time.monotonic(), Neighbours()
    with tempfile.TemporaryDirectory(prefix="glm-gateway-bench-") as directory:
        bench = Bench(Path(directory), smoke=smoke)
        rows = [row for rows in measured(bench) for row in rows]
    pinned = bench.cores
    return Report(
        python=platform.python_version(),
        cores="not pinned"
        if pinned is None
        else f"gateway and nginx on core {pinned[0]}, the rest on {pinned[1]}",
        load=loader_name(),
        upstream="Python" if nginx_program() is None else "nginx, for streams Python",
        seconds=time.monotonic() - started,
        neighbours=neighbours.cores_used(),
        smoke=smoke,
        rows=rows,
    )


if __name__ == "__main__":
    sys.exit(main())
