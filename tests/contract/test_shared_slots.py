"""Two gateways that share a Redis hold a caller to one limit, not to two."""

import asyncio
from collections.abc import AsyncIterator, Callable

import msgspec
import pytest

from gateway.app import create_gateway
from gateway.settings.schema import Redis
from gateway.settings.secret import Secret
from tests.fakes import KEY, Caller, Zhipu, call_app, completion
from tests.redis_server import RedisServer
from tests.running import SETTINGS, Gateway

ONE = dict.fromkeys(("V0", "V1", "V2", "V3"), 1)
REQUEST = msgspec.json.encode({"model": "glm-4.7", "messages": [{"role": "user", "content": "Hello!"}]})


@pytest.fixture
async def pair(zhipu: Zhipu, redis: RedisServer) -> AsyncIterator[list[Gateway]]:
    settings = msgspec.structs.replace(
        SETTINGS, upstream_url=zhipu.url, limits={"glm-4.7": ONE}, redis=Redis(url=Secret(redis.url))
    )
    gateways = [Gateway(settings) for _ in range(2)]
    for gateway in gateways:
        await gateway.desk.limiter.start()
    yield gateways
    for gateway in gateways:
        await gateway.desk.limiter.aclose()


async def ask(gateway: Gateway) -> int | None:
    caller = Caller(REQUEST)
    await call_app(gateway.app, caller, authorization=f"Bearer {KEY}")
    return caller.status


async def test_limit_holds_for_both_gateways_together(pair: list[Gateway], zhipu: Zhipu) -> None:
    """The second waits at the other gateway until the first is answered, and gets its turn then."""
    loop = asyncio.get_running_loop()
    first = loop.create_task(ask(pair[0]))
    call = await asyncio.wait_for(zhipu.call(), 10)
    second = loop.create_task(ask(pair[1]))
    async with asyncio.timeout(10):
        while not pair[1].waiting:  # noqa: ASYNC110 - the line is inside the gateway, which tells nobody
            await asyncio.sleep(0.01)

    call.answer(completion())
    other = await asyncio.wait_for(zhipu.call(), 10)
    other.answer(completion())

    assert (200, 200) == (await asyncio.wait_for(first, 10), await asyncio.wait_for(second, 10))


def test_address_that_is_none_is_a_problem_of_the_settings() -> None:
    settings = msgspec.structs.replace(SETTINGS, redis=Redis(url=Secret("http://user:hush@redis")))
    create: Callable[..., object] = create_gateway

    with pytest.raises(Exception, match="no URL of Redis") as raised:
        create(settings)

    assert "hush" not in str(raised.value)
