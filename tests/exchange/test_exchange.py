"""One exchange: who may ask for what, what the head of its answer says, and what its record holds."""

import asyncio
import gc
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.auth import Tenant, digest
from gateway.exchange import Exchange
from gateway.record import Record
from gateway.routes.watch import FIRST_LOOK_SECONDS
from gateway.settings.schema import Chat
from tests.conftest import MakeGateway
from tests.fakes import DONE, KEY, Call, Caller, Zhipu, call_app, chunk, completion, last_chunk
from tests.running import SETTINGS, Gateway

OTHER_KEY = "sk-other-0123456789abcdef"
MESSAGES = [{"role": "user", "content": "Hello!"}]
ONE = dict.fromkeys(("V0", "V1", "V2", "V3"), 1)


def tenants(**second: Any) -> tuple[Tenant, ...]:
    """Give two tenants; the fields are of the second."""
    other = {"name": "other", "key_sha256": (digest(OTHER_KEY),), "tier": "V1"} | second
    return (*SETTINGS.tenants, Tenant(**other))


async def ask(gateway: Gateway, *, key: str = KEY, **fields: Any) -> Caller:
    request = {"model": "glm-4.7", "messages": MESSAGES} | fields
    caller = Caller(msgspec.json.encode(request))
    await call_app(gateway.app, caller, authorization=f"Bearer {key}")
    return caller


def head(caller: Caller) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in caller.messages[0]["headers"]}


def error(caller: Caller) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.json.decode(caller.body)["error"]
    return told


def whole(call: Call) -> None:
    call.answer(completion())


