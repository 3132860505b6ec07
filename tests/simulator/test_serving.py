"""Running a stand-in beside other code."""

import logging
import threading

import httpx
import pytest

from gateway.simulator import create_simulator, running


def test_connections_are_taken_from_the_first_moment_to_the_last() -> None:
    """Inside the block it answers at once; after it the port is free and no thread is left."""
    threads = threading.active_count()
    with running(create_simulator()) as zhipu:
        assert httpx.get(f"{zhipu.origin}/_simulator/state").status_code == 200

    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{zhipu.origin}/_simulator/state")
    assert threading.active_count() == threads


def test_logging_is_left_alone_when_it_runs_beside_other_code() -> None:
    """What the caller has set for uvicorn's loggers stays."""
    logger = logging.getLogger("uvicorn.error")
    before = (logger.level, logger.propagate, list(logger.handlers))

    with running(create_simulator()):
        during = (logger.level, logger.propagate, list(logger.handlers))

    assert during == before
