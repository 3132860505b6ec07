"""``python -m tests.bench.peers``: compare, print, and draw; ``--help`` tells of its options."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from tests.bench.machine import Neighbours
from tests.bench.peers.comparison import SMOKE, Effort, compare
from tests.bench.peers.programs import GATEWAY, PROGRAMS, gateway_on
from tests.bench.peers.showing import as_markdown, draw
from tests.bench.processes import Bench


def main() -> int:
    """Return 1 when the gateway itself has no figures, else 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peers", description="Compare gateways.")
    parser.add_argument("--into", type=Path, help="directory for peers.json and peers.png")
    parser.add_argument("--smoke", action="store_true", help="measure next to nothing, to see that it works")
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME", help="compare these alone")
    parser.add_argument(
        "--python",
        nargs="+",
        default=(),
        metavar="PROGRAM",
        help="the gateway on these Pythons too, which have its needs",
    )
    options = parser.parse_args()
    programs = [program for program in PROGRAMS if not options.only or program.name in options.only]
    programs += map(gateway_on, options.python)
    neighbours = Neighbours()
    with tempfile.TemporaryDirectory(prefix="glm-gateway-bench-") as directory:
        figures = compare(Bench(Path(directory)), programs, effort=SMOKE if options.smoke else Effort())
        sys.stdout.write(as_markdown(figures))
        if options.into is not None:
            options.into.mkdir(parents=True, exist_ok=True)
            (options.into / "peers.json").write_bytes(msgspec.json.format(msgspec.json.encode(figures)))
            try:
                draw(figures, into=options.into / "peers.png", directory=Path(directory))
            except (OSError, subprocess.SubprocessError) as error:
                sys.stderr.write(f"No picture: {error}\n")
    if used := neighbours.cores_used():
        sys.stdout.write(f"\nOther programs used {used:.2f} cores meanwhile.\n")
    return int(any(one.name == GATEWAY and one.requests_per_second is None for one in figures))


if __name__ == "__main__":
    sys.exit(main())
