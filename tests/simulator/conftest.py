"""Stand-ins on real sockets, and a short way to ask one."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from gateway.simulator import DEMO_KEY, Running, create_simulator, running

_TLS = ssl.create_default_context()  # made once, as it takes longer than most tests


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Start stand-ins with settings of one's own; they end with the test."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(running(create_simulator(**settings)))


@pytest.fixture(scope="session")
def shared() -> Iterator[Running]:
    """Serve one stand-in for all tests that need no settings."""
    with running(create_simulator(fences="never")) as standing:
        yield standing


@pytest.fixture
def zhipu(shared: Running) -> Running:
    """Give the shared stand-in, as new."""
    shared.simulator.reset()
    return shared


@pytest.fixture
def connect() -> Iterator[Callable[..., httpx.Client]]:
    """Make clients of a stand-in that hold a key, the demo account's by default."""
    with ExitStack() as stack:

        def client(standing: Running, key: str = DEMO_KEY, **headers: str) -> httpx.Client:
            headers = {"authorization": f"Bearer {key}"} | headers
            return stack.enter_context(
                httpx.Client(base_url=standing.url, headers=headers, verify=_TLS, timeout=30)
            )

        yield client


@pytest.fixture
def ask(zhipu: Running, connect: Callable[..., httpx.Client]) -> Callable[..., httpx.Response]:
    """Ask the shared stand-in for a chat completion; fields replace those of a small valid request."""
    client = connect(zhipu)

    def post(**fields: Any) -> httpx.Response:
        request = {"model": "glm-4.7", "messages": [{"role": "user", "content": "Say hello world"}]}
        return client.post("/chat/completions", json=request | fields)

    return post
