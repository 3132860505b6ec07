"""Streams from GLM: what they hold is given back call by call, and their connections are kept."""

import asyncio

import msgspec
import pytest

from tests.conftest import MakeGateway
from tests.fakes import DONE, Call, Caller, Zhipu, call_app, chunk, error_body, last_chunk

pytestmark = pytest.mark.usefixtures("each_way_out")


def caller(count: int = 1) -> Caller:
    messages = [{"role": "user", "content": "Hello!"}]
    return Caller(msgspec.json.encode({"model": "glm-4.7", "messages": messages, "stream": True, "n": count}))


async def test_slot_returns_when_one_of_several_calls_ends(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """With n > 1, a choice that is told needs no slot while the others are."""
    gateway = make_gateway(upstream_url=zhipu.url)
    asker = caller(2)
    task = asyncio.get_running_loop().create_task(call_app(gateway.app, asker))
    first, second = await zhipu.call(), await zhipu.call()
    second.begin(chunk(content="b"))

    first.stream(chunk(content="a"), last_chunk(), DONE)
    while gateway.slots == 2:  # noqa: ASYNC110 - the limiter tells nobody
        await asyncio.sleep(0.001)
    second.end(last_chunk(), DONE)
    await task

    assert 2 == asker.body.count(b'"finish_reason":"stop"')
    assert 1 == asker.body.count(b"[DONE]")
    assert 0 == gateway.slots


async def test_connection_is_kept_when_its_end_comes_after_the_last_event(
    make_gateway: MakeGateway, zhipu: Zhipu
) -> None:
    """To connect and agree on keys again costs more than to wait for a few bytes."""
    gateway = make_gateway(upstream_url=zhipu.url)

    def end_later(call: Call) -> None:
        call.begin(chunk(content="a"), last_chunk(), DONE)
        asyncio.get_running_loop().call_later(0.01, call.end)

    # Several, since a busy machine may be late once.
    zhipu.script = [end_later] * 5
    for _ in range(5):
        await call_app(gateway.app, caller())

    assert zhipu.accepted < len(zhipu.calls) == 5


async def test_stream_ends_when_the_end_of_its_connection_never_comes(
    make_gateway: MakeGateway, zhipu: Zhipu
) -> None:
    """Whoever has said [DONE] is not waited for much longer."""
    gateway = make_gateway(upstream_url=zhipu.url)
    zhipu.script = [lambda call: call.begin(chunk(content="a"), last_chunk(), DONE)]
    asker = caller()

    await call_app(gateway.app, asker)
    await zhipu.calls[0].gone.wait()

    assert asker.body.endswith(DONE)
    assert ("ok", 0) == (gateway.record.outcome, gateway.slots)


@pytest.mark.parametrize(
    "content_type",
    ["text/event-stream;charset=UTF-8", "application/json", "application/octet-stream", "text/plain"],
)
async def test_events_are_read_whatever_they_are_called(
    make_gateway: MakeGateway, zhipu: Zhipu, content_type: str
) -> None:
    gateway = make_gateway(upstream_url=zhipu.url)
    events = b"\r\n" + chunk(content="a") + last_chunk() + DONE
    zhipu.script = [lambda call: call.answer(events, content_type=content_type)]
    asker = caller()

    await call_app(gateway.app, asker)

    assert b'"content":"a"' in asker.body
    assert ("ok", 200) == (gateway.record.outcome, asker.status)


@pytest.mark.parametrize("content_type", ["text/event-stream", "Application/JSON;charset=UTF-8", "text/plain"])
async def test_error_in_place_of_a_stream_is_read_whatever_it_is_called(
    make_gateway: MakeGateway, zhipu: Zhipu, content_type: str
) -> None:
    """Some errors come inside a success; what they are called is the least of what is wrong with them."""
    gateway = make_gateway(upstream_url=zhipu.url)
    zhipu.script = [lambda call: call.answer(error_body("1301"), content_type=content_type)]
    asker = caller()

    await call_app(gateway.app, asker)

    assert (400, "1301") == (asker.status, gateway.record.glm_code)
