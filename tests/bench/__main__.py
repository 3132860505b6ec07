"""``python -m tests.bench [--json] [--strict | --smoke]``: measure, print, stop everything that was started."""

import argparse
import sys

from .door import enter
from .load import loader_name
from .measures import MEASURES
from .processes import nginx_program


def main() -> int:
    """Measure everything."""
    return enter(
        argparse.ArgumentParser(prog="python -m tests.bench", description="Measure what the gateway costs."),
        lambda _options: MEASURES,
        load=loader_name(),
        upstream="Python" if nginx_program() is None else "nginx, for streams Python",
    )


if __name__ == "__main__":
    sys.exit(main())
