"""What is done beside a call: turns written down, answers outside the conversation, texts read out."""

import asyncio
import base64
import json
from array import array
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pydantic
import pytest
from openai.types.realtime import RealtimeServerEvent
from websockets.asyncio.client import ClientConnection, connect

from gateway.auth import Tenant, digest
from gateway.settings.schema import Realtime
from tests.calls import GlmCalls, playing_calls, speak
from tests.conftest import StartGateway
from tests.fakes import DONE, KEY, Call, Zhipu, chunk, event, last_chunk
from tests.running import Gateway

VALIDATOR: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(RealtimeServerEvent)
LOUD = base64.b64encode(
    array("h", [8000 if place // 30 % 2 else -8000 for place in range(24_000)]).tobytes()
).decode()
"""A second of 24 kHz."""

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
"""A single pixel."""

KEYS_TO_WRITE_DOWN: list[tuple[str, Any]] = [
    ("client_secrets", {"session": {"type": "transcription", "audio": {"input": {"turn_detection": None}}}}),
    ("transcription_sessions", {"input_audio_transcription": {"model": "whisper-1"}, "turn_detection": None}),
]


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


def calling(gateway: Gateway, query: str = "model=glm-realtime", *, key: str = KEY) -> connect:
    headers = {"Authorization": f"Bearer {key}"}
    return connect(
        f"ws{gateway.url.removeprefix('http')}/realtime?{query}", additional_headers=headers, proxy=None
    )


def hears(*deltas: str) -> Any:
    """Write a recording down."""

    def reply(call: Call) -> None:
        whole = "".join(deltas)
        call.stream(
            *(event({"type": "transcript.text.delta", "delta": delta}) for delta in deltas),
            event({"type": "transcript.text.done", "text": whole}),
            DONE,
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

    assert ["How warm", " is it?"] == [told["delta"] for told in events if "delta" in told]
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


async def test_turn_of_silence_has_no_words(gateway: Gateway, zhipu: Zhipu) -> None:
    """A key that was held by mistake is no failure; GLM is not asked."""
    async with calling(gateway, "intent=transcription") as socket:
        client = Client(socket)
        await client.send(
            type="session.update",
            session={"type": "transcription", "audio": {"input": {"turn_detection": None}}},
        )
        await client.send(type="input_audio_buffer.append", audio=base64.b64encode(bytes(48_000)).decode())
        await client.send(type="input_audio_buffer.commit")
        heard = (await client.until("conversation.item.input_audio_transcription.completed"))[-1]

    assert "" == heard["transcript"]
    assert not zhipu.calls


async def test_model_that_writes_nothing_down_is_refused(gateway: Gateway) -> None:
    async with calling(gateway, "intent=transcription") as socket:
        client = Client(socket)
        await client.until("session.created")
        said = {"type": "transcription", "audio": {"input": {"transcription": {"model": "glm-4.7"}}}}
        await client.send(type="session.update", event_id="mine", session=said)
        (told,) = await client.until("error")

    assert ("mine", "unsupported_model") == (told["error"]["event_id"], told["error"]["code"])


@pytest.mark.parametrize(("path", "body"), KEYS_TO_WRITE_DOWN)
async def test_key_of_who_may_only_have_things_written_down(
    start_gateway: StartGateway, zhipu: Zhipu, client: httpx.AsyncClient, path: str, body: Any
) -> None:
    """It needs no right to calls, of which none is made."""
    tenant = Tenant(name="team", key_sha256=(digest(KEY),), tier="V3", models=("glm-asr",))
    gateway = await start_gateway(upstream_url=zhipu.url, tenants=(tenant,))
    zhipu.script = [hears("Hello.")]

    answer = (await client.post(f"{gateway.url}/realtime/{path}", json=body)).raise_for_status().json()
    key = answer.get("value") or answer["client_secret"]["value"]
    async with calling(gateway, "", key=key) as socket:
        session = Client(socket)
        (created,) = await session.until("session.created")
        await session.send(type="input_audio_buffer.append", audio=LOUD)
        await session.send(type="input_audio_buffer.commit")
        await session.until("conversation.item.input_audio_transcription.completed")

    assert "transcription" == created["session"]["type"]


async def test_address_says_what_a_session_is_for_whatever_its_key_was_made_for(
    gateway: Gateway, client: httpx.AsyncClient
) -> None:
    """Its client is told so, and can go on to say how it wants things written down."""
    body = {"session": {"type": "realtime", "instructions": "Be brief."}}
    answer = (await client.post(f"{gateway.url}/realtime/client_secrets", json=body)).raise_for_status().json()
    update = {"type": "transcription", "audio": {"input": {"turn_detection": None}}}
    async with calling(gateway, "intent=transcription", key=answer["value"]) as socket:
        session = Client(socket)
        (created,) = await session.until("session.created")
        await session.send(type="session.update", session=update)
        updated = (await session.until("session.updated"))[-1]

    assert ["transcription"] * 2 == [created["session"]["type"], updated["session"]["type"]]


@pytest.mark.parametrize(
    ("name", "refusal"), [("no-such-model", (404, "model_not_found")), ("glm-4.7", (400, "unsupported_model"))]
)
@pytest.mark.parametrize("path", ["client_secrets", "transcription_sessions"])
async def test_key_is_refused_where_its_model_writes_nothing_down(
    gateway: Gateway, client: httpx.AsyncClient, path: str, name: str, refusal: tuple[int, str]
) -> None:
    flat = {"input_audio_transcription": {"model": name}}
    nested = {"session": {"type": "transcription", "audio": {"input": {"transcription": {"model": name}}}}}
    body = flat if path == "transcription_sessions" else nested

    answer = await client.post(f"{gateway.url}/realtime/{path}", json=body)

    assert refusal == (answer.status_code, answer.json()["error"]["code"])


def chats(*texts: str) -> Any:
    """Answer a chat."""
    return lambda call: call.stream(*(chunk(content=text) for text in texts), last_chunk(), DONE)


def reads_out(pcm: bytes) -> Any:
    """Read a text out."""

    def reply(call: Call) -> None:
        delta = {"content": base64.b64encode(pcm).decode(), "return_sample_rate": 24_000}
        call.stream(
            event({"choices": [{"index": 0, "delta": delta}]}),
            event({"choices": [{"index": 0, "finish_reason": "stop"}]}),
            DONE,
        )

    return reply


async def test_response_outside_the_conversation_is_written_and_read_out(
    gateway: Gateway, glm: GlmCalls, zhipu: Zhipu
) -> None:
    """A chat and a speech, with slots and records of their own; the call to GLM-Realtime hears nothing of it."""
    pcm = array("h", [5000] * 4800).tobytes()
    zhipu.script = [chats("One ", "moment."), reads_out(pcm)]
    async with calling(gateway) as socket:
        client = Client(socket)
        await client.send(
            type="response.create",
            response={"conversation": "none", "input": [], "instructions": "Be patient.", "metadata": {"a": "b"}},
        )
        events = await client.until("response.done")

    done = events[-1]["response"]
    assert "completed" == done["status"], done
    assert (None, {"a": "b"}) == (done["conversation_id"], done["metadata"])
    assert "One moment." == done["output"][0]["content"][0]["transcript"]
    audio = b"".join(
        base64.b64decode(told["delta"]) for told in events if told["type"] == "response.output_audio.delta"
    )
    assert len(pcm) == len(audio)
    assert not [told for told in events if told["type"].startswith("conversation.item")]
    chat, speech = zhipu.calls
    assert ("glm-4.7", {"type": "disabled"}) == (chat.body["model"], chat.body["thinking"])
    assert ("glm-tts", "One moment.") == (speech.body["model"], speech.body["input"])
    assert [] == glm.calls[0].of("response.create")
    await ended(gateway, sessions=1)
    assert ["chat", "speech", "realtime"] == [record.operation for record in gateway.records]
    assert 0 == gateway.slots


async def test_client_that_leaves_takes_its_errands_along(gateway: Gateway, zhipu: Zhipu) -> None:
    """What is under way beside the call is cut, and its slot given back."""
    async with calling(gateway) as socket:
        client = Client(socket)
        await client.send(type="response.create", response={"conversation": "none", "input": []})
        await client.until("response.created")
        call = await zhipu.call()
        assert 2 == gateway.slots

    async with asyncio.timeout(1):
        await call.gone.wait()
    await ended(gateway, sessions=1)
    assert 0 == gateway.slots
    assert {"client_disconnect", "ok"} >= {record.outcome for record in gateway.records}


async def test_what_fails_beside_the_call_is_told_of_the_response(gateway: Gateway, zhipu: Zhipu) -> None:
    """No error event: some clients take that for the end of the session."""
    zhipu.script = [lambda call: call.refuse("1301", status=400)]
    async with calling(gateway) as socket:
        client = Client(socket)
        await client.send(type="response.create", response={"conversation": "none", "input": []})
        done = (await client.until("response.done"))[-1]["response"]

    assert "failed" == done["status"]
    assert "(GLM 1301)" in done["status_details"]["error"]["message"]


async def test_typed_message_is_read_out_to_glm(start_gateway: StartGateway, glm: GlmCalls, zhipu: Zhipu) -> None:
    """GLM hears what was typed, at its own rate, before it is asked to respond."""
    gateway = await start_gateway(
        realtime_url=glm.url, upstream_url=zhipu.url, realtime=Realtime(typed_text="speech")
    )
    zhipu.script = [reads_out(array("h", [5000] * 24_000).tobytes())]
    glm.answers = [speak]
    async with calling(gateway) as socket:
        client = Client(socket)
        content = [{"type": "input_text", "text": "Hello?"}]
        await client.send(
            type="conversation.item.create", item={"type": "message", "role": "user", "content": content}
        )
        await client.send(type="response.create")
        await client.until("response.done")

    (asked,) = zhipu.calls
    assert "Hello?" == asked.body["input"]
    (call,) = glm.calls
    assert 0.99 <= len(call.audio) / 32_000 <= 1.01
    order = [told["type"] for told in call.heard]
    assert order.index("input_audio_buffer.commit") < order.index("response.create")
    assert [] == call.of("conversation.item.create")


async def test_turn_that_glm_leaves_unwritten_is_written_down(
    gateway: Gateway, glm: GlmCalls, zhipu: Zhipu
) -> None:
    """Where no response is wanted, the client acts by the transcript, and has to get one."""
    zhipu.script = [hears("How warm is it?")]
    async with calling(gateway) as socket:
        client = Client(socket)
        turns = {"type": "server_vad", "create_response": False}
        said = {"type": "realtime", "audio": {"input": {"turn_detection": turns}}}
        await client.send(type="session.update", session=said)
        await client.until("session.updated")
        call = await glm.call()
        await client.send(type="input_audio_buffer.append", audio=LOUD)
        await call.expect_audio(seconds=0.9)
        await call.say(type="input_audio_buffer.committed", item_id="b")
        heard = (await client.until("conversation.item.input_audio_transcription.completed"))[-1]

    assert "How warm is it?" == heard["transcript"]


async def test_png_is_shown_as_a_jpeg(gateway: Gateway, glm: GlmCalls) -> None:
    """GLM sees it before it is asked to respond."""
    glm.answers = [speak]
    content = [{"type": "input_image", "image_url": "data:image/png;base64," + base64.b64encode(PNG).decode()}]
    async with calling(gateway) as socket:
        client = Client(socket)
        await client.send(
            type="conversation.item.create", item={"type": "message", "role": "user", "content": content}
        )
        await client.send(type="response.create")
        await client.until("response.done")

    (call,) = glm.calls
    (frame,) = call.of("input_audio_buffer.append_video_frame")
    assert base64.b64decode(frame["video_frame"]).startswith(b"\xff\xd8\xff")
    assert "video_passive" == call.of("session.update")[-1]["session"]["beta_fields"]["chat_mode"]
    kinds = [told["type"] for told in call.heard]
    assert kinds.index("input_audio_buffer.append_video_frame") < kinds.index("response.create")
