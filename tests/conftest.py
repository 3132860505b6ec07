"""What tests of every room may ask for: gateways before a Zhipu of their choice, a client, a Redis."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, settings

from gateway.server.whole import answering_whole
from gateway.simulator import Running, create_simulator, running
from tests.fakes import KEY, Caller, Zhipu, playing_zhipu
from tests.redis_server import RedisServer, need_redis
from tests.running import SETTINGS, Gateway, in_turn, listening

StartGateway = Callable[..., Awaitable[Gateway]]
MakeGateway = Callable[..., Gateway]

# How long an example takes says something about the machine, which others may share.
settings.register_profile("shared machine", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("shared machine")


@pytest.fixture
async def make_gateway() -> AsyncIterator[MakeGateway]:
    """Make gateways that are called as ASGI applications, by fields of Settings; they end with the test."""
    async with AsyncExitStack() as stack:

        def make(transport: httpx.AsyncBaseTransport | None = None, **fields: Any) -> Gateway:
            gateway = Gateway(msgspec.structs.replace(SETTINGS, **fields), transport=transport)
            stack.push_async_callback(gateway.aclose)
            return gateway

        yield make


@pytest.fixture
async def start_gateway() -> AsyncIterator[StartGateway]:
    """Start gateways on real sockets, by fields of Settings; they end with the test."""
    async with AsyncExitStack() as stack:

        async def start(**fields: Any) -> Gateway:
            gateway = Gateway(msgspec.structs.replace(SETTINGS, **fields))
            app = gateway.app if gateway.takes_at_once else in_turn(gateway.app)
            gateway.origin = await stack.enter_async_context(listening(answering_whole(app)))
            return gateway

        yield start


@pytest.fixture(params=[True, False], ids=["at once", "in turn"])
def each_way_out(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Try what is written to callers with and without the server's shorter way."""
    monkeypatch.setattr(Caller, "writes_at_once", request.param)


@pytest.fixture(params=[True, False], ids=["at once", "in turn"])
def each_way_of_calls(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Try calls with and without the server's shorter way for their messages."""
    monkeypatch.setattr(Gateway, "takes_at_once", request.param)


@pytest.fixture
async def zhipu() -> AsyncIterator[Zhipu]:
    """Give a Zhipu that the test plays by hand."""
    async with playing_zhipu() as played:
        yield played


@pytest.fixture
async def gateway(start_gateway: StartGateway, zhipu: Zhipu) -> Gateway:
    """Give a gateway before the played Zhipu, with settings as they are by default."""
    return await start_gateway(upstream_url=zhipu.url)


@pytest.fixture(scope="session")
def simulated() -> Iterator[Running]:
    """Serve the simulator to all tests."""
    with running(create_simulator()) as standing:
        yield standing


@pytest.fixture
def simulator(simulated: Running) -> Running:
    """Give the simulator, as new."""
    simulated.simulator.reset()
    return simulated


@pytest.fixture(scope="session")
def one_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Serve one Redis to all tests that do it no harm."""
    need_redis()
    server = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.kill()


@pytest.fixture
def redis(one_redis: RedisServer) -> RedisServer:
    """Give the Redis, empty."""
    one_redis.ask("FLUSHALL")
    one_redis.ask("CONFIG", "RESETSTAT")
    return one_redis


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """Give a Redis to be harmed."""
    need_redis()
    server = RedisServer(tmp_path).start()
    yield server
    server.kill()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Give a client that holds a key, and no certificates: to load them takes longer than most tests."""
    headers = {"authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=30, verify=False) as one:  # noqa: S501
        yield one
