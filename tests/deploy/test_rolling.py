"""Replacing the gateways one after the other is seen by nobody."""

import pytest

from tests.bench.processes import nginx_program
from tests.deploy.rolling import CALLERS, roll


@pytest.mark.skipif(nginx_program() is None, reason="nginx is not installed; .ci/system-packages nginx does that")
@pytest.mark.timeout(180)
async def test_no_stream_is_cut_when_gateways_are_replaced() -> None:
    """Each is told to stop under load, lets its streams end, and leaves with code 0."""
    count = await roll()

    assert [] == count.failed
    assert count.whole >= 4 * CALLERS
