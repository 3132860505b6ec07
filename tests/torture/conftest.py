"""Trials need a redis-server."""

import pytest

from tests.redis_server import need_redis


@pytest.fixture(autouse=True)
def redis_program() -> None:
    """Skip where there is no Redis to be had, except where everything has to be tested."""
    need_redis()
