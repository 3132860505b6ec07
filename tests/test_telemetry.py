"""Spans as a collector sees them: who is whose parent, what they say, and what they never say."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from typing import Any

import httpx
import msgspec
import pytest
from click.testing import CliRunner
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from websockets.asyncio.client import connect

from gateway.app import create_app
from gateway.cli import main
from gateway.record import Record
from gateway.settings import Telemetry
from gateway.telemetry import Tracing
from tests.calls import playing_calls, speak
from tests.collector import Collector, collecting, values
from tests.fakes import DONE, KEY, Zhipu, chunk, completion, last_chunk
from tests.running import LARGEST_ACCOUNT, SETTINGS, listening
from tests.serving import serving

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
SECRET_PROMPT, SECRET_ANSWER = "What is under the stairs?", "A box of letters."
CHAT = {"model": "glm-4.7", "messages": [{"role": "user", "content": SECRET_PROMPT}]}
ONE_AT_A_TIME = {"V0": 1, "V1": 1, "V2": 1, "V3": 1}
SERVER = "POST /v1/chat/completions"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as listening_collector:
        yield listening_collector


@asynccontextmanager
async def traced(
    collector: Collector, *, records: list[Record] | None = None, **fields: Any
) -> AsyncIterator[str]:
    """Serve a gateway that tells traces; the collector has all of them after this."""
    settings = msgspec.structs.replace(SETTINGS, telemetry=Telemetry(otlp_endpoint=collector.url), **fields)
    tracing = Tracing(collector.url, version="1", upstream_url=settings.upstream_url)
    sinks = [tracing.observe, *([records.append] if records is not None else [])]
    async with listening(create_app(settings, sinks=sinks)) as origin:
        yield origin
    await asyncio.to_thread(tracing.close)


async def test_chat_is_a_span_of_its_callers_trace_and_has_its_call_below(
    zhipu: Zhipu, client: httpx.AsyncClient, collector: Collector
) -> None:
    zhipu.script = [lambda call: call.answer(completion(SECRET_ANSWER))]

    async with traced(collector, upstream_url=zhipu.url) as origin:
        answer = await client.post(f"{origin}/v1/chat/completions", json=CHAT, headers=TRACEPARENT)

    server = collector.named(SERVER)
    (call,) = collector.below(server)
    assert 200 == answer.status_code
    assert (TRACE, PARENT) == (server.trace_id.hex(), server.parent_span_id.hex())
    assert (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT) == (server.kind, call.kind)
    assert server.start_time_unix_nano <= call.start_time_unix_nano
    assert call.start_time_unix_nano < call.end_time_unix_nano <= server.end_time_unix_nano
    assert Status.STATUS_CODE_UNSET == server.status.code == call.status.code
    said = values(server)
    assert {
        "http.request.method": "POST",
        "http.route": "/v1/chat/completions",
        "http.response.status_code": 200,
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "zhipu",
        "gen_ai.request.model": "glm-4.7",
        "gen_ai.response.model": "glm-4.7",
        "gen_ai.usage.input_tokens": 15,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.reasoning.output_tokens": 3,
        "glm_gateway.tenant": "team",
        "glm_gateway.tier": "V3",
        "glm_gateway.outcome": "ok",
    }.items() <= said.items()
    assert answer.headers["x-request-id"] == said["glm_gateway.request_id"]
    assert "chat glm-4.7" == call.name
    assert values(call) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "zhipu",
        "gen_ai.request.model": "glm-4.7",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": httpx.URL(zhipu.url).port,
        "glm_gateway.account": "main",
    }
    assert "glm-gateway" == collector.resource["service.name"]


async def test_nothing_secret_is_in_a_span_and_nothing_goes_to_glm(
    zhipu: Zhipu, client: httpx.AsyncClient, collector: Collector
) -> None:
    zhipu.script = [lambda call: call.answer(completion(SECRET_ANSWER))]

    async with traced(collector, upstream_url=zhipu.url) as origin:
        await client.post(f"{origin}/v1/chat/completions", json=CHAT, headers=TRACEPARENT)
        await client.get(f"{origin}/v1/{KEY}?api_key={KEY}")

    assert {SERVER, "GET", "chat glm-4.7"} == {span.name for span in collector.spans}
    for secret in (SECRET_PROMPT, SECRET_ANSWER, KEY, LARGEST_ACCOUNT.key):
        assert secret.encode() not in collector.raw
    assert "traceparent" not in zhipu.calls[0].headers  # It is another company.


async def test_stream_says_when_its_first_token_came(
    zhipu: Zhipu, client: httpx.AsyncClient, collector: Collector
) -> None:
    """Without a trace of its caller's it begins one, which the record names for the log."""
    zhipu.script = [lambda call: call.stream(chunk(content=SECRET_ANSWER), last_chunk(), DONE)]
    records: list[Record] = []

    async with traced(collector, records=records, upstream_url=zhipu.url) as origin:
        await client.post(f"{origin}/v1/chat/completions", json={**CHAT, "stream": True})

    server = collector.named(SERVER)
    (call,) = collector.below(server)
    assert b"" == server.parent_span_id
    assert [server.trace_id.hex()] == [record.trace_id for record in records]
    assert values(server)["gen_ai.request.stream"]
    assert 0 < values(server)["gen_ai.response.time_to_first_chunk"] < 60
    assert call.end_time_unix_nano <= server.end_time_unix_nano


