"""However an exchange ends, what it held is given back, once, and one record says how it ended."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from gateway.record import Record
from gateway.settings.schema import Chat
from tests.conftest import MakeGateway, StartGateway
from tests.fakes import DONE, Caller, Zhipu, call_app, chunk, completion, last_chunk
from tests.running import Gateway

pytestmark = pytest.mark.usefixtures("each_way_out")

MESSAGES = [{"role": "user", "content": "Hello!"}]
ONE = dict.fromkeys(("V0", "V1", "V2", "V3"), 1)
DRAIN = Chat(on_disconnect="drain", drain_cap_seconds=30)


def request(**fields: Any) -> dict[str, Any]:
    return {"model": "glm-4.7", "messages": MESSAGES} | fields


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop go on until something is true; the test's own time limit ends what never is."""
    while not condition():  # noqa: ASYNC110 - what is waited for is inside the gateway, and tells nobody
        await asyncio.sleep(0.001)


class Visitor:
    """A client on a real socket that can hang up at any time."""

    def __init__(self, gateway: Gateway, client: httpx.AsyncClient, **fields: Any) -> None:
        self.received = b""
        self.status: int | None = None
        self._gateway = gateway
        self._client = client
        self._task = asyncio.get_running_loop().create_task(self._visit(request(**fields)))

    async def _visit(self, body: dict[str, Any]) -> None:
        url = f"{self._gateway.url}/chat/completions"
        async with self._client.stream("POST", url, json=body) as answer:
            self.status = answer.status_code
            async for data in answer.aiter_raw():
                self.received += data

    async def got(self, part: bytes) -> None:
        await until(lambda: part in self.received)

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def stay(self) -> None:
        await self._task


def facts(record: Record) -> tuple[Any, ...]:
    return record.status, record.outcome, record.phase


def check_times(record: Record) -> None:
    """Parts of the duration are not negative, and do not exceed the whole."""
    parts = (record.read_seconds, record.queued_seconds, record.upstream_seconds, record.write_seconds)
    assert min(*parts, record.max_gap_seconds, record.overhead_seconds) >= 0
    assert sum(parts) <= record.duration_seconds + 1e-6
    assert record.response_start_seconds is None or record.response_start_seconds >= 0
    assert record.first_token_at is None or record.received_at <= record.first_token_at <= record.ended_at


async def settled(gateway: Gateway) -> Record:
    """Wait for the only record; nothing is held any more by then."""
    await until(lambda: bool(gateway.records))
    assert (0, 0) == (gateway.slots, gateway.waiting)
    check_times(gateway.record)
    return gateway.record


# Streams, on real sockets: the five endings.


async def test_stream_is_recorded_when_it_ends_normally(
    gateway: Gateway, zhipu: Zhipu, client: httpx.AsyncClient
) -> None:
    """A whole stream is one record, with every token that GLM counted."""
    zhipu.script = [lambda call: call.stream(chunk(content="Hi"), last_chunk(), DONE)]

    visitor = Visitor(gateway, client, stream=True)
    await visitor.stay()

    record = await settled(gateway)
    assert (200, "ok", "streaming") == facts(record)
    assert (15, 7, 4, 3, True) == (
        record.input_tokens,
        record.output_tokens,
        record.cached_tokens,
        record.reasoning_tokens,
        record.usage_known,
    )
    assert ("team", "V3", "glm-4.7", "main", "chat", True) == (
        record.tenant,
        record.tier,
        record.model,
        record.account,
        record.operation,
        record.stream,
    )
    assert record.first_token_at is not None
    assert visitor.received.endswith(b"data: [DONE]\n\n")


async def test_slot_returns_when_glm_fails_inside_a_stream(
    gateway: Gateway, zhipu: Zhipu, client: httpx.AsyncClient
) -> None:
    """A cut connection to GLM becomes an error event behind the tokens that came before it."""
    visitor = Visitor(gateway, client, stream=True)
    call = await zhipu.call()
    call.begin(chunk(content="Hi"))
    await visitor.got(b"Hi")

    call.cut()
    await visitor.stay()

    record = await settled(gateway)
    assert (200, "upstream_error", "streaming") == facts(record)
    assert ["disconnect"] == [fault.kind for fault in record.faults]
    assert b'"code":"upstream_unavailable"' in visitor.received.split(b"data: ")[-1]
    assert not record.usage_known


async def test_error_event_follows_when_a_stream_ends_without_done(
    gateway: Gateway, zhipu: Zhipu, client: httpx.AsyncClient
) -> None:
    """A stream that just stops was not whole, and the caller is told."""
    zhipu.script = [lambda call: call.stream(chunk(content="Hi"))]

    visitor = Visitor(gateway, client, stream=True)
    await visitor.stay()

    assert (200, "upstream_error", "streaming") == facts(await settled(gateway))
    assert b'"code":"upstream_protocol_error"' in visitor.received.split(b"data: ")[-1]
    assert b"[DONE]" not in visitor.received


