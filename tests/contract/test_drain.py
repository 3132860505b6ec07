"""A process that is told to stop: what is under way is finished, or told why not; the exit is clean."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import openai
import pytest

from gateway.auth import digest
from gateway.simulator import DEMO_KEY, Running, create_simulator, faults, running
from tests.fakes import KEY

PLAIN = ssl.create_default_context()  # made once, as it takes longer than a request
LONG: Any = [{"role": "user", "content": "Count from 1 to 900"}]
MESSAGES: Any = [{"role": "user", "content": "Count from 1 to 30"}]


@pytest.fixture
def slow() -> Iterator[Running]:
    """Serve a GLM that pauses before each chunk."""
    with running(create_simulator(faults=[faults.Slow(seconds=0.03, times=None)])) as simulator:
        yield simulator


@pytest.fixture
def late() -> Iterator[Running]:
    """Serve a GLM that thinks for a long time before it answers."""
    with running(create_simulator(faults=[faults.Latency(seconds=60, times=None)])) as simulator:
        yield simulator


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Process:
    """A gateway as an operator runs it."""

    def __init__(self, process: subprocess.Popen[str], *, port: int) -> None:
        self._process = process
        self.origin = f"http://127.0.0.1:{port}"

    def sdk(self) -> openai.OpenAI:
        http = openai.DefaultHttpxClient(trust_env=False, verify=False)
        return openai.OpenAI(api_key=KEY, base_url=f"{self.origin}/v1", max_retries=0, http_client=http)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def end(self) -> tuple[int, str]:
        """Wait for the end; gives the exit code and the log."""
        _, log = self._process.communicate(timeout=30)
        return self._process.returncode, log


@contextmanager
def serving(simulator: Running, *, drain_seconds: float) -> Iterator[Process]:
    port = free_port()
    settings = {
        "ZHIPU_API_KEY": DEMO_KEY,
        "GATEWAY_UPSTREAM_URL": simulator.url,
        "GATEWAY_KEYS": f"team:{KEY}:V1",
        "GATEWAY_PORT": str(port),
        "GATEWAY_METRICS_PORT": str(free_port()),
        "GATEWAY_DRAIN_SECONDS": str(drain_seconds),
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    with subprocess.Popen(
        [sys.executable, "-m", "gateway", "serve"],
        env=environment | settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            gateway = Process(process, port=port)
            while status(gateway, "/readyz") != 200:
                assert process.poll() is None
            yield gateway
        finally:
            process.kill()


def status(gateway: Process, path: str) -> int:
    try:
        return httpx.get(gateway.origin + path, trust_env=False, verify=PLAIN).status_code
    except httpx.TransportError:
        return 0


def test_stream_ends_whole_when_the_process_is_told_to_stop(slow: Running) -> None:
    """Readiness goes at once, so that no more comes; what has come is finished, and logged once."""
    with serving(slow, drain_seconds=30) as gateway, gateway.sdk() as sdk:
        stream = sdk.chat.completions.create(
            model="glm-4.7", messages=MESSAGES, stream=True, reasoning_effort="none"
        )
        chunks = [next(stream)]

        gateway.stop()
        while (ready := status(gateway, "/readyz")) == 200:
            pass
        chunks += list(stream)
        code, log = gateway.end()

    text = "".join(one.choices[0].delta.content or "" for one in chunks if one.choices)
    assert " ".join(str(number) for number in range(1, 31)) == text
    assert (503, 0) == (ready, code)
    (line,) = [line for line in log.splitlines() if '"event":"exchange"' in line]
    assert '"outcome":"ok"' in line
    assert KEY not in log
    assert digest(KEY) not in log


def test_stream_is_told_why_when_it_outlasts_the_drain(slow: Running) -> None:
    """At the limit the caller gets an error it can read, not a cut line that looks like an end."""
    with serving(slow, drain_seconds=0.1) as gateway, gateway.sdk() as sdk:
        stream = sdk.chat.completions.create(model="glm-4.7", messages=LONG, stream=True)
        next(stream)

        gateway.stop()
        with pytest.raises(openai.APIError) as error:
            list(stream)
        code, log = gateway.end()

    assert ("shutting_down", 0) == (error.value.code, code)
    (line,) = [line for line in log.splitlines() if '"event":"exchange"' in line]
    assert '"outcome":"gateway_error"' in line


def test_whole_answer_is_refused_when_it_outlasts_the_drain(late: Running) -> None:
    """Its caller gets an error that SDKs retry elsewhere; the log has the one line, and no traceback."""
    with serving(late, drain_seconds=0.1) as gateway, ThreadPoolExecutor() as threads, gateway.sdk() as sdk:
        asked = threads.submit(sdk.chat.completions.create, model="glm-4.7", messages=LONG)
        while not late.simulator.book.seen:
            time.sleep(0.005)

        gateway.stop()
        error = asked.exception(timeout=30)
        code, log = gateway.end()

    assert isinstance(error, openai.InternalServerError)
    assert (503, "shutting_down", 0) == (error.status_code, error.code, code)
    told = tuple(error.response.headers[name] for name in ("retry-after", "x-should-retry", "connection"))
    assert ("1", "true", "close") == told
    assert "1 exchanges are cut: they outlasted the drain of 0.1 s" in log
    assert "uvicorn.error" not in log
    assert "Traceback" not in log


def test_process_ends_in_order_when_told_twice(slow: Running) -> None:
    """The second signal cuts what is under way at once, and is no reason for alarm in the log."""
    with serving(slow, drain_seconds=30) as gateway, gateway.sdk() as sdk:
        stream = sdk.chat.completions.create(model="glm-4.7", messages=LONG, stream=True)
        next(stream)

        gateway.stop()
        while status(gateway, "/readyz") == 200:
            pass
        gateway.stop()
        with pytest.raises(openai.APIError):
            list(stream)
        code, log = gateway.end()

    assert 0 == code
    assert "1 exchanges are cut: a second signal came" in log
    assert "uvicorn.error" not in log
    assert "Traceback" not in log
