"""What is done beside a call: turns written down, answers outside the conversation, texts read out."""

import asyncio
import base64
import json
from array import array
from collections.abc import AsyncIterator
from typing import Any

import pydantic
import pytest
from openai.types.realtime import RealtimeServerEvent
from websockets.asyncio.client import ClientConnection, connect

from tests.calls import GlmCalls, playing_calls
from tests.conftest import StartGateway
from tests.fakes import KEY, Call, Zhipu, event
from tests.running import Gateway

VALIDATOR: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(RealtimeServerEvent)
HEADERS = {"Authorization": f"Bearer {KEY}"}
LOUD = base64.b64encode(
    array("h", [8000 if place // 30 % 2 else -8000 for place in range(24_000)]).tobytes()
).decode()
"""A second of 24 kHz."""


@pytest.fixture
async def glm() -> AsyncIterator[GlmCalls]:
    async with playing_calls() as played:
        yield played


@pytest.fixture
async def gateway(start_gateway: StartGateway, glm: GlmCalls, zhipu: Zhipu) -> Gateway:
    return await start_gateway(realtime_url=glm.url, upstream_url=zhipu.url)


class Client:
    """A client that gives every event to the SDK's own types."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, **what: Any) -> None:
        await self.socket.send(json.dumps(what))

    async def until(self, kind: str) -> list[Any]:
        """Give the events up to the next of a type."""
        events = []
        async with asyncio.timeout(10):
            while True:
                told: Any = json.loads(await self.socket.recv())
                VALIDATOR.validate_python(told)
                events.append(told)
                if told["type"] == kind:
                    return events
                assert told["type"] != "error", told


def calling(gateway: Gateway, query: str = "model=glm-realtime") -> connect:
    return connect(
        f"ws{gateway.url.removeprefix('http')}/realtime?{query}", additional_headers=HEADERS, proxy=None
    )


def hears(*deltas: str) -> Any:
    """Write a recording down."""

    def reply(call: Call) -> None:
        whole = "".join(deltas)
        call.stream(
            *(event({"type": "transcript.text.delta", "delta": delta}) for delta in deltas),
            event({"type": "transcript.text.done", "text": whole}),
            b"data: [DONE]\n\n",
        )

    return reply


async def test_transcription_session(gateway: Gateway, glm: GlmCalls, zhipu: Zhipu) -> None:
    """No call is opened and no slot held between turns; each turn is an exchange of its own, told as it comes."""
    zhipu.script = [hears("How warm ", "is it?")]
    async with calling(gateway, "intent=transcription&model=gpt-4o-transcribe") as socket:
        client = Client(socket)
        (created,) = await client.until("session.created")
        assert "transcription" == created["session"]["type"]
        await client.send(
            type="session.update",
            session={"type": "transcription", "audio": {"input": {"turn_detection": None}}},
        )
        await client.until("session.updated")
        assert 0 == gateway.slots
        await client.send(type="input_audio_buffer.append", audio=LOUD)
        await client.send(type="input_audio_buffer.commit")
        events = await client.until("conversation.item.input_audio_transcription.completed")

    assert ["How warm ", "is it?"] == [told["delta"] for told in events if "delta" in told]
    assert "How warm is it?" == events[-1]["transcript"]
    assert {"type": "duration", "seconds": 1.0} == events[-1]["usage"]
    (asked,) = zhipu.calls
    assert asked.path.endswith("/audio/transcriptions")
    assert b'name="model"\r\n\r\nglm-asr\r\n' in asked.raw
    assert [] == glm.calls
    await ended(gateway, sessions=1)
    assert {"transcription": "glm-asr", "realtime": "glm-asr"} == {
        record.operation: record.model for record in gateway.records
    }
    assert 0 == gateway.slots


async def ended(gateway: Gateway, *, sessions: int) -> None:
    for _ in range(1000):
        if sum(record.operation == "realtime" for record in gateway.records) == sessions:
            return
        await asyncio.sleep(0.005)
    raise AssertionError("the session never ended")


async def test_turn_that_cannot_be_written_down_is_no_end(gateway: Gateway, zhipu: Zhipu) -> None:
    """GLM's failure is told of the turn; the next is written down."""
    zhipu.script = [lambda call: call.refuse("1214", status=400), hears("Hello.")]
    async with calling(gateway, "intent=transcription") as socket:
        client = Client(socket)
        await client.send(
            type="session.update",
            session={"type": "transcription", "audio": {"input": {"turn_detection": None}}},
        )
        for _ in range(2):
            await client.send(type="input_audio_buffer.append", audio=LOUD)
            await client.send(type="input_audio_buffer.commit")
        failed = (await client.until("conversation.item.input_audio_transcription.failed"))[-1]
        heard = (await client.until("conversation.item.input_audio_transcription.completed"))[-1]

    assert "(GLM 1214)" in failed["error"]["message"]
    assert "Hello." == heard["transcript"]


async def test_model_that_writes_nothing_down_is_refused(gateway: Gateway) -> None:
    async with calling(gateway, "intent=transcription") as socket:
        client = Client(socket)
        await client.until("session.created")
        said = {"type": "transcription", "audio": {"input": {"transcription": {"model": "glm-4.7"}}}}
        await client.send(type="session.update", event_id="mine", session=said)
        (told,) = await client.until("error")

    assert ("mine", "unsupported_model") == (told["error"]["event_id"], told["error"]["code"])