async def test_glm_is_cut_off_when_the_caller_leaves_a_stream(
    gateway: Gateway, zhipu: Zhipu, client: httpx.AsyncClient
) -> None:
    """Somebody presses stop while we wait for GLM's next token."""
    visitor = Visitor(gateway, client, stream=True)
    call = await zhipu.call()
    call.begin(chunk(content="Hi"))
    await visitor.got(b"Hi")

    await visitor.leave()
    await call.gone.wait()

    assert (200, "client_disconnect", "streaming") == facts(await settled(gateway))


async def test_glm_is_cut_off_when_a_caller_that_does_not_read_leaves(gateway: Gateway, zhipu: Zhipu) -> None:
    """A caller whose buffers are full is noticed when it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.origin.rpartition(":")[2]))
    del reader
    body = msgspec.json.encode(request(stream=True))
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer sk-test-0123456789abcdef\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    transport = writer.transport
    writer.write(head.encode() + body)
    transport.pause_reading()  # type: ignore[attr-defined]
    call = await zhipu.call()
    call.begin()
    # Until nothing more fits in between, and Zhipu itself is held back.
    while call.backlog_bytes < 4 * 1024 * 1024:
        call.send(chunk(content="x" * 65536))
        await asyncio.sleep(0)

    transport.abort()
    await call.gone.wait()

    assert (200, "client_disconnect", "streaming") == facts(await settled(gateway))


# The same as an application sees it: what cannot be brought about on a socket at will.


Scripted = Callable[..., tuple[Gateway, asyncio.Task[None]]]


@pytest.fixture
def scripted(make_gateway: MakeGateway, zhipu: Zhipu) -> Scripted:
    """Start a scripted caller's request; gives the gateway and the task that serves it."""

    def begin(caller: Caller, **fields: Any) -> tuple[Gateway, asyncio.Task[None]]:
        gateway = make_gateway(upstream_url=zhipu.url, **fields)
        return gateway, asyncio.get_running_loop().create_task(call_app(gateway.app, caller))

    return begin


STREAM = msgspec.json.encode(request(stream=True))
WHOLE = msgspec.json.encode(request())


async def test_slot_returns_when_a_blocked_write_is_left(scripted: Scripted, zhipu: Zhipu) -> None:
    """The caller's window is full, our write waits, and then it hangs up."""
    caller = Caller(STREAM)
    gateway, task = scripted(caller)
    call = await zhipu.call()
    caller.reads.clear()
    call.begin(chunk(content="Hi"))
    await caller.blocked.wait()

    caller.leave()
    await task
    await call.gone.wait()

    assert (200, "client_disconnect", "streaming") == facts(await settled(gateway))


@pytest.mark.parametrize("sent", [0, 1, 2], ids=["at the head", "at the first event", "at the second event"])
async def test_slot_returns_when_send_raises(
    scripted: Scripted, zhipu: Zhipu, caplog: pytest.LogCaptureFixture, sent: int
) -> None:
    """Servers may tell a broken connection by an OSError from ``send``, which is no mistake of ours."""
    caller = Caller(STREAM, breaks_after=sent)
    gateway, task = scripted(caller)
    call = await zhipu.call()
    call.begin(chunk(content="Hi"))
    await until(lambda: len(caller.messages) == sent)
    call.send(chunk(content="there"))

    await task
    await call.gone.wait()

    assert (200, "client_disconnect", "streaming") == facts(await settled(gateway))
    assert [] == caplog.records


@pytest.mark.parametrize("sent", [0, 1], ids=["at the head", "at the body"])
async def test_whole_answer_is_recorded_when_send_raises(scripted: Scripted, zhipu: Zhipu, sent: int) -> None:
    zhipu.script = [lambda call: call.answer(completion())]
    gateway, task = scripted(Caller(WHOLE, breaks_after=sent))

    await task

    assert (200, "client_disconnect", "before_first_byte") == facts(await settled(gateway))


async def test_slot_returns_when_the_server_cancels_a_stream(scripted: Scripted, zhipu: Zhipu) -> None:
    """At the end of a drain the server cancels: the caller is told, and the record does not say ok."""
    caller = Caller(STREAM)
    gateway, task = scripted(caller)
    call = await zhipu.call()
    call.begin(chunk(content="Hi"))
    await caller.got(2)

    task.cancel()
    await asyncio.wait([task])
    await call.gone.wait()

    record = await settled(gateway)
    assert (200, "gateway_error", "streaming", "shutting_down") == (*facts(record), record.error_code)
    assert b'"code":"shutting_down"' in caller.messages[-1]["body"]
    assert not caller.messages[-1]["more_body"]


