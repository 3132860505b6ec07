"""Streams on their way out: silences are filled, a caller that does not read is given up."""

import asyncio
from typing import Any

import msgspec
import pytest

from gateway.routes import streaming
from gateway.settings.schema import Chat
from gateway.translate.chat.stream import ChatStream
from gateway.translate.sse import COMMENT
from tests.conftest import MakeGateway
from tests.fakes import DONE, Caller, Zhipu, call_app, chunk, last_chunk
from tests.running import Gateway

pytestmark = pytest.mark.usefixtures("each_way_out")

STREAM = msgspec.json.encode(
    {"model": "glm-4.7", "stream": True, "messages": [{"role": "user", "content": "Hello!"}]}
)


async def begin(gateway: Gateway, caller: Caller) -> asyncio.Task[None]:
    return asyncio.get_running_loop().create_task(call_app(gateway.app, caller))


async def test_silence_is_filled_when_it_lasts(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """Comments keep proxies from cutting a stream that thinks, and none follows the end."""
    gateway = make_gateway(upstream_url=zhipu.url, chat=Chat(heartbeat_seconds=0.005))
    caller = Caller(STREAM)
    task = await begin(gateway, caller)
    call = await zhipu.call()
    call.begin(chunk(content="Hi"))

    while caller.body.count(COMMENT) < 3:
        await caller.got(len(caller.messages) + 1)
    call.end(last_chunk(), DONE)
    await task
    await asyncio.sleep(0.02)

    assert caller.body.endswith(DONE)
    assert caller.messages[0]["type"] == "http.response.start"
    assert b"Hi" in caller.messages[1]["body"]
    assert "ok" == gateway.record.outcome


async def test_no_comment_is_sent_when_events_follow_each_other(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """Every event starts the silence anew."""
    gateway = make_gateway(upstream_url=zhipu.url, chat=Chat(heartbeat_seconds=0.25))
    caller = Caller(STREAM)
    task = await begin(gateway, caller)
    call = await zhipu.call()
    call.begin()
    for _ in range(35):
        call.send(chunk(content="Hi"))
        await asyncio.sleep(0.01)
    call.end(last_chunk(), DONE)
    await task

    assert COMMENT not in caller.body


async def test_last_event_ends_the_answer(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """It is written when nothing is held any more, so that who has read it finds its slot free."""
    gateway = make_gateway(upstream_url=zhipu.url)
    caller = Caller(STREAM)
    zhipu.script = [lambda call: call.stream(chunk(content="Hi"), last_chunk(), DONE)]
    held: list[int] = []
    send = caller.send

    async def send_and_look(message: dict[str, Any]) -> None:
        held.append(gateway.slots)
        await send(message)

    caller.send = send_and_look  # type: ignore[method-assign]
    await call_app(gateway.app, caller)

    assert {"type": "http.response.body", "body": DONE, "more_body": False} == caller.messages[-1]
    assert (1, 0) == (held[0], held[-1])


async def test_time_in_which_the_caller_does_not_read_is_not_ours(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    gateway = make_gateway(upstream_url=zhipu.url)
    caller = Caller(STREAM)
    caller.reads.clear()
    zhipu.script = [lambda call: call.stream(chunk(content="Hi"), last_chunk(), DONE)]
    task = await begin(gateway, caller)
    await caller.blocked.wait()

    await asyncio.sleep(0.05)
    caller.reads.set()
    await task

    record = gateway.record
    assert 0.04 < record.write_seconds < record.duration_seconds
    assert record.overhead_seconds <= record.duration_seconds - record.write_seconds


async def test_silence_is_left_alone_when_heartbeats_are_off(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """A heartbeat of 0 seconds is none, and costs nothing."""
    gateway = make_gateway(upstream_url=zhipu.url, chat=Chat(heartbeat_seconds=0))
    caller = Caller(STREAM)
    task = await begin(gateway, caller)
    call = await zhipu.call()
    call.begin(chunk(content="Hi"))
    await caller.got(2)

    await asyncio.sleep(0.02)
    call.end(last_chunk(), DONE)
    await task

    assert COMMENT not in caller.body


async def test_no_comment_is_sent_before_the_answer_has_begun(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """The status is held back until GLM's first event, and nothing can precede it."""
    gateway = make_gateway(upstream_url=zhipu.url, chat=Chat(heartbeat_seconds=0.001))
    caller = Caller(STREAM)
    task = await begin(gateway, caller)
    call = await zhipu.call()
    call.begin()

    await asyncio.sleep(0.02)
    before = list(caller.messages)
    call.end(chunk(content="Hi"), last_chunk(), DONE)
    await task

    assert [] == before
    assert 200 == caller.status


@pytest.mark.parametrize("heartbeat_seconds", [0.01, 0.0], ids=["with heartbeats", "without"])
async def test_caller_is_given_up_when_it_reads_nothing_for_long(
    make_gateway: MakeGateway, zhipu: Zhipu, monkeypatch: pytest.MonkeyPatch, heartbeat_seconds: float
) -> None:
    """A slot is not held for ever for somebody who does not take what is there."""
    monkeypatch.setattr(streaming, "STALL_SECONDS", 0.02)
    gateway = make_gateway(upstream_url=zhipu.url, chat=Chat(heartbeat_seconds=heartbeat_seconds))
    caller = Caller(STREAM)
    task = await begin(gateway, caller)
    call = await zhipu.call()
    caller.reads.clear()
    call.begin(chunk(content="Hi"))

    await task
    await call.gone.wait()

    assert (0, "client_disconnect") == (gateway.slots, gateway.record.outcome)


async def test_caller_is_given_up_when_it_does_not_read_a_comment(
    make_gateway: MakeGateway, zhipu: Zhipu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GLM is silent, so that nothing but comments is written."""
    monkeypatch.setattr(streaming, "STALL_SECONDS", 0.02)
    gateway = make_gateway(upstream_url=zhipu.url, chat=Chat(heartbeat_seconds=0.01))
    caller = Caller(STREAM)
    task = await begin(gateway, caller)
    call = await zhipu.call()
    call.begin(chunk(content="Hi"))
    await caller.got(2)
    caller.reads.clear()

    await task
    await call.gone.wait()

    assert (0, "client_disconnect") == (gateway.slots, gateway.record.outcome)


async def test_answer_is_drained_when_its_caller_reads_nothing_for_long(
    make_gateway: MakeGateway, zhipu: Zhipu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write that waits for the caller does not keep the tokens from being counted."""
    monkeypatch.setattr(streaming, "STALL_SECONDS", 0.02)
    gateway = make_gateway(upstream_url=zhipu.url, chat=Chat(on_disconnect="drain", drain_cap_seconds=30))
    caller = Caller(STREAM)
    task = await begin(gateway, caller)
    call = await zhipu.call()
    caller.reads.clear()
    call.begin(chunk(content="Hi"))
    await caller.blocked.wait()

    call.end(last_chunk(), DONE)
    await task

    assert ("client_disconnect", True, 7) == (
        gateway.record.outcome,
        gateway.record.usage_known,
        gateway.record.output_tokens,
    )
    assert 0 == gateway.slots


async def test_stream_ends_with_an_error_when_we_make_a_mistake(
    make_gateway: MakeGateway, zhipu: Zhipu, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The caller gets a request id, the log the rest."""
    gateway = make_gateway(upstream_url=zhipu.url)
    caller = Caller(STREAM)
    task = await begin(gateway, caller)
    call = await zhipu.call()
    call.begin(chunk(content="Hi"))
    await caller.got(2)

    def fail(*_: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(ChatStream, "feed", fail)
    call.send(chunk(content="there"))
    await task
    await call.gone.wait()

    last = caller.messages[-1]
    assert b'"code":"internal_error"' in last["body"]
    assert gateway.record.request_id.encode() in last["body"]
    assert b"secret" not in caller.body
    assert ("gateway_error", 200) == (gateway.record.outcome, gateway.record.status)
    assert gateway.record.request_id in caplog.text
