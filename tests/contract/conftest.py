"""What tests of promises that span rooms may ask for: the official SDK, before a gateway of their choice."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import openai
import pytest

from gateway.simulator import Running
from tests.conftest import StartGateway
from tests.fakes import KEY
from tests.running import Gateway

Connect = Callable[..., openai.AsyncOpenAI]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Open the SDK before gateways, by options of its own; it holds the key, and retries only if told to."""
    async with AsyncExitStack() as stack:

        def client(gateway: Gateway, **options: Any) -> openai.AsyncOpenAI:
            http = openai.DefaultAsyncHttpxClient(trust_env=False, verify=False)
            given: dict[str, Any] = {"api_key": KEY, "max_retries": 0, "http_client": http} | options
            opened = openai.AsyncOpenAI(base_url=gateway.url, **given)
            stack.push_async_callback(opened.close)
            return opened

        yield client


@pytest.fixture
async def sdk(start_gateway: StartGateway, simulator: Running, connect: Connect) -> openai.AsyncOpenAI:
    """Give the SDK before a gateway before the simulator."""
    return connect(await start_gateway(upstream_url=simulator.url))


@pytest.fixture
def played(gateway: Gateway, connect: Connect) -> openai.AsyncOpenAI:
    """Give the SDK before a gateway before a Zhipu that the test plays."""
    return connect(gateway)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """Give a loop to tests that are no coroutines, because they draw many examples."""
    with asyncio.Runner() as one:
        yield one
