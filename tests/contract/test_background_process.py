"""Responses in the background of processes as an operator runs them: one is killed, one is told to stop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import openai
import pytest
from openai.types.responses import Response

from tests.fakes import KEY, Zhipu, completion
from tests.redis_server import RedisServer
from tests.serving import Served, serving

MODEL = "glm-4.7"
UNDER_WAY = ("queued", "in_progress")

Connect = Callable[[Served], openai.AsyncOpenAI]


@pytest.fixture
def replicas(zhipu: Zhipu, redis: RedisServer) -> Iterator[tuple[Served, Served]]:
    """Run two gateways that share a Redis; what falls silent for a second is taken for dead."""
    environment = {
        "ZHIPU_API_KEY": "0123456789abcdef0123456789abcdef.0123456789abcdef",
        "GATEWAY_UPSTREAM_URL": zhipu.url,
        "GATEWAY_REDIS_URL": redis.url,
        "GATEWAY_KEYS": f"team:{KEY}:V1",
        "GATEWAY_LEASE_SECONDS": "1",
        "GATEWAY_DRAIN_SECONDS": "20",
    }
    with ExitStack() as stack:
        yield stack.enter_context(serving(environment)), stack.enter_context(serving(environment))


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    clients: list[openai.AsyncOpenAI] = []

    def client(served: Served) -> openai.AsyncOpenAI:
        url = served.read_until("GLM Gateway answers on ").rpartition(" ")[2].strip()
        http = openai.DefaultAsyncHttpxClient(trust_env=False)
        clients.append(openai.AsyncOpenAI(api_key=KEY, base_url=url, http_client=http))
        return clients[-1]

    yield client
    for one in clients:
        await one.close()


async def ended(client: openai.AsyncOpenAI, response_id: str) -> Response:
    async with asyncio.timeout(15):
        while (response := await client.responses.retrieve(response_id)).status in UNDER_WAY:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return response


async def test_response_of_a_killed_process_is_told_as_failed(
    replicas: tuple[Served, Served], connect: Connect, zhipu: Zhipu
) -> None:
    """Whoever polls at another replica does not wait for ever; while the process lives it is told as under way."""
    killed, other = replicas
    maker, asker = await asyncio.to_thread(connect, killed), await asyncio.to_thread(connect, other)
    queued = await maker.responses.create(model=MODEL, input="Hi", background=True)
    await zhipu.call()
    await asyncio.sleep(1.5)  # longer than a silence may last
    assert "in_progress" == (await asker.responses.retrieve(queued.id)).status

    killed.process.kill()
    response = await ended(asker, queued.id)

    assert "failed" == response.status
    assert response.error is not None
    assert "server_error" == response.error.code


async def test_response_is_finished_before_the_process_stops(
    replicas: tuple[Served, Served], connect: Connect, zhipu: Zhipu
) -> None:
    stopping, other = replicas
    maker, asker = await asyncio.to_thread(connect, stopping), await asyncio.to_thread(connect, other)
    queued = await maker.responses.create(model=MODEL, input="Hi", background=True)
    call = await zhipu.call()

    stopped = asyncio.get_running_loop().run_in_executor(None, stopping.stop)
    await asyncio.sleep(0.3)  # nobody tells that the signal has arrived; too early proves less, not more
    call.answer(completion("Just in time."))
    code, _ = await stopped

    assert 0 == code
    assert "Just in time." == (await asker.responses.retrieve(queued.id)).output_text
