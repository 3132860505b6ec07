"""The way to GLM: what is tried again, how often, and what never is."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.errors import (
    GatewayError,
    InvalidOutput,
    UpstreamFailed,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamUnavailable,
    UpstreamUnreachable,
)
from gateway.exchange.dispatcher import fault_of
from gateway.settings.schema import Upstream
from gateway.translate.errors import from_glm
from tests.conftest import MakeGateway
from tests.fakes import DONE, Call, Caller, Zhipu, call_app, chunk, completion, error_body, event, last_chunk
from tests.running import Gateway

Reply = Callable[[Call], None]

MESSAGES = [{"role": "user", "content": "Hello!"}]


def refusal(code: str, status: int) -> Reply:
    return lambda call: call.refuse(code, status=status)


def page(status: int) -> Reply:
    return lambda call: call.answer(b"<html>nginx</html>", status=status, content_type="text/html")


def success_with_error(code: str) -> Reply:
    return lambda call: call.answer(error_body(code))


def stream_with_error(code: str) -> Reply:
    return lambda call: call.stream(event(error_body(code)))


def whole(call: Call) -> None:
    call.answer(completion("Hello."))


def streamed(call: Call) -> None:
    call.stream(chunk(content="Hello."), last_chunk(), DONE)


async def ask(gateway: Gateway, **fields: Any) -> Caller:
    request = {"model": "glm-4.7", "messages": MESSAGES} | fields
    caller = Caller(msgspec.json.encode(request))
    await call_app(gateway.app, caller)
    assert (0, 0) == (gateway.slots, gateway.waiting)
    return caller


RETRIED = [
    pytest.param(refusal("500", 500), id="500 internal error"),
    pytest.param(refusal("1234", 500), id="1234 network error"),
    pytest.param(refusal("1302", 429), id="1302 too many in flight"),
    pytest.param(refusal("1305", 429), id="1305 overloaded"),
    pytest.param(page(502), id="a proxy's page"),
    pytest.param(success_with_error("1305"), id="1305 inside a success"),
]


@pytest.mark.parametrize("failure", RETRIED)
@pytest.mark.parametrize(("stream", "success"), [(False, whole), (True, streamed)], ids=["whole", "streamed"])
async def test_call_is_repeated_when_it_may_succeed_soon(
    make_gateway: MakeGateway, zhipu: Zhipu, failure: Reply, success: Reply, *, stream: bool
) -> None:
    """The caller sees nothing of a failure that passes; the record does."""
    gateway = make_gateway(upstream_url=zhipu.url)
    zhipu.script = [failure, success]

    caller = await ask(gateway, stream=stream)

    assert 200 == caller.status
    assert b"Hello." in caller.body
    record = gateway.record
    assert ("ok", 1, 1) == (record.outcome, record.retries, len(record.faults))
    assert record.overhead_seconds < record.upstream_seconds


async def test_call_is_repeated_when_a_stream_begins_with_a_passing_error(
    make_gateway: MakeGateway, zhipu: Zhipu
) -> None:
    gateway = make_gateway(upstream_url=zhipu.url)
    zhipu.script = [stream_with_error("1305"), streamed]

    caller = await ask(gateway, stream=True)

    assert (200, 2) == (caller.status, len(zhipu.calls))
    assert caller.body.endswith(DONE)


FINAL = [
    pytest.param(refusal("1210", 400), 400, "client_error", id="1210 wrong parameters"),
    pytest.param(refusal("1301", 400), 400, "client_error", id="1301 moderation"),
    pytest.param(refusal("1113", 429), 429, "upstream_error", id="1113 no balance"),
    pytest.param(refusal("1000", 401), 502, "upstream_error", id="1000 our key"),
    pytest.param(page(504), 502, "upstream_error", id="a proxy's timeout"),
    pytest.param(success_with_error("1301"), 400, "client_error", id="1301 inside a success"),
    pytest.param(lambda call: call.answer(b""), 502, "upstream_error", id="nothing"),
    pytest.param(lambda call: call.answer(b"\xff{"), 502, "upstream_error", id="garbage"),
    pytest.param(lambda call: call.cut(), 502, "upstream_error", id="a cut connection"),
]


@pytest.mark.parametrize(("failure", "status", "outcome"), FINAL)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_call_is_not_repeated_when_that_would_not_help_or_cost_twice(
    make_gateway: MakeGateway, zhipu: Zhipu, failure: Reply, status: int, outcome: str, *, stream: bool
) -> None:
    """What failed before the first byte is an HTTP error, for a stream too."""
    gateway = make_gateway(upstream_url=zhipu.url)
    zhipu.script = [failure]

    caller = await ask(gateway, stream=stream)

    assert (status, 1) == (caller.status, len(zhipu.calls))
    record = gateway.record
    assert (status, outcome, 0, 1) == (record.status, record.outcome, record.retries, len(record.faults))
    assert record.first_token_at is None
    assert {"message", "type", "param", "code"} == msgspec.json.decode(caller.body)["error"].keys()


async def test_call_is_not_repeated_when_its_inference_broke_off(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """An answer that ends with ``network_error`` was worked on, and may have been charged."""
    gateway = make_gateway(upstream_url=zhipu.url)
    zhipu.script = [lambda call: call.answer(completion("Hal", finish_reason="network_error"))]

    caller = await ask(gateway)

    assert (502, 1) == (caller.status, len(zhipu.calls))
    assert [("internal", 200)] == [(fault.kind, fault.http_status) for fault in gateway.record.faults]
    assert gateway.record.usage_known


async def test_call_is_never_repeated_when_the_caller_has_seen_a_byte(
    make_gateway: MakeGateway, zhipu: Zhipu
) -> None:
    gateway = make_gateway(upstream_url=zhipu.url)
    zhipu.script = [lambda call: call.stream(chunk(content="Hel"), event(error_body("1305")))]

    caller = await ask(gateway, stream=True)

    assert (200, 1) == (caller.status, len(zhipu.calls))
    assert b'"code":"upstream_overloaded"' in caller.body.split(b"data: ")[-1]


async def test_error_is_told_when_every_try_fails(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """``max_retries`` counts the tries after the first."""
    gateway = make_gateway(upstream_url=zhipu.url, upstream=Upstream(max_retries=1))
    zhipu.script = [refusal("1305", 429), refusal("500", 500), whole]

    caller = await ask(gateway)

    assert (502, 2) == (caller.status, len(zhipu.calls))
    assert ["overload", "internal"] == [fault.kind for fault in gateway.record.faults]


async def test_nothing_is_repeated_when_patience_would_not_last(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    gateway = make_gateway(upstream_url=zhipu.url, queue_timeout_seconds=0.05)
    zhipu.script = [refusal("1305", 429), whole]

    caller = await ask(gateway)

    assert (503, 1) == (caller.status, len(zhipu.calls))


async def test_call_is_repeated_when_nobody_answered(make_gateway: MakeGateway) -> None:
    """Where no connection came about, nothing was sent, and so nothing can happen twice."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        gateway = make_gateway(
            upstream_url=f"http://127.0.0.1:{closed.getsockname()[1]}", upstream=Upstream(max_retries=1)
        )

        caller = await ask(gateway)

    record = gateway.record
    assert (502, "upstream_error", 1) == (caller.status, record.outcome, record.retries)
    assert [("connect", 0)] * 2 == [(fault.kind, fault.http_status) for fault in record.faults]


