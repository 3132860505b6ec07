"""The benchmarks still run: next to nothing is measured, and nothing is expected of the figures."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from gateway.torture import REDIS_SERVER
from tests.bench.embeddings import RATE as BESIDE_LITELLM
from tests.bench.measures import MEASURES
from tests.bench.processes import nginx_program
from tests.bench.report import Report
from tests.bench.soak.soak import FILES, SLOTS, SOAK

ROOT = Path(__file__).parents[1]
LIMIT_SECONDS = 300
"""Half a minute on a quiet machine."""

needs_nginx = pytest.mark.skipif(nginx_program() is None, reason="nginx is not installed")
needs_redis = pytest.mark.skipif(REDIS_SERVER is None, reason="redis-server is not installed")


@needs_nginx
@needs_redis
@pytest.mark.timeout(LIMIT_SECONDS)
def test_every_measure_gives_the_rows_it_owes() -> None:
    """LiteLLM is left out: installing it takes a minute."""
    done = smoke("tests.bench", "--json")

    assert (0, "") == (done.returncode, done.stderr), done.stdout
    rows = msgspec.json.decode(done.stdout, type=Report).rows
    assert [row.measure for row in rows] == [row.measure for _, owed in MEASURES for row in owed]
    assert [row for row in rows if row.failed] == []
    if sys.platform == "linux":  # Elsewhere nobody tells what a process computes and holds.
        assert [row.measure for row in rows if row.skipped] == [BESIDE_LITELLM.measure]
        assert [row for row in rows if row.gateway is None] == []


@needs_nginx
@pytest.mark.timeout(LIMIT_SECONDS)
def test_gateway_is_compared_with_what_costs_nothing() -> None:
    """Other gateways are left out: installing them takes a minute."""
    done = smoke("tests.bench.peers", "--only", "nginx", "GLM Gateway")

    assert (0, "") == (done.returncode, done.stderr)
    rows = [line.split("|") for line in done.stdout.splitlines() if line.startswith("| **")]
    assert ["nginx", "GLM Gateway"] == [row[1].split("**")[1] for row in rows]
    assert all("–" not in row for row in rows[1])


@pytest.mark.timeout(LIMIT_SECONDS)
def test_gateway_is_watched_under_load() -> None:
    done = smoke("tests.bench.soak", "--json")

    assert (0, "") == (done.returncode, done.stderr), done.stdout
    rows = msgspec.json.decode(done.stdout, type=Report).rows
    assert [row.measure for row in SOAK] == [row.measure for row in rows]
    assert [row for row in rows if row.failed] == []
    if sys.platform == "linux":  # Elsewhere nobody tells what a process holds.
        assert [0, 0] == [row.result for row in rows if row.measure in {FILES.measure, SLOTS.measure}]


def smoke(module: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a benchmark with the least of everything."""
    return subprocess.run(
        [sys.executable, "-m", module, "--smoke", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
