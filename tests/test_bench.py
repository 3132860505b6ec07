"""The benchmarks still run: next to nothing is measured, and nothing is expected of the figures."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.processes import nginx_program

ROOT = Path(__file__).parents[1]
LIMIT_SECONDS = 120


@pytest.mark.skipif(nginx_program() is None, reason="nginx is not installed")
def test_gateway_is_compared_with_what_costs_nothing() -> None:
    """Other gateways are left out: installing them takes a minute."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.peers", "--smoke", "--only", "nginx", "GLM Gateway"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stderr)
    rows = [line.split("|") for line in done.stdout.splitlines() if line.startswith("| **")]
    assert ["nginx", "GLM Gateway"] == [row[1].split("**")[1] for row in rows]
    assert all("–" not in row for row in rows[1])
