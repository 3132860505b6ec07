"""``python -m tests.bench.soak [--minutes 10] [--json] [--strict | --smoke]``: load for long, watch, print."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial

from tests.bench.door import enter
from tests.bench.measures import Measure
from tests.bench.soak.soak import MINUTES, SOAK, soak

SMOKE_SECONDS = 3.0


def main() -> int:
    """Watch a gateway under load."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.soak", description="Load a gateway for minutes, and see whether it grows."
    )
    parser.add_argument("--minutes", type=float, default=MINUTES, metavar="N", help="how long (%(default)s)")
    return enter(parser, _measures, load="the official SDK", upstream="the simulator, in the load's process")


def _measures(options: argparse.Namespace) -> Sequence[Measure]:
    seconds = SMOKE_SECONDS if options.smoke else options.minutes * 60
    return ((partial(soak, seconds=seconds), SOAK),)


if __name__ == "__main__":
    sys.exit(main())
