"""Replacing the gateways one after the other is seen by nobody."""

import pytest

from tests.deploy.rolling import CALLERS, roll
from tests.programs import program


@pytest.mark.timeout(180)
async def test_no_stream_is_cut_when_gateways_are_replaced() -> None:
    """Each is told to stop under load, lets its streams end, and leaves with code 0."""
    program("nginx")

    count = await roll()

    assert [] == count.failed
    assert count.whole >= 4 * CALLERS