async def test_head_tells_limits_and_time_when_an_answer_is_whole(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    gateway = make_gateway(upstream_url=zhipu.url)
    zhipu.script = [whole]

    headers = head(await ask(gateway, logit_bias={"1": 2}, seed=1, stream_options={"odd": 1}))

    limit = headers["x-ratelimit-limit-requests"]
    assert limit == headers["x-ratelimit-remaining-requests"]
    assert int(headers["openai-processing-ms"]) >= 0
    assert {"logit_bias", "stream_options.odd"} <= {*headers["x-gateway-ignored"].split(", ")}
    assert headers["x-request-id"].startswith("req_")


async def test_head_counts_the_slot_in_use_when_an_answer_streams(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    gateway = make_gateway(upstream_url=zhipu.url)
    zhipu.script = [lambda call: call.stream(chunk(content="Hi"), last_chunk(), DONE)]

    headers = head(await ask(gateway, stream=True))

    assert int(headers["x-ratelimit-limit-requests"]) - 1 == int(headers["x-ratelimit-remaining-requests"])
    assert "text/event-stream; charset=utf-8" == headers["content-type"]


def streamed_slowly(call: Call) -> None:
    """Stream for longer than it takes until the caller is watched."""
    call.begin(chunk(content="Hi"))
    asyncio.get_running_loop().call_later(2 * FIRST_LOOK_SECONDS, call.end, last_chunk(), DONE)


@pytest.mark.parametrize(("stream", "answer"), [(False, whole), (True, streamed_slowly)], ids=["whole", "stream"])
async def test_nothing_of_an_exchange_is_left_to_the_garbage_collector(
    make_gateway: MakeGateway, zhipu: Zhipu, *, stream: bool, answer: Callable[[Call], None]
) -> None:
    """What knows itself by way of others would stay in memory until everything was looked through."""
    gateway = make_gateway(upstream_url=zhipu.url)
    zhipu.script = [answer, answer]
    await ask(gateway, stream=stream)  # Some things are made once.

    gc.collect()
    gc.disable()
    try:
        await ask(gateway, stream=stream)
        left = [found for found in gc.get_objects() if isinstance(found, Exchange)]
    finally:
        gc.enable()

    assert [] == left


async def test_stream_is_counted_while_it_is_under_way(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """And no longer, whether it ends well or fails before its first event."""
    gateway = make_gateway(upstream_url=zhipu.url)
    seen: list[int] = []

    def count() -> None:
        seen.append(gateway.desk.streams["chat", "glm-4.7"])

    def stream(call: Call) -> None:
        count()
        call.stream(chunk(content="Hi"), last_chunk(), DONE)

    def fail(call: Call) -> None:
        count()
        call.answer(b'{"error":{"code":"1210","message":"no"}}', status=400)

    zhipu.script = [stream, fail]
    for _ in range(2):
        await ask(gateway, stream=True)
        count()

    assert [1, 0, 1, 0] == seen


async def test_refusal_tells_limits_when_no_slot_becomes_free(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """Our own 429 says when to come back, and that it is worth it."""
    gateway = make_gateway(upstream_url=zhipu.url, limits={"glm-4.7": ONE}, queue_timeout_seconds=0.01)
    first = asyncio.get_running_loop().create_task(ask(gateway))
    call = await zhipu.call()

    refused = await ask(gateway)

    headers = head(refused)
    assert (429, "rate_limit_exceeded") == (refused.status, error(refused)["code"])
    assert ("1", "0") == (headers["x-ratelimit-limit-requests"], headers["x-ratelimit-remaining-requests"])
    assert ("1", "1000", "true") == (headers["retry-after"], headers["retry-after-ms"], headers["x-should-retry"])
    record = gateway.record
    assert (429, "rejected", "queued") == (record.status, record.outcome, record.phase)
    assert 0 < record.queued_seconds <= record.duration_seconds
    assert [] == record.faults
    whole(call)
    await first


async def test_tenant_without_patience_does_not_wait(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """A patience of 0 is one, not the absence of one."""
    gateway = make_gateway(
        upstream_url=zhipu.url, limits={"glm-4.7": ONE}, tenants=tenants(queue_timeout_seconds=0)
    )
    first = asyncio.get_running_loop().create_task(ask(gateway, key=OTHER_KEY))
    call = await zhipu.call()

    refused = await ask(gateway, key=OTHER_KEY)

    assert 429 == refused.status
    whole(call)
    await first


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("glm-4.7", 404, "model_not_found"),
        ("no-such-model", 404, "model_not_found"),
        ("GLM-4.5-AIR", 200, None),
    ],
    ids=["not for this tenant", "unknown", "allowed, in capitals"],
)
async def test_model_is_found_when_the_tenant_may_use_it(
    make_gateway: MakeGateway, zhipu: Zhipu, model: str, status: int, code: str | None
) -> None:
    """A model that is not in a tenant's list does not exist for it."""
    gateway = make_gateway(upstream_url=zhipu.url, tenants=tenants(models=("glm-4.5-air",)))
    zhipu.script = [whole]

    caller = await ask(gateway, key=OTHER_KEY, model=model)

    assert status == caller.status
    assert code is None or (code, "model") == (error(caller)["code"], error(caller)["param"])


async def test_model_is_refused_when_it_does_something_else(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    gateway = make_gateway(upstream_url=zhipu.url)

    caller = await ask(gateway, model="embedding-3")

    assert (400, "unsupported_model") == (caller.status, error(caller)["code"])
    assert "embedding-3" == gateway.record.model


async def test_alias_is_served_by_its_model(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    gateway = make_gateway(upstream_url=zhipu.url, aliases={"gpt-4o": "glm-4.5"})
    zhipu.script = [whole]

    caller = await ask(gateway, model="gpt-4o")

    assert ("glm-4.5", "glm-4.5") == (zhipu.calls[0].body["model"], msgspec.json.decode(caller.body)["model"])


async def test_record_stays_right_when_several_calls_overlap(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """With n > 1 calls wait at the same time; what is ours is what none of them waited for."""
    gateway = make_gateway(upstream_url=zhipu.url)
    task = asyncio.get_running_loop().create_task(ask(gateway, n=3))
    for call in [await zhipu.call() for _ in range(3)]:
        await asyncio.sleep(0.03)
        whole(call)

    await task

    record = gateway.record
    assert 0.09 <= record.upstream_seconds <= record.duration_seconds
    assert 0 <= record.overhead_seconds <= record.duration_seconds - record.upstream_seconds
    assert (45, 21, 12, 9) == (
        record.input_tokens,
        record.output_tokens,
        record.cached_tokens,
        record.reasoning_tokens,
    )


async def test_time_in_which_the_caller_sends_is_not_ours(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    gateway = make_gateway(upstream_url=zhipu.url)
    caller = Caller(msgspec.json.encode({"model": "glm-4.7", "messages": MESSAGES}))
    zhipu.script = [whole]
    receive = caller.receive

    async def receive_slowly() -> dict[str, Any]:
        await asyncio.sleep(0.05)
        return await receive()

    caller.receive = receive_slowly  # type: ignore[method-assign]
    await call_app(gateway.app, caller)

    record = gateway.record
    assert 0.04 < record.read_seconds < record.duration_seconds
    assert record.overhead_seconds <= record.duration_seconds - record.read_seconds


async def test_longest_silence_is_measured_between_events(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """The wait for the first event is not a silence inside the stream."""
    gateway = make_gateway(upstream_url=zhipu.url)
    task = asyncio.get_running_loop().create_task(ask(gateway, stream=True))
    call = await zhipu.call()
    call.begin()
    await asyncio.sleep(0.06)
    began = time.monotonic()
    call.send(chunk(content="a"))
    await asyncio.sleep(0.02)
    call.end(chunk(content="b"), last_chunk(), DONE)

    await task

    record = gateway.record
    assert record.first_token_at is not None
    assert 0.015 < record.max_gap_seconds <= time.monotonic() - began
    assert 0.05 < record.first_token_at - record.received_at


TOOL_CALL = {"id": "call_1", "type": "function", "index": 0, "function": {"name": "f", "arguments": "{}"}}
TOOL_TURN = [
    *MESSAGES,
    {"role": "assistant", "tool_calls": [{k: v for k, v in TOOL_CALL.items() if k != "index"}]},
    {"role": "tool", "tool_call_id": "call_1", "content": "1"},
]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_reasoning_is_recalled_for_the_same_tenant_only(
    make_gateway: MakeGateway, zhipu: Zhipu, *, stream: bool
) -> None:
    """GLM gets back what it thought, and never what it thought for somebody else, though call ids may be equal."""
    gateway = make_gateway(upstream_url=zhipu.url, tenants=tenants(tier="V3"))
    if stream:
        zhipu.script = [
            lambda call: call.stream(
                chunk(reasoning_content="secret"),
                chunk(tool_calls=[TOOL_CALL]),
                last_chunk("tool_calls"),
                DONE,
            )
        ]
    else:
        thought = completion("", finish_reason="tool_calls", reasoning_content="secret", tool_calls=[TOOL_CALL])
        zhipu.script = [lambda call: call.answer(thought)]
    zhipu.script += [whole, whole]
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]

    await ask(gateway, tools=tools, stream=stream)
    await ask(gateway, tools=tools, messages=TOOL_TURN)
    await ask(gateway, tools=tools, messages=TOOL_TURN, key=OTHER_KEY)

    told = [call.body["messages"][1].get("reasoning_content") for call in zhipu.calls[1:]]
    assert ["secret", None] == told


async def test_nothing_is_recalled_when_the_memory_is_off(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    gateway = make_gateway(upstream_url=zhipu.url, chat=Chat(reasoning_memory_seconds=0))
    thought = completion("", finish_reason="tool_calls", reasoning_content="secret", tool_calls=[TOOL_CALL])
    zhipu.script = [lambda call: call.answer(thought), whole]

    await ask(gateway)
    await ask(gateway, messages=TOOL_TURN)

    assert "reasoning_content" not in zhipu.calls[1].body["messages"][1]


def facts(record: Record) -> tuple[Any, ...]:
    return record.operation, record.status, record.outcome, record.error_code, record.tenant


@pytest.mark.parametrize(
    ("path", "headers", "body", "expected"),
    [
        ("/v1/chat/completions", {"authorization": ""}, b"{}", ("chat", 401, "missing_api_key", "")),
        ("/v1/chat/completions", {"authorization": "Bearer x"}, b"{}", ("chat", 401, "invalid_api_key", "")),
        ("/v1/nowhere", {}, b"{}", ("none", 404, "unknown_url", "")),
        ("/livez", {}, b"{}", ("none", 405, "method_not_allowed", "")),
        ("/v1/models", {}, b"{}", ("none", 405, "method_not_allowed", "")),
        (
            "/v1/chat/completions",
            {"content-type": "text/plain"},
            b"{}",
            ("chat", 415, "unsupported_media_type", "team"),
        ),
        (
            "/v1/chat/completions",
            {"content-length": "999999999"},
            b"{}",
            ("chat", 413, "request_too_large", "team"),
        ),
        ("/v1/chat/completions", {}, b"{", ("chat", 400, "invalid_request_error", "team")),
        ("/v1/chat/completions", {}, b"{}", ("chat", 400, "missing_required_parameter", "team")),
    ],
    ids=[
        "no key",
        "wrong key",
        "no route",
        "no method",
        "no method either",
        "type",
        "length",
        "no JSON",
        "fields",
    ],
)
async def test_refused_request_is_one_record_with_few_labels(
    make_gateway: MakeGateway, path: str, headers: dict[str, str], body: bytes, expected: tuple[Any, ...]
) -> None:
    """Whatever strangers send, labels are those of the routes, or "none"."""
    gateway = make_gateway()
    caller = Caller(body)

    await call_app(gateway.app, caller, path, **headers)

    operation, status, code, tenant = expected
    assert (operation, status, "client_error", code, tenant) == facts(gateway.record)
    assert ("", False, "receiving", [], None) == (
        gateway.record.model,
        gateway.record.usage_known,
        gateway.record.phase,
        gateway.record.faults,
        gateway.record.first_token_at,
    )
