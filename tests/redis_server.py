"""A real redis-server of our own on a free port, started and stopped by the test that asks for it."""

import os
from pathlib import Path
from typing import Any

import pytest

from gateway.torture.redis import REDIS_SERVER, free_port
from gateway.torture.redis import RedisServer as Server

__all__ = ["REDIS_SERVER", "RedisServer", "free_port", "need_redis"]


class RedisServer(Server):
    """One server, and what tests ask it for."""

    def __init__(self, directory: Path, *options: str, **address: Any) -> None:
        super().__init__(directory, *options, **address)
        self.dump = directory / "dump.rdb"
        self.saved = directory / "saved.rdb"

    def save(self) -> None:
        """Put a copy of what there is at ``saved``; it is what a start finds once it is renamed to ``dump``."""
        self.ask("SAVE")
        self.dump.rename(self.saved)

    def number(self, *command: str | int) -> int:
        """Send one command and return its reply as a number, 0 for none."""
        return int(self.ask(*command) or 0)

    def calls(self, command: str) -> int:
        """Return how often a command was called."""
        stats = self.ask("INFO", "commandstats")
        return int(stats.get(f"cmdstat_{command}", {}).get("calls", 0))


def need_redis() -> None:
    """Skip a test where there is no Redis to be had, except where everything has to be tested."""
    if REDIS_SERVER is None:
        if os.environ.get("CI"):
            pytest.fail("redis-server is not installed")
        pytest.skip("redis-server is not installed")