async def test_slot_returns_when_the_server_cancels_before_the_first_byte(
    scripted: Scripted, zhipu: Zhipu
) -> None:
    gateway, task = scripted(Caller(WHOLE))
    call = await zhipu.call()

    task.cancel()
    await asyncio.wait([task])
    await call.gone.wait()

    record = await settled(gateway)
    assert (503, "gateway_error", "before_first_byte", "shutting_down") == (*facts(record), record.error_code)


# Before the first byte.


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("count", [1, 3], ids=["one choice", "three choices"])
async def test_every_call_is_cut_when_the_caller_leaves_before_the_first_byte(
    gateway: Gateway, zhipu: Zhipu, client: httpx.AsyncClient, *, stream: bool, count: int
) -> None:
    """Nobody waits for an answer any more, so none is worked on."""
    visitor = Visitor(gateway, client, stream=stream, n=count)
    calls = [await zhipu.call() for _ in range(count)]
    held = gateway.slots

    await visitor.leave()
    for call in calls:
        await call.gone.wait()

    assert (499, "client_disconnect", "before_first_byte") == facts(await settled(gateway))
    assert count == held


async def test_whole_answer_is_cut_when_the_caller_leaves_inside_it(
    gateway: Gateway, zhipu: Zhipu, client: httpx.AsyncClient
) -> None:
    visitor = Visitor(gateway, client)
    call = await zhipu.call()
    call._write(call._head(200, "application/json", "content-length: 1000") + b"{")

    await visitor.leave()
    await call.gone.wait()

    assert (499, "client_disconnect", "before_first_byte") == facts(await settled(gateway))


@pytest.mark.parametrize("ending", ["leaves", "fails"])
async def test_every_call_is_cut_when_one_of_several_streams_ends_early(
    gateway: Gateway, zhipu: Zhipu, client: httpx.AsyncClient, ending: str
) -> None:
    """With n > 1, no stream outlives the answer that it belongs to."""
    visitor = Visitor(gateway, client, stream=True, n=3)
    calls = [await zhipu.call() for _ in range(3)]
    for call in calls:
        call.begin(chunk(content="Hi"))
    await until(lambda: visitor.received.count(b"Hi") == 3)

    if ending == "leaves":
        await visitor.leave()
    else:
        calls.pop().cut()
        await visitor.stay()
    for call in calls:
        await call.gone.wait()

    outcome = "client_disconnect" if ending == "leaves" else "upstream_error"
    assert (200, outcome, "streaming") == facts(await settled(gateway))


@pytest.mark.parametrize("chat", [Chat(), DRAIN], ids=["cancel", "drain"])
async def test_line_is_left_when_the_caller_leaves_it(
    start_gateway: StartGateway, zhipu: Zhipu, client: httpx.AsyncClient, chat: Chat
) -> None:
    """Who leaves while waiting for a slot is out of the line at once: there is nothing to drain."""
    gateway = await start_gateway(upstream_url=zhipu.url, limits={"glm-4.7": ONE}, chat=chat)
    first = Visitor(gateway, client)
    call = await zhipu.call()
    second = Visitor(gateway, client)
    await until(lambda: gateway.waiting == 1)

    await second.leave()
    await until(lambda: bool(gateway.records))

    assert (499, "client_disconnect", "queued") == facts(gateway.record)
    assert (1, 0) == (gateway.slots, gateway.waiting)
    check_times(gateway.record)
    call.answer(completion())
    await first.stay()
    assert 1 == len(zhipu.calls)


@pytest.mark.parametrize("chat", [Chat(), DRAIN], ids=["cancel", "drain"])
async def test_nothing_is_tried_again_when_the_caller_leaves_between_tries(
    start_gateway: StartGateway, zhipu: Zhipu, client: httpx.AsyncClient, chat: Chat
) -> None:
    gateway = await start_gateway(upstream_url=zhipu.url, chat=chat)
    zhipu.script = [lambda call: call.refuse("1305", status=429)]
    visitor = Visitor(gateway, client)
    await until(lambda: bool(zhipu.calls) and gateway.slots == 0)

    await visitor.leave()
    record = await settled(gateway)

    assert (499, "client_disconnect", "queued") == facts(record)
    assert (1, 1) == (len(zhipu.calls), len(record.faults))


