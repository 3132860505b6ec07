"""Whole answers: how many a second over many connections, and how long one takes over a single connection."""

import asyncio
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import cast

import uvloop

from .machine import processor_seconds
from .processes import Bench, BenchError, Server
from .wire import request, request_body

CONNECTIONS = 32
PATIENCE_SECONDS = 20.0
"""How long the first answer of a short round may take."""
LOOK_SECONDS = 0.05

_STATUS_LENGTH = re.compile(rb"(?is)^HTTP/1\.1 (\d+).*?\r\ncontent-length: *(\d+)")
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")


def loader_name() -> str:
    """Return what makes the load, for the report."""
    return (
        "wrk" if shutil.which("wrk") else "Python (wrk is not installed: nginx is held back, the ratio flatters)"
    )


def requests_per_second(
    server: Server,
    *,
    seconds: float,
    directory: Path,
    body: bytes | None = None,
    connections: int = CONNECTIONS,
) -> float:
    """
    Return the rate over connections each of which asks again when answered; ``body`` None: a chat's.

    wrk makes the load where it is installed; it knows whole seconds only, so less than one is left to Python.
    """
    message = request(server.path, port=server.port, headers=server.headers, body=body or request_body())
    wrk = shutil.which("wrk")
    if wrk is None or seconds < 1:
        return uvloop.run(_rate(server, message, seconds=seconds, connections=connections))
    return _wrk_rate(wrk, server, message, seconds=seconds, directory=directory, connections=connections)


def percentile(values: Collection[float], percent: int) -> float:
    """Return the value that so many percent of all are below."""
    return sorted(values)[len(values) * percent // 100]


class Rounds:
    """The rates of one server, round after round, and what it, or those ``behind`` it, computed meanwhile."""

    def __init__(
        self, bench: Bench, server: Server, *, behind: Sequence[Server] = (), connections: int = CONNECTIONS
    ) -> None:
        self._bench = bench
        self.server = server
        self._computing = behind or (server,)
        self._connections = connections
        self.requests = self._seconds = self._computed_seconds = 0.0
        self.best = 0.0

    def run(self, *, seconds: float) -> None:
        """Load the server once more."""
        before = self._computed()
        rate = requests_per_second(
            self.server, seconds=seconds, directory=self._bench.directory, connections=self._connections
        )
        after = self._computed()
        self.best = max(self.best, rate)
        self.requests += rate * seconds
        self._seconds += seconds
        self._computed_seconds += after - before

    def _computed(self) -> float:
        return sum(processor_seconds(server.process_id) or 0.0 for server in self._computing)

    @property
    def rate(self) -> float:
        """Answers a second, on average."""
        return self.requests / self._seconds if self._seconds else 0.0

    @property
    def computed_microseconds(self) -> float:
        """What a request costs in time of the processor, however busy that is with others; 0 where unknown."""
        return self._computed_seconds / self.requests * 1e6 if self.requests else 0.0

    @property
    def computed_share(self) -> float:
        """How much of a core each of those that computed had, on average."""
        return self._computed_seconds / self._seconds / len(self._computing) if self._seconds else 0.0


def latencies_seconds(server: Server, *, count: int) -> list[float]:
    """Return how long each of ``count`` requests took, one after the other on one connection."""
    message = request(server.path, port=server.port, headers=server.headers, body=request_body())
    taken = []
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(count):
            started = time.perf_counter()
            connection.sendall(message)
            received = connection.recv(65536)
            while missing_bytes(received):
                received += connection.recv(65536)
            taken.append(time.perf_counter() - started)
    return taken


def missing_bytes(received: bytes) -> int:
    """Return how much of an answer is still to come, at least 1 while that is unknown. Raises ``BenchError``."""
    head, blank_line, body = received.partition(b"\r\n\r\n")
    if not blank_line:
        if not received:
            raise BenchError("the connection was closed without an answer")
        return 1
    found = _STATUS_LENGTH.search(head)
    if found is None or found[1] != b"200":
        raise BenchError(f"expected a whole answer with status 200, got: {received[:300]!r}")
    return int(found[2]) - len(body)


def _wrk_rate(
    wrk: str, server: Server, message: bytes, *, seconds: float, directory: Path, connections: int
) -> float:
    script = directory / "wrk.lua"
    head, body = message.decode().split("\r\n\r\n", 1)
    fields = [line.split(": ", 1) for line in head.split("\r\n")[2:] if not line.startswith("Content-Length")]
    headers = "".join(f'wrk.headers["{name}"] = "{value}"\n' for name, value in fields)
    script.write_text(f'wrk.method = "POST"\nwrk.body = [==[{body}]==]\n{headers}')
    duration = f"{max(1, round(seconds))}s"
    command = [
        wrk,
        "-t1",
        f"-c{connections}",
        f"-d{duration}",
        "--timeout",
        "30s",
        "-s",
        str(script),
        f"http://127.0.0.1:{server.port}{server.path}",
    ]
    output = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 20, check=True).stdout
    rate = _RATE.search(output)
    if rate is None or "Non-2xx" in output or "Socket errors" in output:
        raise BenchError(f"wrk had answers other than 200: {output.strip()[-300:]}")
    return float(rate[1])


class _Asker(asyncio.Protocol):
    """Asks, and asks again when answered."""

    def __init__(self, message: bytes) -> None:
        self._message = message
        self._received = b""
        self.answers = 0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._message)

    def data_received(self, data: bytes) -> None:
        self._received += data
        try:
            missing = missing_bytes(self._received)
        except BenchError as error:
            self.ended.set_exception(error)
            self.transport.abort()
            return
        if missing <= 0:
            self._received = b""
            self.answers += 1
            self.transport.write(self._message)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(exc or BenchError("the connection was closed inside the load"))


async def _rate(server: Server, message: bytes, *, seconds: float, connections: int) -> float:
    loop = asyncio.get_running_loop()
    started = loop.time()
    askers = [
        (await loop.create_connection(lambda: _Asker(message), "127.0.0.1", server.port))[1]
        for _ in range(connections)
    ]
    ended = [asker.ended for asker in askers]
    failed, _ = await asyncio.wait(ended, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    while not failed and not any(asker.answers for asker in askers) and loop.time() < started + PATIENCE_SECONDS:
        failed, _ = await asyncio.wait(ended, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_EXCEPTION)
    taken = loop.time() - started
    for asker in askers:
        if asker.ended.done():
            asker.ended.result()
        asker.ended.cancel()
        asker.transport.abort()
    answers = sum(asker.answers for asker in askers)
    if not answers:
        raise BenchError(f"nobody was answered in {taken:.0f} s")
    return answers / taken
