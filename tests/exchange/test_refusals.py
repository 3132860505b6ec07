"""Every reason for which a request gets no slot: what its caller is told, and what the record and metrics say."""

import asyncio
import socket
from contextlib import closing

import msgspec
from prometheus_client import CollectorRegistry

from gateway.limits.pace import ENOUGH
from gateway.metrics import Metrics
from gateway.settings import Secret
from gateway.settings.schema import Redis
from tests.conftest import MakeGateway
from tests.fakes import Call, Caller, Zhipu, call_app, completion
from tests.limits.requests import until
from tests.running import Gateway

ONE_SLOT = {"glm-4.7": dict.fromkeys(("V0", "V1", "V2", "V3"), 1)}
REQUEST = msgspec.json.encode({"model": "glm-4.7", "messages": [{"role": "user", "content": "Hello!"}]})


async def ask(gateway: Gateway) -> Caller:
    caller = Caller(REQUEST)
    await call_app(gateway.app, caller)
    return caller


def asking(gateway: Gateway) -> asyncio.Task[Caller]:
    return asyncio.get_running_loop().create_task(ask(gateway))


def whole(call: Call) -> None:
    call.answer(completion("Hello."))


def reason_counted(gateway: Gateway) -> str:
    """Give the only reason for a refusal that metrics have counted, once and for the caller's tier."""
    metrics = Metrics(CollectorRegistry(), models=gateway.desk.terms.catalog.models)
    for record in gateway.records:
        metrics.observe(record)
    (sample,) = (
        sample
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "glm_gateway_concurrency_rejections_total" and sample.value
    )
    assert (1, "V3", "glm-4.7") == (sample.value, sample.labels["tier"], sample.labels["model"])
    return sample.labels["reason"]


def told(caller: Caller) -> tuple[int | None, str, bool]:
    """Give status and code, and whether there is advice when to come back."""
    names = {name for name, _ in caller.messages[0]["headers"]}
    code = msgspec.json.decode(caller.body)["error"]["code"]
    return caller.status, code, {b"retry-after", b"retry-after-ms"} <= names


async def test_wait_that_is_over(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    gateway = make_gateway(upstream_url=zhipu.url, limits=ONE_SLOT, queue_timeout_seconds=0.3)
    first = asking(gateway)
    call = await zhipu.call()

    refused = await ask(gateway)

    whole(call)
    await first
    assert (429, "rate_limit_exceeded", True) == told(refused)
    assert "wait_timeout" == reason_counted(gateway)
    assert (1, 429) == (gateway.records[0].queue_position, gateway.records[0].status)


async def test_line_that_is_full(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    gateway = make_gateway(upstream_url=zhipu.url, limits=ONE_SLOT, queue_size=1)
    under_way = [asking(gateway), asking(gateway)]
    call = await zhipu.call()
    await until(lambda: gateway.waiting == 1)

    refused = await ask(gateway)

    whole(call)
    whole(await zhipu.call())
    await asyncio.gather(*under_way)
    assert (429, "queue_full", True) == told(refused)
    assert "queue_full" == reason_counted(gateway)
    assert (0, 429) == (gateway.records[0].queue_position, gateway.records[0].status)


async def test_wait_that_would_be_in_vain(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """Every request so far has taken longer than this one would wait."""
    gateway = make_gateway(upstream_url=zhipu.url, limits=ONE_SLOT, queue_timeout_seconds=0.01)
    for _ in range(ENOUGH):
        task = asking(gateway)
        call = await zhipu.call()
        await asyncio.sleep(0.015)
        whole(call)
        await task
    gateway.records.clear()
    first = asking(gateway)
    call = await zhipu.call()

    refused = await ask(gateway)

    whole(call)
    await first
    assert (429, "wait_too_long", True) == told(refused)
    assert "wait_too_long" == reason_counted(gateway)
    assert (1, 429) == (gateway.records[0].queue_position, gateway.records[0].status)


async def test_books_that_are_out_of_reach(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{unused.getsockname()[1]}/0"
        gateway = make_gateway(upstream_url=zhipu.url, redis=Redis(url=Secret(url), on_outage="refuse"))

        refused = await ask(gateway)

        await gateway.desk.limiter.aclose()
    assert (503, "slots_unavailable", True) == told(refused)
    assert "store_unavailable" == reason_counted(gateway)
    assert [] == zhipu.calls