async def test_no_error_is_logged_when_the_caller_leaves_inside_its_body(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    """Half a body and a closed connection are everyday events, not mistakes of ours."""
    _, writer = await asyncio.open_connection("127.0.0.1", int(gateway.origin.rpartition(":")[2]))
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer sk-test-0123456789abcdef\r\n"
        b"content-type: application/json\r\ncontent-length: 100\r\n\r\n{"
    )
    await writer.drain()

    writer.close()
    await writer.wait_closed()

    assert (499, "client_disconnect", "receiving") == facts(await settled(gateway))
    assert [] == caplog.records


# Draining for the sake of the count.


async def test_usage_is_counted_once_when_a_left_stream_is_drained(scripted: Scripted, zhipu: Zhipu) -> None:
    """What GLM goes on to say is read for its token counts, and for nothing else."""
    caller = Caller(STREAM)
    gateway, task = scripted(caller, chat=DRAIN)
    call = await zhipu.call()
    call.begin(chunk(content="Hi"))
    await caller.got(2)

    caller.leave()
    await caller.missed.wait()
    call.end(chunk(content="there"), last_chunk(), DONE)
    await task

    record = await settled(gateway)
    assert (200, "client_disconnect", "streaming") == facts(record)
    assert (True, 15, 7) == (record.usage_known, record.input_tokens, record.output_tokens)
    assert b"there" not in caller.body


async def test_failure_while_draining_does_not_hide_that_the_caller_left(scripted: Scripted, zhipu: Zhipu) -> None:
    caller = Caller(STREAM)
    gateway, task = scripted(caller, chat=DRAIN)
    call = await zhipu.call()
    call.begin(chunk(content="Hi"))
    await caller.got(2)

    caller.leave()
    await caller.missed.wait()
    call.cut()
    await task

    assert (200, "client_disconnect", "streaming") == facts(await settled(gateway))
    assert ["disconnect"] == [fault.kind for fault in gateway.record.faults]


async def test_usage_is_counted_when_a_left_whole_answer_is_drained(scripted: Scripted, zhipu: Zhipu) -> None:
    caller = Caller(WHOLE)
    gateway, task = scripted(caller, chat=DRAIN)
    call = await zhipu.call()

    caller.leave()
    await caller.missed.wait()
    call.answer(completion())
    await task

    record = await settled(gateway)
    assert (499, "client_disconnect", "before_first_byte") == facts(record)
    assert (True, 7) == (record.usage_known, record.output_tokens)
    assert [] == caller.messages


async def test_drain_ends_when_its_cap_is_reached(
    start_gateway: StartGateway, zhipu: Zhipu, client: httpx.AsyncClient
) -> None:
    """GLM is given some time for a caller that left, and no more."""
    gateway = await start_gateway(upstream_url=zhipu.url, chat=Chat(on_disconnect="drain", drain_cap_seconds=0.01))
    visitor = Visitor(gateway, client, stream=True)
    call = await zhipu.call()
    call.begin(chunk(content="Hi"))
    await visitor.got(b"Hi")

    await visitor.leave()
    await call.gone.wait()

    record = await settled(gateway)
    assert (200, "client_disconnect", "streaming") == facts(record)
    assert not record.usage_known


async def test_nothing_is_tried_again_when_a_drained_call_fails(scripted: Scripted, zhipu: Zhipu) -> None:
    """What would be tried again for a caller that waits is not for one that left, and the record says it left."""
    caller = Caller(WHOLE)
    gateway, task = scripted(caller, chat=DRAIN)
    call = await zhipu.call()

    caller.leave()
    await caller.missed.wait()
    call.refuse("1305", status=429)
    await task

    record = await settled(gateway)
    assert (499, "client_disconnect", "before_first_byte") == facts(record)
    assert (1, 0) == (len(record.faults), record.retries)
    assert [] == caller.messages


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
async def test_calls_under_way_are_drained_when_another_still_stands_in_line(
    scripted: Scripted, zhipu: Zhipu, *, stream: bool
) -> None:
    """Of several choices, what GLM works on is counted, and what it does not is never begun."""
    caller = Caller(msgspec.json.encode(request(stream=stream, n=2)))
    gateway, task = scripted(caller, chat=DRAIN, limits={"glm-4.7": dict.fromkeys(ONE, 2)})
    occupying = asyncio.get_running_loop().create_task(call_app(gateway.app, Caller(WHOLE)))
    calls = await zhipu.call(), await zhipu.call()
    await until(lambda: gateway.waiting == 1)

    caller.leave()
    await caller.missed.wait()
    await until(lambda: gateway.waiting == 0)
    for call in calls:
        call.answer(completion())
    await asyncio.wait([task, occupying])

    left = next(record for record in gateway.records if record.outcome == "client_disconnect")
    assert (True, 7) == (left.usage_known, left.output_tokens)
    assert 2 == len(zhipu.calls)
    assert (0, 0) == (gateway.slots, gateway.waiting)
