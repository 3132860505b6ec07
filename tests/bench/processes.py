"""Programs under measurement: started on a core of their own, waited for, and stopped whatever happens."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from gateway.torture import REDIS_SERVER

from .machine import cores, pin
from .wire import ANSWER, GATEWAY_PATH, KEY, MODEL, MODELS, REALTIME_PATH, UPSTREAM_BASE, UPSTREAM_PATH

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
STOP_SECONDS = 10.0

CANNED = f"""default_type application/json;
    location / {{ return 200 '{ANSWER.decode()}'; }} location = /v1/models {{ return 200 '{MODELS.decode()}'; }}"""

Process = subprocess.Popen[bytes]
Amount = TypeVar("Amount", int, float)


class BenchError(Exception):
    """Something under measurement did not start or did not answer as it should."""


class MissingError(BenchError):
    """A program that a measure needs is not installed here."""


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Server(Struct, frozen=True, kw_only=True):
    """A running server of the loopback, the path at which it takes chat completions, and headers that it needs."""

    port: int
    process_id: int
    path: str
    headers: dict[str, str] = {}


class Bench:
    """
    Where the programs run: the cores, and a directory for their files.

    ``smoke``: only to see that everything works, with the least of everything. What is measured has the first core
    to itself, the load and all else have the second; with fewer than two nothing is kept anywhere.
    """

    def __init__(self, directory: Path, *, smoke: bool = False) -> None:
        self.directory = directory
        self.smoke = smoke
        self.cores = cores()
        self._measured, self._other = (self.cores[:1], self.cores[1:2]) if len(self.cores) > 1 else ((), ())
        pin(self._other)

    @property
    def where(self) -> str:
        """Say which cores everything is kept on."""
        if not self._measured:
            return "not pinned"
        return f"what is measured on core {self._measured[0]}, the rest on {self._other[0]}"

    def amount(self, full: Amount, *, least: Amount) -> Amount:
        """Return how much of something a measure takes: all of it, or the ``least`` that shows that it works."""
        return least if self.smoke else full

    @contextmanager
    def placed(self, *, measured: Sequence[int], others: Sequence[int]) -> Iterator[None]:
        """Start what is measured on these cores until the block ends, and keep the load and all else on others."""
        before = self._measured, self._other
        self._measured, self._other = tuple(measured), tuple(others)
        pin(self._other)
        try:
            yield
        finally:
            self._measured, self._other = before
            pin(self._other)

    @contextmanager
    def stub(self) -> Iterator[Server]:
        """Run the stand-in for GLM beside the load."""
        port = free_port()
        command = [sys.executable, "-m", f"{__package__}.stub", str(port)]
        with self.running(command, name="stub", port=port) as process:
            yield Server(port=port, process_id=process.pid, path=UPSTREAM_PATH)

    @contextmanager
    def calls_gateway(self, *, glm_port: int, limits: str) -> Iterator[Server]:
        """Run the gateway in front of a GLM-Realtime that listens at a port."""
        upstream = Server(port=glm_port, process_id=0, path="/realtime")
        settings = {"GATEWAY_REALTIME_URL": f"ws://127.0.0.1:{glm_port}/realtime", "GATEWAY_LIMITS": limits}
        with self.gateway(upstream=upstream, path=REALTIME_PATH, settings=settings) as gateway:
            yield gateway

    @contextmanager
    def gateway(
        self,
        *,
        upstream: Server,
        path: str = GATEWAY_PATH,
        settings: Mapping[str, str] = {},
        python: str = sys.executable,
    ) -> Iterator[Server]:
        """Run the gateway in front of an upstream, with ``settings`` more in its environment."""
        port = free_port()
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("GATEWAY_", "ZHIPU_"))
        }
        environment |= {
            "ZHIPU_API_KEY": "bench.secret",
            "GATEWAY_ACCOUNT_TIER": "V3",
            "GATEWAY_UPSTREAM_URL": f"http://127.0.0.1:{upstream.port}{UPSTREAM_BASE}",
            "GATEWAY_KEYS": f"bench:{KEY}:V3",
            "GATEWAY_LIMITS": f"{MODEL}=9000/9000/9000/9000",
            "GATEWAY_PORT": str(port),
            "GATEWAY_METRICS_PORT": str(free_port()),
            **settings,
        }
        command = [python, "-m", "gateway", "serve"]
        with self.running(command, name="gateway", port=port, measured=True, environment=environment) as process:
            yield Server(port=port, process_id=process.pid, path=path)

    @contextmanager
    def redis(self) -> Iterator[int]:
        """Run a Redis beside the load; gives its port."""
        if REDIS_SERVER is None:
            raise MissingError("redis-server is not installed")
        port = free_port()
        command = [REDIS_SERVER, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        with self.running(command, name="redis", port=port):
            yield port

    @contextmanager
    def nginx_upstream(self, *, location: str = CANNED, name: str = "upstream") -> Iterator[Server]:
        """Run an nginx that gives the canned answer, or what ``location`` says, beside the load."""
        port = free_port()
        site = f"server {{ listen 127.0.0.1:{port}; client_max_body_size 64m; {location} }}"
        with self._nginx(name, site, port=port) as process:
            yield Server(port=port, process_id=process.pid, path=UPSTREAM_PATH)

    @contextmanager
    def nginx_proxy(self, *, upstream: Server) -> Iterator[Server]:
        """Run an nginx that only passes on, in the gateway's place."""
        port = free_port()
        with self._nginx("proxy", _passing_on(upstream, port=port), port=port, measured=True) as process:
            yield Server(port=port, process_id=process.pid, path=UPSTREAM_PATH)

    @contextmanager
    def nginx_balancer(self, *gateways: Server, name: str) -> Iterator[Server]:
        """Run an nginx beside the load that gives requests to gateways in turn."""
        port = free_port()
        with self._nginx(name, _passing_on(*gateways, port=port), port=port) as process:
            yield Server(port=port, process_id=process.pid, path=gateways[0].path)

    @contextmanager
    def _nginx(self, name: str, site: str, *, port: int, measured: bool = False) -> Iterator[Process]:
        program = nginx_program()
        if program is None:
            raise MissingError("nginx is not installed")
        home = self.directory / f"nginx-{name}"
        home.mkdir(exist_ok=True)
        paths = "".join(
            f"{kind}_temp_path {home}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        configuration = home / "nginx.conf"
        configuration.write_text(f"""
            daemon off; worker_processes 1; pid {home}/pid; error_log stderr;
            events {{ worker_connections 4096; }}
            http {{ access_log off; keepalive_requests 1000000000; {paths} {site} }}""")
        command = [program, "-e", "stderr", "-p", str(home), "-c", str(configuration)]
        with self.running(command, name=f"nginx-{name}", port=port, measured=measured) as process:
            yield process

    @contextmanager
    def running(
        self,
        command: Sequence[str],
        *,
        name: str,
        port: int,
        measured: bool = False,
        environment: Mapping[str, str] | None = None,
        start_seconds: float = START_SECONDS,
    ) -> Iterator[Process]:
        """Run a program until the block ends; it is waited for until it listens."""
        log = self.directory / f"{name}.log"
        with log.open("ab") as output:
            # Pinned before it starts, so that no thread of it is left elsewhere.
            pin(self._measured if measured else self._other)
            try:
                process = subprocess.Popen(
                    command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
                )
            finally:
                pin(self._other)
            try:
                _wait_until_it_listens(process, port=port, name=name, log=log, seconds=start_seconds)
                yield process
            finally:
                _stop(process)


def _passing_on(*servers: Server, port: int) -> str:
    """Return the site of an nginx that listens at a port and passes on to servers in turn."""
    places = " ".join(f"server 127.0.0.1:{server.port};" for server in servers)
    return f"""
        upstream passed {{ {places} keepalive 512; keepalive_requests 1000000000; }}
        server {{ listen 127.0.0.1:{port}; location / {{
            proxy_pass http://passed; proxy_http_version 1.1; proxy_set_header Connection "";
        }} }}"""


def nginx_program() -> str | None:
    """Return where nginx is, None where it is not installed."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def _wait_until_it_listens(process: Process, *, port: int, name: str, log: Path, seconds: float) -> None:
    give_up_at = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < give_up_at:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    said = log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
    raise BenchError(f"{name} did not start: {said[-1]}")


def _stop(process: Process) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
