"""Calls in a process as an operator runs it: its own HTTP parser, its signals, its log."""

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from tests.calls import GlmCall, GlmCalls, playing_calls, rest, speak
from tests.fakes import KEY
from tests.serving import Served, serving

HEADERS = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
async def glm() -> AsyncIterator[GlmCalls]:
    async with playing_calls() as played:
        yield played


def environment(glm: GlmCalls) -> dict[str, str]:
    return {
        "ZHIPU_API_KEY": "0123456789abcdef0123456789abcdef.0123456789abcdef",
        "GATEWAY_REALTIME_URL": glm.url,
        "GATEWAY_KEYS": f"team:{KEY}:V1",
        "GATEWAY_DRAIN_SECONDS": "20",
        "GATEWAY_LOGS_FORMAT": "json",
    }


def started(served: Served) -> str:
    line = served.read_until("GLM Gateway answers on ")
    return line.rpartition(" ")[2].strip().replace("http", "ws", 1)


async def begin_response(socket: ClientConnection) -> None:
    """Ask for a response, and wait until GLM has begun it."""
    await socket.send(json.dumps({"type": "response.create"}))
    while json.loads(await socket.recv())["type"] != "response.created":
        pass


def exchange_in(log: str) -> dict[str, Any]:
    """Return what is logged of the only exchange."""
    (line,) = [json.loads(line) for line in log.splitlines() if '"event":"exchange"' in line]
    return dict(line)


async def test_call_is_finished_and_told_when_the_process_is_told_to_stop(glm: GlmCalls) -> None:
    """The response under way ends whole; then an error that says why, 1001, exit code 0, one line in the log."""
    go_on = asyncio.Event()

    async def slowly(call: GlmCall) -> None:
        await call.say(type="response.created", response={"id": "r", "status": "in_progress"})
        await go_on.wait()
        await call.say(type="response.audio_transcript.delta", response_id="r", delta="Done.")
        await call.say(type="response.done", response={"id": "r", "status": "completed"})

    glm.answers = [slowly]
    with serving(environment(glm)) as served:
        url = await asyncio.to_thread(started, served)
        async with connect(f"{url}/realtime?model=glm-realtime", additional_headers=HEADERS, proxy=None) as socket:
            await begin_response(socket)
            stopping = asyncio.get_running_loop().run_in_executor(None, served.stop)
            await asyncio.sleep(0.3)  # nobody tells that the signal has arrived; too early proves less, not more
            go_on.set()
            events = await rest(socket)
            code, log = await stopping

    kinds = [event["type"] for event in events]
    assert ["response.done", "error"] == kinds[-2:]
    assert ("completed", "shutting_down") == (
        events[-2]["response"]["status"],
        events[-1]["error"]["code"],
    )
    assert (1001, 0) == (socket.close_code, code)
    line = exchange_in(log)
    assert ("realtime", "glm-realtime", 101) == (line["operation"], line["model"], line["status"])
    assert ("ok", "info") == (line["outcome"], line["level"])  # Every rollout would burn the error budget.
    assert KEY not in log


async def test_call_is_refused_once_the_process_is_told_to_stop(glm: GlmCalls) -> None:
    """It would be cut within the second; a 503 sends its client to another replica before a word is said."""
    go_on = asyncio.Event()

    async def slowly(call: GlmCall) -> None:
        await call.say(type="response.created", response={"id": "r", "status": "in_progress"})
        await go_on.wait()
        await call.say(type="response.done", response={"id": "r", "status": "completed"})

    glm.answers = [slowly]
    with serving(environment(glm)) as served:
        url = await asyncio.to_thread(started, served)
        async with (
            connect(f"{url}/realtime?model=glm-realtime", additional_headers=HEADERS, proxy=None) as socket,
            httpx.AsyncClient(trust_env=False) as client,
        ):
            await begin_response(socket)
            stopping = asyncio.get_running_loop().run_in_executor(None, served.stop)
            probe = url.replace("ws", "http", 1).replace("/v1", "/readyz")
            while (await client.get(probe)).status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                pass
            with pytest.raises(InvalidStatus) as refused:
                async with connect(f"{url}/realtime?model=glm-realtime", additional_headers=HEADERS, proxy=None):
                    pass
            go_on.set()
            await rest(socket)
            code, _ = await stopping

    response = refused.value.response
    assert (503, "shutting_down") == (
        response.status_code,
        json.loads(response.body or b"")["error"]["code"],
    )
    assert ("1", 0) == (response.headers["retry-after"], code)


async def test_call_whose_response_outlasts_the_drain_is_cut_and_counted_as_failed(glm: GlmCalls) -> None:
    async def never(call: GlmCall) -> None:
        await call.say(type="response.created", response={"id": "r", "status": "in_progress"})

    glm.answers = [never]
    with serving({**environment(glm), "GATEWAY_DRAIN_SECONDS": "3"}) as served:
        url = await asyncio.to_thread(started, served)
        async with connect(f"{url}/realtime?model=glm-realtime", additional_headers=HEADERS, proxy=None) as socket:
            await begin_response(socket)
            stopping = asyncio.get_running_loop().run_in_executor(None, served.stop)
            await rest(socket)
            code, log = await stopping

    line = exchange_in(log)
    assert ("gateway_error", "shutting_down", 0) == (line["outcome"], line["error_code"], code)


async def test_process_serves_calls(glm: GlmCalls) -> None:
    """Handshakes are refused with bodies, messages that are too large close with 1009, and others go through."""
    glm.answers = [partial(speak, pieces=50)]
    with serving({**environment(glm), "GATEWAY_REALTIME_MAX_MESSAGE_BYTES": "100000"}) as served:
        url = await asyncio.to_thread(started, served)
        with pytest.raises(InvalidStatus) as refused:
            async with connect(f"{url}/realtime?model=glm-realtime", proxy=None):
                pass
        assert (401, "missing_api_key") == (
            refused.value.response.status_code,
            json.loads(refused.value.response.body or b"")["error"]["code"],
        )
        async with connect(f"{url}/realtime?model=glm-realtime", additional_headers=HEADERS, proxy=None) as socket:
            await socket.send(json.dumps({"type": "response.create"}))
            kinds = []
            while "response.done" not in kinds:
                kinds.append(json.loads(await socket.recv())["type"])
            await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": "A" * 200_000}))
            await rest(socket)
        _, log = await asyncio.to_thread(served.stop)
        assert "handshake" not in log  # A refusal has a line of ours, and is no error of the server's.
        assert 50 == kinds.count("response.output_audio.delta")
        assert 1009 == socket.close_code


async def test_process_without_an_account_serves_calls() -> None:
    """The simulator beside it answers them, with the demo key that is printed; the metrics' port has none."""
    with serving({}) as served:
        url = await asyncio.to_thread(started, served)
        key = (await asyncio.to_thread(served.read_until, "Demo key: ")).removeprefix("Demo key: ").strip()
        async with connect(
            f"{url}/realtime?model=gpt-realtime", additional_headers={"Authorization": f"Bearer {key}"}, proxy=None
        ) as socket:
            content = [{"type": "input_text", "text": "12 * 12"}]
            item = {"type": "message", "role": "user", "content": content}
            await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
            await socket.send(json.dumps({"type": "response.create"}))
            events = [json.loads(await socket.recv())]
            while events[-1]["type"] != "response.done":
                events.append(json.loads(await socket.recv()))
        served.stop()

    (item,) = events[-1]["response"]["output"]
    assert "12 * 12 = 144" == item["content"][0]["transcript"]
