"""
The limits hold in real processes, whatever happens to them: ``glm-gateway torture``, for seconds.

``make torture`` runs the same for minutes, with every harm and against every kind of Redis.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.torture import Trial, World
from gateway.torture.world import ACCOUNTS, LIMITS, MODELS, TENANTS, TIERS

CALLERS = 60
LEASE_SECONDS = 2.0
BUSY_MACHINE_SECONDS = 1.5
"""What ``glm-gateway torture`` gives 200 ms may take this long where other tests run as well."""


@pytest.mark.timeout(300)
def test_zhipu_never_refuses_when_nothing_is_harmed() -> None:
    """Not one 1302, though callers of every tier want more than there is and hang up when they like."""
    command = f"torture --no-harm --seconds 1.5 --seed 1 --callers {CALLERS} --gateways 2"

    result = CliRunner().invoke(main, command, catch_exceptions=False)

    facts = dict(
        re.split(r" {2,}", line.strip(), maxsplit=1) for line in result.output.splitlines() if "   " in line
    )
    assert 0 == result.exit_code, result.output
    assert int(facts["requests done"].split()[0]) > CALLERS
    assert int(facts["hung up by their callers"])
    assert "0" == facts["answers 1302 of the simulator"] == facts["leaked slots"] == facts["violations"]


@pytest.mark.timeout(300)
async def test_limits_hold_when_gateways_are_killed_and_paused_and_redis_forgets(tmp_path: Path) -> None:
    """One of each harm, in an order that the seed decides; what a paused gateway held ends soon after."""
    harms = ("kill", "pause", "flush")
    world = World(
        seconds=0,
        seed=3,
        callers=CALLERS,
        harms=harms,
        lease_seconds=LEASE_SECONDS,
        grace_seconds=BUSY_MACHINE_SECONDS,
    )

    report = await Trial(world, directory=tmp_path).run()

    assert [] == report.complaints()
    assert report.kept
    assert dict.fromkeys(harms, 1) == report.harms
    assert report.tally.done > CALLERS


def test_limits_of_accounts_and_of_tenants_are_reached_when_all_want_slots() -> None:
    """A limit that nobody comes to is not shown to hold."""
    room = sum(LIMITS[TIERS.index(account.tier)] for account in ACCOUNTS)

    assert World().callers / len(MODELS) > room
    assert room / len(TENANTS) > min(tenant.limit for tenant in TENANTS)


def test_proof_says_what_it_needs_when_there_is_no_redis() -> None:
    command = [sys.executable, "-m", "gateway", "torture"]
    environment = {**os.environ, "PATH": ""}

    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert (2, "There is no redis-server on this machine") == (result.returncode, result.stderr.split(",")[0])
