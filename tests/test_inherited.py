"""A gateway serves whatever it inherits: streams that are closed or full, few open files."""

import os
import re
import resource
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx
import pytest

from gateway.server import bind
from tests.serving import own_variables, serving

SECONDS = 20


@contextmanager
def served(
    redirection: str, *, stdout: int | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Response]]:
    """Run a gateway whose streams are redirected by a shell; gives it, and how ready it is once it answers."""
    with closing(bind("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    inherited = {name: value for name, value in os.environ.items() if name not in own_variables()}
    program = f"exec {shlex.quote(sys.executable)} -m gateway serve {redirection}"
    environ = {**inherited, "GATEWAY_PORT": str(port), "GATEWAY_METRICS_PORT": "0"}
    with subprocess.Popen(["/bin/sh", "-c", program], env=environ, stdout=stdout) as process:
        try:
            while process.poll() is None:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                except ConnectionRefusedError:
                    continue
                break
            yield process, httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=SECONDS)
        finally:
            process.kill()


@pytest.mark.parametrize(
    "redirection",
    [
        pytest.param("> /dev/full 2> /dev/null", id="the disk of its output is full"),
        pytest.param("2> /dev/full > /dev/null", id="the disk of its log is full"),
        pytest.param("> /dev/full 2> /dev/full", id="both are"),
        pytest.param(">&- 2> /dev/null", id="its output is closed"),
        pytest.param("2>&- > /dev/null", id="its log is closed"),
        pytest.param("<&- >&- 2>&-", id="everything is closed"),
    ],
)
def test_gateway_answers_and_ends_in_order_although(redirection: str) -> None:
    with served(redirection) as (process, ready):
        process.terminate()

        assert (ready.status_code, process.wait(SECONDS)) == (200, 0)


def test_gateway_goes_on_when_nobody_reads_what_it_prints() -> None:
    """As in ``glm-gateway serve | head``."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        with served("2> /dev/null", stdout=writing) as (process, ready):
            process.terminate()

            assert (ready.status_code, process.wait(SECONDS)) == (200, 0)
    finally:
        os.close(writing)


@pytest.fixture
def few_files() -> Iterator[int]:
    """Let processes that are started have few open files, unless they ask for more; gives how many they may."""
    few, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, most), most))
    yield most
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, most))


def test_gateway_opens_as_many_files_as_it_may(few_files: int) -> None:
    with serving({}) as gateway:
        port = gateway.read_log_until("Metrics: port ").partition("Metrics: port ")[2].split()[0]
        told = httpx.get(f"http://127.0.0.1:{port}/metrics").text

    found = re.search(r"^process_max_fds (\S+)$", told, re.MULTILINE)
    assert found is not None
    assert float(found[1]) == float(few_files)
