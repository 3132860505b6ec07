"""A real redis-server of our own on a free port, started and stopped by the test that asks for it."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

import pytest
import redis as blocking_redis

REDIS_SERVER = shutil.which("redis-server") or shutil.which("valkey-server")
PATIENCE_SECONDS = 10.0


class RedisServer:
    """
    One server. It keeps its port for life, so that it can come back after it was killed.

    Nothing is persisted unless ``options`` say so.
    """

    def __init__(self, directory: Path, *options: str) -> None:
        self.port = free_port()
        self.dump = directory / "dump.rdb"
        self.saved = directory / "saved.rdb"
        self._directory = directory
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def running(self) -> bool:
        """Whether there is a process."""
        return self._process is not None

    def start(self) -> Self:
        """Start, and wait until it answers."""
        assert REDIS_SERVER is not None
        command = [REDIS_SERVER, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._directory)]
        self._process = subprocess.Popen(
            [*command, "--save", "", "--appendonly", "no", *self._options], stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.01)
        return self

    def save(self) -> None:
        """Put a copy of what there is at ``saved``; it is what a start finds once it is renamed to ``dump``."""
        self.ask("SAVE")
        self.dump.rename(self.saved)

    def kill(self) -> None:
        """End at once, as with -9; what it held in memory is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stall(self) -> None:
        """Take connections and answer nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after a stall."""
        self._signal(signal.SIGCONT)

    def ask(self, *command: str | int) -> object:
        """Send one command and return its reply."""
        with blocking_redis.Redis(port=self.port) as client:
            return client.execute_command(*command)

    def number(self, *command: str | int) -> int:
        """Send one command and return its reply as a number, 0 for none."""
        reply = self.ask(*command)
        assert reply is None or isinstance(reply, int | bytes)
        return int(reply or 0)

    def calls(self, command: str) -> int:
        """Return how often a command was called."""
        with blocking_redis.Redis(port=self.port) as client:
            stats = client.info("commandstats")
        assert isinstance(stats, dict)
        return int(stats.get(f"cmdstat_{command}", {}).get("calls", 0))

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def _answers(self) -> bool:
        try:
            return bool(self.ask("PING"))
        except blocking_redis.RedisError:
            return False


def need_redis() -> None:
    """Skip a test where there is no Redis to be had, except where everything has to be tested."""
    if REDIS_SERVER is None:
        if os.environ.get("CI"):
            pytest.fail("redis-server is not installed")
        pytest.skip("redis-server is not installed")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
