"""A Redis server of our own on a free port, started and stopped by whoever asks for it."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import redis as blocking_redis

REDIS_SERVER = shutil.which("redis-server") or shutil.which("valkey-server")
"""The program; None where it is not installed."""

PATIENCE_SECONDS = 30.0
BUS_OFFSET = 10_000


class StartError(Exception):
    """Raised when a program does not do what it is started for."""


class RedisServer:
    """
    One server. It keeps its port for life, so that it can come back after it was killed.

    Nothing is persisted unless ``options`` say so. ``address`` is what a client has to know to speak with it.
    """

    def __init__(self, directory: Path, *options: str, program: str | None = None, **address: Any) -> None:
        self.port = free_port()
        self._directory = directory
        self._options = options
        self._program = program or REDIS_SERVER
        self._address = {"port": self.port, **address}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def running(self) -> bool:
        """Whether there is a process."""
        return self._process is not None

    def start(self, *options: str) -> Self:
        """Start, with ``options`` for this time only, and wait until it answers. Raises StartError."""
        if self._program is None:
            raise StartError("redis-server is not installed")
        self._directory.mkdir(parents=True, exist_ok=True)
        command = [self._program, *self._arguments(), *self._options, *options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - installed by the operator
        wait_until(self._answers, "redis-server does not answer")
        return self

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

    def ask(self, *command: str | int) -> Any:
        """Send one command and return its reply."""
        with blocking_redis.Redis(**self._address) as client:
            return client.execute_command(*command)

    def _arguments(self) -> list[str]:
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._directory)]
        return [*where, "--save", "", "--appendonly", "no"]

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise StartError("there is no process")
        os.kill(self._process.pid, number)

    def _answers(self) -> bool:
        try:
            return bool(self.ask("PING"))
        except (blocking_redis.ConnectionError, blocking_redis.exceptions.BusyLoadingError):
            return False


def wait_until(true: Callable[[], bool], otherwise: str) -> None:
    """Wait until something is true; raises StartError when it does not become so in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        if time.monotonic() > deadline:
            raise StartError(otherwise)
        time.sleep(0.01)


def free_port() -> int:
    """Return a port that nobody listens on, as is the one that a Cluster's nodes would use among themselves."""
    while True:
        with socket.socket() as probe, socket.socket() as bus:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            if port + BUS_OFFSET < 2**16 and bus.connect_ex(("127.0.0.1", port + BUS_OFFSET)):
                return port
