"""A slot that others may have by now ends what it is used for, before GLM can count twice."""

import asyncio

import msgspec
import pytest

from gateway.limits.limiter import Scope, Slot
from gateway.limits.memory import MemoryLimiter
from tests.conftest import MakeGateway
from tests.fakes import KEY, Caller, Zhipu, call_app, chunk
from tests.running import Gateway


class Losing(MemoryLimiter):
    """A limiter that remembers what it gave, and lets it be lost."""

    leases = True

    def __init__(self) -> None:
        super().__init__(queue_size=10)
        self.given: list[Slot] = []

    def take(self, scope: Scope) -> Slot | None:
        slot = super().take(scope)
        if slot is not None:
            self.given.append(slot)
        return slot

    async def acquire(self, scope: Scope, *, timeout_seconds: float) -> Slot:
        slot = await super().acquire(scope, timeout_seconds=timeout_seconds)
        self.given.append(slot)
        return slot


@pytest.fixture
def limiter() -> Losing:
    return Losing()


def request(*, stream: bool) -> bytes:
    messages = [{"role": "user", "content": "Hello!"}]
    return msgspec.json.encode({"model": "glm-4.7", "messages": messages, "stream": stream})


async def ask(gateway: Gateway, *, stream: bool) -> Caller:
    caller = Caller(request(stream=stream))
    await call_app(gateway.app, caller, authorization=f"Bearer {KEY}")
    return caller


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_request_ends_when_its_slot_is_lost_before_an_answer(
    make_gateway: MakeGateway, zhipu: Zhipu, limiter: Losing, *, stream: bool
) -> None:
    gateway = make_gateway(upstream_url=zhipu.url)
    gateway.desk.limiter = limiter
    asking = asyncio.get_running_loop().create_task(ask(gateway, stream=stream))
    call = await zhipu.call()

    limiter.given[0].lose()
    # Not by wait_for, whose cancellation would end the request as the loss of its slot has to.
    await asyncio.wait([asking], timeout=5)
    assert asking.done()
    caller = asking.result()
    await asyncio.wait_for(call.gone.wait(), 5)

    assert 503 == caller.status
    assert "slot_lost" == msgspec.json.decode(caller.body)["error"]["code"]
    assert [0, 0] == [row.here for row in limiter.snapshot()]


async def test_stream_ends_with_an_error_when_its_slot_is_lost(
    make_gateway: MakeGateway, zhipu: Zhipu, limiter: Losing
) -> None:
    gateway = make_gateway(upstream_url=zhipu.url)
    gateway.desk.limiter = limiter
    zhipu.script = [lambda call: call.begin(chunk(content="Hi"))]
    caller = Caller(request(stream=True))
    asking = asyncio.get_running_loop().create_task(call_app(gateway.app, caller, authorization=f"Bearer {KEY}"))
    await asyncio.wait_for(caller.got(2), 5)

    limiter.given[0].lose()
    await asyncio.wait([asking], timeout=5)

    assert asking.done()
    assert 200 == caller.status
    assert b'"code":"slot_lost"' in caller.body.rsplit(b"data: ", 1)[1]