async def test_caller_is_told_of_a_timeout_when_glm_stays_silent(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """Silence is charged for all we know, so it is not tried again."""
    silence = Upstream(read_timeout_seconds=0.05)
    gateway = make_gateway(upstream_url=zhipu.url, upstream=silence)

    caller = await ask(gateway)

    assert (504, 1) == (caller.status, len(zhipu.calls))
    assert ("upstream_timeout", "timeout") == (gateway.record.outcome, gateway.record.faults[0].kind)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_calls_take_turns_when_there_are_more_than_the_tier_allows(
    make_gateway: MakeGateway, zhipu: Zhipu, *, stream: bool
) -> None:
    """More choices than slots take turns, whatever the patience: they wait for nobody but each other."""
    two = dict.fromkeys(("V0", "V1", "V2", "V3"), 2)
    gateway = make_gateway(upstream_url=zhipu.url, limits={"glm-4.7": two}, queue_timeout_seconds=0)
    answer = streamed if stream else whole
    task = asyncio.get_running_loop().create_task(ask(gateway, n=5, stream=stream))
    most = 0
    for _ in range(5):
        call = await zhipu.call()
        most = max(most, gateway.slots)
        answer(call)

    caller = await task

    assert (200, 2) == (caller.status, most)
    assert 5 == caller.body.count(b'"finish_reason":"stop"')
    assert (5 * 15, 5 * 7) == (gateway.record.input_tokens, gateway.record.output_tokens)


FAULTS = [
    (UpstreamUnreachable("…"), 0, "connect"),
    (UpstreamUnavailable("…"), 200, "disconnect"),
    (UpstreamTimeout("…"), 0, "timeout"),
    (UpstreamProtocolError("…"), 200, "protocol"),
    (UpstreamFailed("…"), 200, "internal"),
    (InvalidOutput("…"), 200, "output"),
    (from_glm(None, http_status=502), 502, "internal"),
    (from_glm(None, http_status=429), 429, "rate_limit"),
]


@pytest.mark.parametrize(("error", "http_status", "kind"), FAULTS, ids=lambda value: type(value).__name__)
def test_fault_has_a_kind_of_its_own_when_glm_gave_no_code(
    error: GatewayError, http_status: int, kind: str
) -> None:
    """The kinds are few, so that they can be labels."""
    fault = fault_of(error, http_status=http_status)

    assert (http_status, "", kind) == (fault.http_status, fault.code, fault.kind)


async def test_callers_id_is_sent_once_when_a_call_is_repeated(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """GLM refuses an id that it has seen (1231), and makes one of its own where none is given."""
    gateway = make_gateway(upstream_url=zhipu.url)
    zhipu.script = [refusal("1234", 500), whole]

    caller = await ask(gateway, request_id="mine-0001")

    assert 200 == caller.status
    first, second = (call.body for call in zhipu.calls)
    assert first == second | {"request_id": "mine-0001"}
    assert "request_id" not in second