async def test_every_try_is_a_span_and_those_that_failed_are_errors(
    zhipu: Zhipu, client: httpx.AsyncClient, collector: Collector
) -> None:
    zhipu.script = [
        lambda call: call.refuse("1305", status=429),
        lambda call: call.answer(completion()),
    ]

    async with traced(collector, upstream_url=zhipu.url) as origin:
        answer = await client.post(f"{origin}/v1/chat/completions", json=CHAT)

    server = collector.named(SERVER)
    failed, succeeded = (span for span in collector.below(server) if span.kind == Span.SPAN_KIND_CLIENT)
    assert 200 == answer.status_code
    assert Status.STATUS_CODE_ERROR == failed.status.code
    assert {
        "error.type": "overload",
        "glm_gateway.glm_code": "1305",
        "http.response.status_code": 429,
    }.items() <= (values(failed).items())
    assert Status.STATUS_CODE_UNSET == succeeded.status.code == server.status.code
    assert 1 == values(server)["glm_gateway.retries"]


async def test_stream_that_breaks_is_an_error_of_the_call_and_of_the_exchange(
    zhipu: Zhipu, client: httpx.AsyncClient, collector: Collector
) -> None:
    async with traced(collector, upstream_url=zhipu.url) as origin:
        asking = asyncio.ensure_future(client.post(f"{origin}/v1/chat/completions", json={**CHAT, "stream": True}))
        glm = await zhipu.call()
        glm.begin(chunk(content="A box"))
        glm.cut()
        await asking

    server = collector.named(SERVER)
    (call,) = collector.below(server)
    assert Status.STATUS_CODE_ERROR == call.status.code == server.status.code
    assert "disconnect" == values(call)["error.type"]
    assert "upstream_error" == values(server)["glm_gateway.outcome"]


async def test_what_the_caller_did_wrong_is_no_error_of_the_span(
    zhipu: Zhipu, client: httpx.AsyncClient, collector: Collector
) -> None:
    async with traced(collector, upstream_url=zhipu.url) as origin:
        await client.post(f"{origin}/v1/chat/completions", json={**CHAT, "model": "nothing"})

    server = collector.named(SERVER)
    assert Status.STATUS_CODE_UNSET == server.status.code
    assert "model_not_found" == values(server)["error.type"]
    assert [] == collector.below(server)


async def test_trace_that_its_caller_does_not_keep_is_not_told(
    zhipu: Zhipu, client: httpx.AsyncClient, collector: Collector
) -> None:
    zhipu.script = [lambda call: call.answer(completion())]

    async with traced(collector, upstream_url=zhipu.url) as origin:
        await client.post(
            f"{origin}/v1/chat/completions", json=CHAT, headers={"traceparent": f"00-{TRACE}-{PARENT}-00"}
        )

    assert [] == collector.spans


async def test_who_is_sampled_is_said_by_a_variable(
    zhipu: Zhipu, client: httpx.AsyncClient, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an exchange needs of others is kept when it is itself, though it ends after them."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")

    async with traced(collector, upstream_url=zhipu.url) as origin:
        await respond_in_background(zhipu, client, origin=origin)

    assert [] == collector.spans


async def test_session_has_its_connection_below(collector: Collector) -> None:
    headers = {"Authorization": f"Bearer {KEY}", **TRACEPARENT}
    async with playing_calls() as glm:
        glm.answers = [speak]
        async with traced(collector, realtime_url=glm.url) as origin:
            url = f"{origin.replace('http', 'ws', 1)}/v1/realtime?model=glm-realtime"
            async with connect(url, additional_headers=headers) as client:
                await client.send('{"type":"response.create"}')
                async for message in client:
                    if json.loads(message)["type"] == "response.done":
                        break

    server = collector.named("GET /v1/realtime")
    (call,) = collector.below(server)
    assert (TRACE, PARENT) == (server.trace_id.hex(), server.parent_span_id.hex())
    assert 101 == values(server)["http.response.status_code"] == values(call)["http.response.status_code"]
    assert (Span.SPAN_KIND_CLIENT, "realtime glm-realtime") == (call.kind, call.name)
    assert call.end_time_unix_nano == server.end_time_unix_nano


async def test_response_made_in_the_background_is_below_its_request(
    zhipu: Zhipu, client: httpx.AsyncClient, collector: Collector
) -> None:
    async with traced(collector, upstream_url=zhipu.url) as origin:
        status = await respond_in_background(zhipu, client, origin=origin)

    (making,) = collector.below(collector.named("POST /v1/responses"))
    (call,) = collector.below(making)
    assert ("completed", Span.SPAN_KIND_INTERNAL, "chat glm-4.7") == (status, making.kind, making.name)
    assert Span.SPAN_KIND_CLIENT == call.kind
    assert "/v1/responses/{" in next(span.name for span in collector.spans if span.name.startswith("GET"))


