"""The programs that are compared: how each is installed and started, with its own defaults but for what costs."""

import os
import platform
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from msgspec import Struct

from tests.bench.peers.installing import install_from_npm, install_from_pypi
from tests.bench.peers.litellm import install_litellm, litellm
from tests.bench.processes import Bench, Server, free_port
from tests.bench.wire import GATEWAY_PATH

Start = Callable[[Bench, Server], AbstractContextManager[Server]]

GATEWAY = "GLM Gateway"
SMG = "smg==1.13.0"
PORTKEY = "@portkey-ai/gateway@1.15.2"


class Program(Struct, frozen=True, kw_only=True):
    """
    One program. ``install`` returns how it is started in front of an upstream.

    ``streams`` False: its streams fail, as Portkey's do on Node 20 ("immutable headers").
    """

    name: str
    what: str
    install: Callable[[Path], Start]
    streams: bool = True


def install_nginx(_: Path) -> Start:
    """Nothing is installed: the limit of what can be had is Debian's own."""
    return lambda bench, upstream: bench.nginx_proxy(upstream=upstream)


def install_gateway(_: Path) -> Start:
    """Nothing is installed: it is what runs this."""
    return lambda bench, upstream: bench.gateway(upstream=upstream)


def install_smg(directory: Path) -> Start:
    """Install and return the fastest gateway that PyPI has."""
    return partial(smg, program=install_from_pypi(directory, name="smg", requirement=SMG) / "smg")


def install_portkey(directory: Path) -> Start:
    """Install and return Portkey's gateway, which is a program of Node's."""
    return partial(portkey, folder=install_from_npm(directory, name="portkey", requirement=PORTKEY))


def install_proxy_of_litellm(directory: Path) -> Start:
    """Install and return LiteLLM's proxy."""
    program = install_litellm(directory)
    return lambda bench, upstream: litellm(bench, program=program, upstream=upstream)


def gateway_on(python: str) -> Program:
    """Return the gateway on another Python, which has what it needs; raise OSError or SubprocessError without."""
    ask = [python, "-c", "import gateway, platform; print(platform.python_version())"]
    version = subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip()
    return Program(
        name=f"{GATEWAY}, {version}",
        what=f"Python {version}",
        install=lambda _: lambda bench, upstream: bench.gateway(upstream=upstream, python=python),
    )


@contextmanager
def smg(bench: Bench, upstream: Server, *, program: Path) -> Iterator[Server]:
    """Run smg; it has no keys and no limits, and passes streams on as they are."""
    port = free_port()
    options = {
        "--backend": "openai",
        "--worker-urls": f"http://127.0.0.1:{upstream.port}",
        "--host": "127.0.0.1",
        "--port": str(port),
        "--prometheus-host": "127.0.0.1",
        "--prometheus-port": str(free_port()),
        "--log-level": "error",
    }
    command = [str(program), "launch", *(part for option in options.items() for part in option)]
    with bench.running(
        [*command, "--max-concurrent-requests=-1"], name="smg", port=port, measured=True, start_seconds=60
    ) as process:
        yield Server(port=port, process_id=process.pid, path=GATEWAY_PATH)


@contextmanager
def portkey(bench: Bench, upstream: Server, *, folder: Path) -> Iterator[Server]:
    """Run Portkey's gateway, told by headers where to send a request."""
    port = free_port()
    command = ["node", str(folder / "build/start-server.js"), f"--port={port}", "--headless"]
    headers = {
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": f"http://127.0.0.1:{upstream.port}/v1",
    }
    environment = {**os.environ, "TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"}
    with bench.running(command, name="portkey", port=port, measured=True, environment=environment) as process:
        yield Server(port=port, process_id=process.pid, path=GATEWAY_PATH, headers=headers)


PROGRAMS = (
    Program(name="nginx", what="proxy_pass: the limit", install=install_nginx),
    Program(name=GATEWAY, what=f"Python {platform.python_version()}", install=install_gateway),
    Program(name="smg", what=f"Rust, {SMG}; no keys, no slots, streams untranslated", install=install_smg),
    Program(name="Portkey", what=f"Node, {PORTKEY}; no keys", install=install_portkey, streams=False),
    Program(name="LiteLLM", what="Python, litellm 1.98", install=install_proxy_of_litellm),
)
