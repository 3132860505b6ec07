"""Gateways in processes of their own, started, killed, paused and asked from outside."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
from msgspec import Struct

from gateway.torture.redis import StartError, free_port
from gateway.torture.wire import get

START_SECONDS = 90.0
STOP_SECONDS = 10.0


class TenantRow(Struct):
    """What matters here of a row of ``/slots``."""

    in_use: int
    waiting: int


class Slots(Struct):
    """What matters here of ``/slots``."""

    tenants: list[TenantRow]
    degraded: bool


class GatewayProcess:
    """
    One gateway. It keeps its ports for life, so that its callers find it again.

    ``deaths`` counts how often it was killed, ``paused`` tells whether it is stopped for now, ``slept_seconds``
    for how long it was in all.
    """

    def __init__(self, name: str, *, config: Path) -> None:
        self.name = name
        self.port = free_port()
        self.metrics_port = free_port()
        self.log = config.with_name(f"{name}.log")
        self.deaths = 0
        self.paused = False
        self.answers = False
        self.slept_seconds = 0.0
        self._paused_at = 0.0
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def state(self) -> str:
        """What to show of it."""
        return "paused" if self.paused else "up" if self.answers else "down"

    async def start(self) -> None:
        """Start, and wait until it answers. Raises StartError."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("GATEWAY_", "ZHIPU_"))
        }
        environment |= {"GATEWAY_PORT": str(self.port), "GATEWAY_METRICS_PORT": str(self.metrics_port)}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220, S603 - it is this very program, and takes a millisecond
                [sys.executable, "-m", "gateway", "serve", "--config", str(self._config)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while await get(self.port, "/readyz") is None:
            if self._process.poll() is not None or asyncio.get_running_loop().time() > deadline:
                raise StartError(f"{self.name} did not start: {self.last_words()}")
            await asyncio.sleep(0.05)
        self.answers = True

    def kill(self) -> None:
        """End at once, as with -9."""
        self.answers = False
        if self._process is not None:
            self.deaths += 1
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Let it stand still."""
        self.paused, self._paused_at = True, asyncio.get_running_loop().time()
        self._signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)
        self.paused = False
        self.slept_seconds += asyncio.get_running_loop().time() - self._paused_at

    def stop(self) -> bool:
        """Ask it to end; returns whether it did so, and in time."""
        if self._process is None:
            return True
        self._signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            self._process.kill()
            self._process.wait()

    async def slots(self) -> Slots | None:
        """Ask for its slots; None when it does not answer."""
        return await slots_at(self.metrics_port)

    def last_words(self) -> str:
        """Return the last line that it logged."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            os.kill(self._process.pid, number)


async def slots_at(metrics_port: int) -> Slots | None:
    """Ask a gateway for its slots; None when it does not answer."""
    body = await get(metrics_port, "/slots")
    return None if body is None else msgspec.json.decode(body, type=Slots)