async def respond_in_background(zhipu: Zhipu, client: httpx.AsyncClient, *, origin: str) -> str:
    body = {"model": "glm-4.7", "input": SECRET_PROMPT, "background": True}
    told = (await client.post(f"{origin}/v1/responses", json=body)).json()
    (await zhipu.call()).answer(completion())
    while told["status"] in ("queued", "in_progress"):
        told = (await client.get(f"{origin}/v1/responses/{told['id']}")).json()
    return str(told["status"])


async def test_wait_in_line_is_a_span(zhipu: Zhipu, client: httpx.AsyncClient, collector: Collector) -> None:
    async with traced(collector, upstream_url=zhipu.url, limits={"glm-4.7": ONE_AT_A_TIME}) as origin:
        first = asyncio.ensure_future(client.post(f"{origin}/v1/chat/completions", json=CHAT))
        call = await zhipu.call()
        second = asyncio.ensure_future(
            client.post(f"{origin}/v1/chat/completions", json=CHAT, headers=TRACEPARENT)
        )
        await asyncio.sleep(0.05)  # What is waited for is that time goes by.
        call.answer(completion())
        (await zhipu.call()).answer(completion())
        await asyncio.gather(first, second)

    server = next(span for span in collector.spans if span.parent_span_id.hex() == PARENT)
    wait, asked = collector.below(server)
    assert "wait for a slot" == wait.name
    assert wait.end_time_unix_nano <= asked.start_time_unix_nano


def test_process_sends_what_it_has_before_it_ends(collector: Collector) -> None:
    """And the trace is in the line of the log."""
    environ = {"GATEWAY_TELEMETRY_OTLP_ENDPOINT": collector.url, "OTEL_SERVICE_NAME": "chatter"}
    with serving(environ) as served:
        origin = served.read_until("GLM Gateway answers").split()[-1]
        httpx.post(
            f"{origin}/chat/completions",
            json=CHAT,
            headers={"authorization": "Bearer sk-glm-demo", **TRACEPARENT},
        )
        code, log = served.stop()

    assert 0 == code
    assert TRACE == collector.named(SERVER).trace_id.hex()
    assert f'"trace_id":"{TRACE}"' in log
    assert "chatter" == collector.resource["service.name"]


def test_callers_trace_is_in_the_log_when_none_is_told() -> None:
    with serving({}) as served:
        origin = served.read_until("GLM Gateway answers").split()[-1]
        httpx.get(f"{origin}/models", headers={"authorization": "Bearer sk-glm-demo", **TRACEPARENT})
        _, log = served.stop()

    assert f'"trace_id":"{TRACE}"' in log


def test_collector_that_never_answers_holds_nothing_up() -> None:
    """Neither callers nor, for long, the end of the process, which has to be another: its threads wait on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with serving({"GATEWAY_TELEMETRY_OTLP_ENDPOINT": endpoint}) as served:
            origin = served.read_until("GLM Gateway answers").split()[-1]
            answer = httpx.get(f"{origin}/models", headers={"authorization": "Bearer sk-glm-demo"})
            code, log = served.stop()

    assert (200, 0) == (answer.status_code, code)
    assert "The last spans were not sent: the collector did not take them in time." in log


def test_setting_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)
    environ = {"GATEWAY_TELEMETRY_OTLP_ENDPOINT": "http://collector:4318"}

    for command in (["check", "--offline"], ["serve"]):
        result = CliRunner().invoke(main, command, env=environ)

        assert 2 == result.exit_code
        assert "install requirements-otel.lock" in result.stderr


def test_check_says_where_traces_go() -> None:
    environ = {"GATEWAY_TELEMETRY_OTLP_ENDPOINT": "http://collector:4318"}

    result = CliRunner().invoke(main, ["check", "--offline"], env=environ)

    assert "Traces: sent to http://collector:4318; no prompt, answer or key is in them." in result.output


def test_collector_that_is_away_is_not_noticed() -> None:
    """The SDK's own retries are not in the log, the process ends as ever, and callers notice nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    with serving(
        {"GATEWAY_TELEMETRY_OTLP_ENDPOINT": f"http://127.0.0.1:{port}", "OTEL_BSP_SCHEDULE_DELAY": "1"}
    ) as served:
        origin = served.read_until("GLM Gateway answers").split()[-1]
        answers = [
            httpx.post(f"{origin}/chat/completions", json=CHAT, headers={"authorization": "Bearer sk-glm-demo"})
            for _ in range(3)
        ]
        code, log = served.stop()

    assert [200] * 3 == [answer.status_code for answer in answers]
    assert 0 == code
    assert "Transient" not in log
