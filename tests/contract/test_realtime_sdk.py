"""The official client's calls through the gateway, over real sockets, to a GLM-Realtime that the test plays."""

import asyncio
import base64
import itertools
import json
import time
from array import array
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import openai
import pydantic
import pytest
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import RealtimeServerEvent
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from gateway.settings.schema import Account, Realtime
from gateway.settings.secret import Secret
from tests.calls import VOICE, GlmCall, GlmCalls, call_functions, connect_narrowly, playing_calls, rest, speak
from tests.conftest import StartGateway
from tests.fakes import KEY
from tests.running import Gateway

pytestmark = pytest.mark.usefixtures("each_way_of_calls")

VALIDATOR: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(RealtimeServerEvent)
MODEL = "gpt-realtime"
TEXT: Any = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello?"}]}


@pytest.fixture
async def glm() -> AsyncIterator[GlmCalls]:
    async with playing_calls() as played:
        yield played


@pytest.fixture
async def gateway(start_gateway: StartGateway, glm: GlmCalls) -> Gateway:
    return await start_gateway(realtime_url=glm.url)


def sdk(gateway: Gateway, key: str = KEY) -> openai.AsyncOpenAI:
    http = openai.DefaultAsyncHttpxClient(trust_env=False, verify=False)
    return openai.AsyncOpenAI(api_key=key, base_url=gateway.url, max_retries=0, http_client=http)


def socket_url(gateway: Gateway, query: str = "model=glm-realtime") -> str:
    return f"ws{gateway.url.removeprefix('http')}/realtime?{query}"


HEADERS = {"Authorization": f"Bearer {KEY}"}
JPEG = bytes.fromhex("ffd8ffc0001108004000400301220002110103110103ffd9")
LARGE_JPEG = base64.b64encode(JPEG + bytes(500_000)).decode()


async def read_until(connection: AsyncRealtimeConnection, kind: str) -> list[Any]:
    """Give the events up to the next of a type; each is what the SDK's own types say."""
    events = []
    async with asyncio.timeout(10):
        while True:
            event: Any = json.loads(await connection.recv_bytes())
            VALIDATOR.validate_python(event)
            events.append(event)
            assert event["type"] != "error", event
            if event["type"] == kind:
                return events


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait for what nobody tells."""
    for _ in range(4000):
        if holds():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never came true")


async def ended(gateway: Gateway) -> None:
    """Wait until the record of a session is there."""
    await eventually(lambda: bool(gateway.records))


async def test_azures_client_is_called_back(gateway: Gateway) -> None:
    """It asks by another address, and names the model in another way."""
    client = openai.AsyncAzureOpenAI(
        api_key=KEY,
        api_version="2024-10-01-preview",
        azure_endpoint=gateway.origin,
        websocket_base_url=f"ws{gateway.origin.removeprefix('http')}/openai",
        http_client=openai.DefaultAsyncHttpxClient(trust_env=False),
    )
    async with client, client.realtime.connect(model="glm-realtime-flash") as connection:
        (created,) = await read_until(connection, "session.created")

    assert "glm-realtime-flash" == created["session"]["model"]


async def test_typed_turn(gateway: Gateway, glm: GlmCalls) -> None:
    """A whole turn, in the order that clients need, and a record of it; the slot is back at once."""
    glm.answers = [speak]
    async with sdk(gateway).realtime.connect(model=MODEL) as connection:
        (created,) = await read_until(connection, "session.created")
        assert ("realtime", "glm-realtime") == (created["session"]["type"], created["session"]["model"])
        await connection.session.update(session={"type": "realtime", "instructions": "Be brief."})
        await read_until(connection, "session.updated")
        await connection.conversation.item.create(item=TEXT)
        await connection.response.create()
        events = await read_until(connection, "response.done")
        assert 1 == gateway.slots

    said = [event["type"] for event in events if event["type"] != "rate_limits.updated"]
    assert [
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        *["response.output_audio_transcript.delta"] * 2,
        *["response.output_audio.delta"] * 2,
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
    ] == said
    audio = [event["delta"] for event in events if event["type"] == "response.output_audio.delta"]
    assert [VOICE, VOICE] == audio
    await ended(gateway)
    record = gateway.record
    assert ("realtime", "glm-realtime", 101, "ok") == (
        record.operation,
        record.model,
        record.status,
        record.outcome,
    )
    assert record.session is not None
    assert 0.2 == record.session.spoken_seconds
    assert 1 == len(record.session.first_audio_seconds)
    assert 1 == record.session.events["to_client", "response.done"]
    assert 1 == record.session.events["from_client", "response.create"]
    assert 0 == gateway.slots
    (call,) = glm.calls
    assert "Be brief." == call.of("session.update")[-1]["session"]["instructions"]
    async with asyncio.timeout(1):
        await call.gone.wait()


async def test_spoken_turn(gateway: Gateway, glm: GlmCalls) -> None:
    """Ten seconds of 24 kHz become ten of 16 kHz, in frames of 100 ms; what was said comes back."""
    async with sdk(gateway).realtime.connect(model="glm-realtime-flash") as connection:
        call = await glm.call()
        await connection.session.update(
            session={"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}
        )
        await read_until(connection, "session.updated")
        for _ in range(500):
            await connection.input_audio_buffer.append(audio=base64.b64encode(bytes(960)).decode())
        await call.say(type="input_audio_buffer.speech_started", audio_start_ms=600, item_id="a")
        await call.say(type="input_audio_buffer.speech_stopped", audio_end_ms=9600, item_id="a")
        await call.say(type="input_audio_buffer.committed", item_id="b")
        await call.say(
            type="conversation.item.input_audio_transcription.completed",
            item_id="b",
            content_index=0,
            transcript="How warm is it?",
        )
        await speak(call)
        events = await read_until(connection, "response.done")
        await eventually(lambda: len(call.audio) >= 319_600)

    (heard,) = [event for event in events if event["type"].endswith("transcription.completed")]
    assert ("How warm is it?", 9.0) == (heard["transcript"], heard["usage"]["seconds"])
    assert 320_000 - 320 <= len(call.audio) <= 320_000
    assert call.frames <= 110
    assert "glm-realtime-flash" == call.of("session.update")[-1]["session"]["model"]


async def test_parallel_tool_calls(gateway: Gateway, glm: GlmCalls) -> None:
    """Both calls come with ids, their outputs reach GLM in order, and the answer follows."""
    cities = ('{"city": "北京"}', '{"city": "上海"}')

    async def two_calls(call: Any) -> None:
        await call_functions(call, ("get_weather", cities[0]), ("get_weather", cities[1]))

    glm.answers = [two_calls, speak]
    tool: Any = {"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {}}}
    async with sdk(gateway).realtime.connect(model=MODEL) as connection:
        await connection.session.update(session={"type": "realtime", "tools": [tool]})
        await connection.conversation.item.create(item=TEXT)
        await connection.response.create()
        events = await read_until(connection, "response.done")
        calls = events[-1]["response"]["output"]
        for number, item in reversed(list(enumerate(calls))):
            output: Any = {
                "type": "function_call_output",
                "call_id": item["call_id"],
                "output": f"{number} degrees",
            }
            await connection.conversation.item.create(item=output)
        await connection.response.create()
        await read_until(connection, "response.done")

    assert [*cities] == [item["arguments"] for item in calls]
    assert 2 == len({item["call_id"] for item in calls})
    outputs = [event["item"] for event in glm.calls[0].of("conversation.item.create")[1:]]
    assert ["0 degrees", "1 degrees"] == [item["output"] for item in outputs]


async def test_client_secret_opens_the_session_that_it_is_for(gateway: Gateway, glm: GlmCalls) -> None:
    """A browser gets a key of its own, which carries rights and session, and no key of anybody's."""
    async with sdk(gateway) as browserless:
        secret = await browserless.realtime.client_secrets.create(
            expires_after={"anchor": "created_at", "seconds": 60},
            session={"type": "realtime", "model": "glm-realtime", "instructions": "Be a pirate."},
        )
    assert secret.value.startswith("ek_")
    assert KEY not in secret.value
    told: Any = secret.session
    assert "Be a pirate." == told.instructions

    protocols: Any = ["realtime", f"openai-insecure-api-key.{secret.value}"]
    async with connect(socket_url(gateway), subprotocols=protocols, proxy=None) as socket:
        created = json.loads(await socket.recv())
        assert "realtime" == socket.subprotocol

    assert "Be a pirate." == created["session"]["instructions"]
    call = await glm.call()
    update = await call.expect("session.update")
    assert "Be a pirate." == update["session"]["instructions"]


async def test_beta_client(gateway: Gateway, glm: GlmCalls) -> None:
    """Who says that it is of the shape before is told in that shape."""
    glm.answers = [speak]
    headers = {**HEADERS, "OpenAI-Beta": "realtime=v1"}
    async with connect(socket_url(gateway), additional_headers=headers, proxy=None) as socket:
        created = json.loads(await socket.recv())
        await socket.send(json.dumps({"type": "response.create"}))
        kinds = []
        while "response.done" not in kinds:
            kinds.append(json.loads(await socket.recv())["type"])

    assert ["text", "audio"] == created["session"]["modalities"]
    assert {"response.audio.delta", "response.audio_transcript.delta", "conversation.item.created"} <= {*kinds}
    assert not {"response.output_audio.delta", "conversation.item.added"} & {*kinds}


@pytest.mark.parametrize(
    ("query", "headers", "status", "code"),
    [
        ("model=glm-realtime", {}, 401, "missing_api_key"),
        ("model=glm-realtime", {"Authorization": "Bearer sk-no"}, 401, "invalid_api_key"),
        ("model=glm-realtime", {"Authorization": "Bearer ek_no"}, 401, "invalid_api_key"),
        ("model=no-such-model", HEADERS, 404, "model_not_found"),
        ("model=glm-4.7", HEADERS, 400, "unsupported_model"),
        ("", HEADERS, 400, "missing_required_parameter"),
        ("call_id=rtc_1", HEADERS, 400, "unsupported_parameter"),
    ],
)
async def test_handshake_is_refused_with_a_body(
    gateway: Gateway, query: str, headers: dict[str, str], status: int, code: str
) -> None:
    """An HTTP answer that says what was wrong, with the id of the request; nothing was asked of GLM."""
    with pytest.raises(InvalidStatus) as refused:
        async with connect(socket_url(gateway, query), additional_headers=headers, proxy=None):
            pass

    response = refused.value.response
    assert (status, code) == (response.status_code, json.loads(response.body or b"")["error"]["code"])
    assert response.headers["x-request-id"].startswith("req_")
    assert 0 == gateway.slots


@pytest.mark.parametrize("path", ["/v1/realtime/", "//v1/realtime", "/v1//realtime"])
async def test_call_may_be_asked_for_with_a_slash_more(gateway: Gateway, path: str) -> None:
    """Programs put addresses together of parts that have one, and all other routes take it."""
    url = f"ws{gateway.origin.removeprefix('http')}{path}?model=glm-realtime"
    async with connect(url, additional_headers=HEADERS, proxy=None) as socket:
        assert json.loads(await socket.recv())["type"] == "session.created"


async def test_event_that_is_sent_before_the_call_is_accepted_is_heard(gateway: Gateway, glm: GlmCalls) -> None:
    """Simple clients do not wait for the answer to their handshake, which takes as long as GLM does to pick up."""
    glm.picks_up.clear()
    host, port = gateway.origin.removeprefix("http://").split(":")
    event = b'{"type":"session.update","session":{"type":"realtime","instructions":"Be brief."}}'
    _, writer = await asyncio.open_connection(host, int(port))
    with closing(writer):
        head = (
            f"GET /v1/realtime?model=glm-realtime HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        writer.write(head.encode())
        await glm.rings.wait()
        writer.write(b"\x81" + bytes([0x80 | len(event)]) + bytes(4) + event)
        await asyncio.sleep(0.1)
        glm.picks_up.set()
        call = await glm.call()
        told = await call.expect("session.update", count=2)

    assert told["session"]["instructions"] == "Be brief."
    await ended(gateway)


async def test_unknown_socket_is_refused(gateway: Gateway) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"ws{gateway.url.removeprefix('http')}/nowhere", proxy=None):
            pass

    assert (404, "unknown_url") == (
        refused.value.response.status_code,
        json.loads(refused.value.response.body or b"")["error"]["code"],
    )


@pytest.mark.parametrize("path", ["/v1/responses", "/responses", "/openai/v1/responses"])
async def test_socket_for_responses_is_told_to_go_on_by_http(gateway: Gateway, path: str) -> None:
    """Codex tries one first: seven times in seven seconds, but after this status goes on by HTTP at once."""
    address = f"ws{gateway.url.removeprefix('http').removesuffix('/v1')}{path}"
    with pytest.raises(InvalidStatus) as refused:
        async with connect(address, additional_headers=HEADERS, proxy=None):
            pass

    response = refused.value.response
    error = json.loads(response.body or b"")["error"]
    assert (426, "HTTP/1.1") == (response.status_code, response.headers["upgrade"])
    assert ("websocket_not_offered", "POST /v1/responses") == (error["code"], error["message"][-18:])


async def test_full_tier_is_told_in_the_handshake(start_gateway: StartGateway, glm: GlmCalls) -> None:
    """A session holds its slot for as long as it lasts, and the next one gets it as soon as it ends."""
    gateway = await start_gateway(realtime_url=glm.url, realtime_queue_timeout_seconds=0.05)
    async with asyncio.TaskGroup() as tasks:
        release = asyncio.Event()

        async def hold() -> None:
            async with connect(socket_url(gateway), additional_headers=HEADERS, proxy=None):
                await release.wait()

        for _ in range(20):
            tasks.create_task(hold())
        await eventually(lambda: gateway.slots == 20)
        with pytest.raises(InvalidStatus) as refused:
            async with connect(socket_url(gateway), additional_headers=HEADERS, proxy=None):
                pass
        release.set()

    response = refused.value.response
    assert (429, "rate_limit_exceeded") == (
        response.status_code,
        json.loads(response.body or b"")["error"]["code"],
    )
    assert "retry-after" in response.headers
    async with connect(socket_url(gateway), additional_headers=HEADERS, proxy=None):
        pass


async def test_refusal_of_glm_is_told_in_the_handshake(gateway: Gateway, glm: GlmCalls) -> None:
    """What is wrong with our account is not the caller's fault."""
    glm.refusal = (429, {"error": {"code": "1113", "message": "余额不足"}})

    with pytest.raises(InvalidStatus) as refused:
        async with connect(socket_url(gateway), additional_headers=HEADERS, proxy=None):
            pass

    error = json.loads(refused.value.response.body or b"")["error"]
    assert (429, "insufficient_quota") == (refused.value.response.status_code, error["code"])
    assert 0 == gateway.slots


POOR = Account(name="poor", api_key=Secret("poor.key"), tier="V3")
RICH = Account(name="rich", api_key=Secret("rich.key"), tier="V3")


async def test_session_begins_on_another_account_when_one_refuses(
    start_gateway: StartGateway, glm: GlmCalls
) -> None:
    """The first session finds out and goes elsewhere before its client is told anything; the next goes there."""
    glm.refusal, glm.refused_keys = (429, {"error": {"code": "1113", "message": "余额不足"}}), {"poor.key"}
    gateway = await start_gateway(realtime_url=glm.url, accounts=(POOR, RICH))

    for _ in range(2):
        async with sdk(gateway).realtime.connect(model=MODEL) as connection:
            await read_until(connection, "session.created")
    await eventually(lambda: len(gateway.records) == 2)

    assert [(101, "rich", 1), (101, "rich", 0)] == [
        (record.status, record.account, record.retries) for record in gateway.records
    ]
    assert ["1113"] == [fault.code for record in gateway.records for fault in record.faults]
    assert 0 == gateway.slots


async def test_session_is_refused_for_its_accounts_reason_when_none_is_left(
    start_gateway: StartGateway, glm: GlmCalls
) -> None:
    """Even when no account is asked any more; and it is told as our fault, not as the client's key's."""
    glm.refusal = (401, {"error": {"code": "1000", "message": "身份验证失败"}})
    gateway = await start_gateway(realtime_url=glm.url, accounts=(POOR, RICH))

    for _ in range(2):
        with pytest.raises(InvalidStatus) as refused:
            async with connect(socket_url(gateway), additional_headers=HEADERS, proxy=None):
                pass
        error = json.loads(refused.value.response.body or b"")["error"]
        assert (502, "upstream_account_rejected") == (refused.value.response.status_code, error["code"])

    assert 0 == gateway.slots
    assert [True, True] == [bool(gateway.desk.health.standings(name)) for name in ("poor", "rich")]


async def test_session_goes_to_another_account_when_its_own_has_no_balance(
    start_gateway: StartGateway, glm: GlmCalls
) -> None:
    """Zhipu tells at the first update. The client need not know, and the next session does not go there."""
    glm.poor_keys, glm.answers = {"poor.key"}, [speak, speak]
    gateway = await start_gateway(realtime_url=glm.url, accounts=(POOR, RICH))

    for _ in range(2):
        async with sdk(gateway).realtime.connect(model=MODEL) as connection:
            await connection.session.update(session={"type": "realtime", "instructions": "Be brief."})
            await connection.conversation.item.create(item=TEXT)
            await connection.response.create()
            await read_until(connection, "response.done")
            assert 1 == gateway.slots
    await eventually(lambda: len(gateway.records) == 2)

    assert [("rich", ["1113"]), ("rich", [])] == [
        (record.account, [fault.code for fault in record.faults]) for record in gateway.records
    ]
    assert ["poor.key", "rich.key", "rich.key"] == [
        call.authorization.removeprefix("Bearer ") for call in glm.calls
    ]
    assert "Be brief." in glm.calls[1].of("session.update")[-1]["session"]["instructions"]
    assert 0 == gateway.slots


async def test_session_without_balance_is_told_so_when_no_account_has_any(
    start_gateway: StartGateway, glm: GlmCalls
) -> None:
    """Each account is asked once, and set aside."""
    glm.poor_keys = {"poor.key", "rich.key"}
    gateway = await start_gateway(realtime_url=glm.url, accounts=(POOR, RICH))

    async with connect(socket_url(gateway), additional_headers=HEADERS, proxy=None) as socket:
        told = await rest(socket)

    assert ["session.created", "error", "error"] == [event["type"] for event in told]
    assert {"insufficient_quota"} == {event["error"]["code"] for event in told[1:]}
    assert (1011, "insufficient_quota") == (socket.close_code, socket.close_reason)
    assert 2 == len(glm.calls)
    assert [True, True] == [bool(gateway.desk.health.standings(name)) for name in ("poor", "rich")]
    await eventually(lambda: gateway.slots == 0)


async def test_what_one_account_lacks_is_not_why_the_connection_of_another_is_lost(
    start_gateway: StartGateway, glm: GlmCalls
) -> None:
    """The client is told what ended its call."""
    glm.poor_keys = {"poor.key"}
    gateway = await start_gateway(realtime_url=glm.url, accounts=(POOR, RICH))

    async with connect(socket_url(gateway), additional_headers=HEADERS, proxy=None) as socket:
        await glm.call()
        await (await glm.call()).hang_up()  # before it has confirmed anything
        told = await rest(socket)

    assert ["session.created", "error"] == [event["type"] for event in told]
    assert "The connection to GLM was lost (close code 1000)." in told[-1]["error"]["message"]
    assert 1011 == socket.close_code
    await eventually(lambda: gateway.slots == 0)


async def test_client_that_leaves_while_its_call_goes_to_another_account_gives_its_slot_back(
    start_gateway: StartGateway, glm: GlmCalls
) -> None:
    """Neither the account that is left nor the one that is reached keeps it."""
    glm.poor_keys = {"poor.key"}
    gateway = await start_gateway(realtime_url=glm.url, accounts=(POOR, RICH))
    async with connect(socket_url(gateway), additional_headers=HEADERS, proxy=None):
        first = await glm.call()
        glm.picks_up.clear()
        glm.rings.clear()
        await glm.rings.wait()
        assert 1 == gateway.slots

    await eventually(lambda: gateway.slots == 0)
    await ended(gateway)
    glm.picks_up.set()
    await first.gone.wait()


async def test_account_is_set_aside_when_its_balance_ends_in_a_call(
    start_gateway: StartGateway, glm: GlmCalls
) -> None:
    """The call goes on, and its client is told; the next one goes to another account."""
    glm.answers = [refuse_for_want_of_balance]
    gateway = await start_gateway(realtime_url=glm.url, accounts=(POOR, RICH))

    async with connect(socket_url(gateway), additional_headers=HEADERS, proxy=None) as socket:
        call = await glm.call()
        await socket.send(json.dumps({"type": "response.create"}))
        codes = []
        while (event := json.loads(await socket.recv()))["type"] != "response.done":
            codes += [event["error"]["code"]] if event["type"] == "error" else []
        asked = call.authorization.removeprefix("Bearer ").partition(".")[0]

        assert ["insufficient_quota"] == codes
        assert [True] == [bool(gateway.desk.health.standings(asked))]
        assert 1 == len(glm.calls)


async def refuse_for_want_of_balance(call: GlmCall) -> None:
    await call.say(type="error", error={"code": "1113", "message": "余额不足"})


async def test_handshake_is_tried_again_when_glm_fails(gateway: Gateway, glm: GlmCalls) -> None:
    """Nothing was said to the client yet."""
    glm.refusal = (500, {"error": {"code": "500", "message": "x"}})
    opening = asyncio.get_running_loop().create_task(open_call(gateway))
    await eventually(lambda: glm.refused > 0)
    glm.refusal = None

    await opening

    await ended(gateway)
    assert ("ok", 101) == (gateway.record.outcome, gateway.record.status)
    assert 1 <= gateway.record.retries


async def test_handshake_is_tried_again_when_glm_hangs_up_in_it(gateway: Gateway, glm: GlmCalls) -> None:
    """As one does that is replaced just then: at the beginning of a call, and where one is lost."""
    glm.drops = 1
    async with sdk(gateway).realtime.connect(model=MODEL) as connection:
        await read_until(connection, "session.created")
        first = await glm.call()
        await connection.session.update(session={"type": "realtime", "instructions": "Be brief."})
        await read_until(connection, "session.updated")
        glm.drops = 1
        first.cut()
        second = await glm.call()
        await second.expect("session.update")

    await ended(gateway)
    assert ("ok", 101, 1) == (gateway.record.outcome, gateway.record.status, gateway.record.retries)
    assert ["connect"] * 2 == [fault.kind for fault in gateway.record.faults if fault.kind == "connect"]


async def open_call(gateway: Gateway) -> None:
    async with sdk(gateway).realtime.connect(model=MODEL) as connection:
        await read_until(connection, "session.created")


async def test_lost_connection_to_glm_is_replaced(gateway: Gateway, glm: GlmCalls) -> None:
    """The client notices nothing but the response that was lost; GLM is told everything again."""
    async with sdk(gateway).realtime.connect(model=MODEL) as connection:
        first = await glm.call()
        await connection.session.update(session={"type": "realtime", "instructions": "Be brief."})
        await read_until(connection, "session.updated")
        await connection.conversation.item.create(item=TEXT)
        await read_until(connection, "conversation.item.done")
        first.cut()
        second = await glm.call()
        replayed = await second.expect("conversation.item.create")
        glm.answers = [speak]
        await connection.response.create()
        await read_until(connection, "response.done")

    assert "Hello?" == replayed["item"]["content"][0]["text"]
    assert (
        "Be brief.\n\nWhat was said so far:\nUser: Hello?"
        == second.of("session.update")[0]["session"]["instructions"]
    )
    await ended(gateway)
    assert gateway.record.session is not None
    assert 1 == gateway.record.session.reconnects


async def test_session_ends_when_glm_does_not_come_back(gateway: Gateway, glm: GlmCalls) -> None:
    """An error that says so, then 1011; the slot is free."""
    async with connect(socket_url(gateway), additional_headers=HEADERS, proxy=None) as socket:
        call = await glm.call()
        await call.expect("session.update")
        glm.refusal = (500, {"error": {"code": "500", "message": "x"}})
        call.cut()
        events = await rest(socket)

    assert "error" == events[-1]["type"]
    assert (1011, 0) == (socket.close_code, gateway.slots)


@pytest.mark.parametrize(
    ("seconds", "losses", "replaced"),
    [pytest.param(0.0, 4, 3, id="at once"), pytest.param(61.0, 5, 5, id="now and then")],
)
async def test_connections_are_replaced_for_as_long_as_they_hold(
    gateway: Gateway, glm: GlmCalls, monkeypatch: pytest.MonkeyPatch, *, seconds: float, losses: int, replaced: int
) -> None:
    """A GLM that ends connections at its time limit ends no call; one that hangs up again and again does."""
    clock, later = gateway.desk.clock, 0.0
    monkeypatch.setattr(gateway.desk, "clock", lambda: clock() + later)
    async with connect(socket_url(gateway), additional_headers=HEADERS, proxy=None) as socket:
        for _ in range(losses):
            call = await glm.call()
            await call.expect("session.update")
            await call.catch_up()
            assert socket.close_code is None
            later += seconds
            await call.hang_up(1001)
        await (glm.call() if seconds else socket.wait_closed())

    await ended(gateway)
    assert gateway.record.session is not None
    assert (replaced, seconds == 0) == (
        gateway.record.session.reconnects,
        gateway.record.session.close_code == 1011,
    )


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param((503, {}), id="restarts"),
        pytest.param((500, {"error": {"code": "1234", "message": "x"}}), id="fails"),
        pytest.param((429, {"error": {"code": "1302", "message": "x"}}), id="counts the lost one still"),
    ],
)
async def test_lost_connection_is_replaced_although_glm_refuses_at_first(
    gateway: Gateway, glm: GlmCalls, refusal: Any
) -> None:
    """What may be tried again when a call begins may be when it goes on."""
    async with connect(socket_url(gateway), additional_headers=HEADERS, proxy=None):
        first = await glm.call()
        await first.expect("session.update")
        await first.catch_up()
        glm.refusal = refusal
        glm.rings.clear()
        first.cut()
        await glm.rings.wait()
        glm.refusal = None
        second = await glm.call()
        await second.expect("session.update")
        assert 1 == gateway.slots

    await ended(gateway)
    assert ("ok", 1) == (gateway.record.outcome, glm.refused)


async def test_goodbye_of_glm_is_an_end_although_the_connection_stays(gateway: Gateway, glm: GlmCalls) -> None:
    """Who has said goodbye and does not close is left; the call goes on with another connection."""
    async with sdk(gateway).realtime.connect(model=MODEL) as connection:
        await read_until(connection, "session.created")
        first = await glm.call()
        await first.expect("session.update")
        first.say_goodbye_and_stay()
        second = await glm.call()
        await second.expect("session.update")
        first.cut()
        assert 1 == gateway.slots


async def test_what_is_said_while_the_connection_is_replaced_is_heard(gateway: Gateway, glm: GlmCalls) -> None:
    """It waits for the new connection; the old one would lose it."""
    async with connect(socket_url(gateway), additional_headers=HEADERS, proxy=None) as socket:
        first = await glm.call()
        await first.expect("session.update")
        while json.loads(await socket.recv())["type"] != "session.created":
            pass
        glm.picks_up.clear()
        glm.rings.clear()
        first.cut()
        await glm.rings.wait()
        await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": VOICE}))
        await (await socket.ping())
        glm.picks_up.set()
        second = await glm.call()
        await second.expect_audio(seconds=0.09)


async def test_mistake_of_ours_ends_the_call(
    gateway: Gateway, glm: GlmCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong within, nobody is left waiting, and the slot is free."""
    async with connect(socket_url(gateway), additional_headers=HEADERS, proxy=None) as socket:
        call = await glm.call()
        await call.expect("session.update")
        clock = gateway.desk.clock

        def broken() -> float:
            monkeypatch.setattr(gateway.desk, "clock", clock)
            raise ZeroDivisionError

        monkeypatch.setattr(gateway.desk, "clock", broken)
        await call.say(type="response.audio.delta", delta=VOICE)
        await socket.wait_closed()

    assert 1011 == socket.close_code
    await ended(gateway)
    assert 0 == gateway.slots


async def test_session_expires(start_gateway: StartGateway, glm: GlmCalls) -> None:
    """At the longest duration there is an error with OpenAI's code, then 1001."""
    gateway = await start_gateway(realtime_url=glm.url, realtime=Realtime(max_session_seconds=0.2))
    async with connect(socket_url(gateway), additional_headers=HEADERS, proxy=None) as socket:
        events = await rest(socket)

    assert ("error", "session_expired") == (events[-1]["type"], events[-1]["error"]["code"])
    assert 1001 == socket.close_code
    await ended(gateway)
    assert ("ok", "gateway") == (
        gateway.record.outcome,
        gateway.record.session and gateway.record.session.closed_by,
    )


async def test_client_that_leaves_gives_its_slot_back(gateway: Gateway, glm: GlmCalls) -> None:
    """Even when it just drops the line while GLM speaks."""
    socket = await connect(socket_url(gateway), additional_headers=HEADERS, proxy=None)
    call = await glm.call()
    await socket.recv()
    socket.transport.abort()

    await eventually(lambda: gateway.slots == 0)
    async with asyncio.timeout(3):
        await call.gone.wait()


async def test_telephone_audio(gateway: Gateway, glm: GlmCalls) -> None:
    """G.711 both ways: 8 kHz up becomes 16 kHz, 24 kHz down becomes 8 kHz."""
    glm.answers = [partial(speak, pieces=10)]
    form: Any = {"type": "audio/pcmu"}
    async with sdk(gateway).realtime.connect(model=MODEL) as connection:
        call = await glm.call()
        await connection.session.update(
            session={
                "type": "realtime",
                "audio": {"input": {"format": form, "turn_detection": None}, "output": {"format": form}},
            }
        )
        await connection.input_audio_buffer.append(audio=base64.b64encode(b"\xff" * 8000).decode())
        await connection.input_audio_buffer.commit()
        await connection.response.create()
        events = await read_until(connection, "response.done")

    assert 32_000 == len(call.audio)
    audio = b"".join(
        base64.b64decode(event["delta"]) for event in events if event["type"] == "response.output_audio.delta"
    )
    assert 8000 == len(audio)


@pytest.mark.parametrize("path", ["/realtime/calls", "/realtime"])
async def test_webrtc_is_not_offered(gateway: Gateway, client: Any, path: str) -> None:
    """The error names what there is instead."""
    answer = await client.post(f"{gateway.url}{path}", content=b"v=0", headers={"content-type": "application/sdp"})

    assert (501, "not_implemented") == (answer.status_code, answer.json()["error"]["code"])
    assert "WebSocket" in answer.json()["error"]["message"]


async def test_client_that_sends_too_fast_is_held_back_and_loses_nothing(gateway: Gateway, glm: GlmCalls) -> None:
    """
    A hundred seconds of sound at once arrive whole, in their order, in messages that GLM may be sent.

    Half a minute may wait in the gateway; the ping behind it all is read when little more than that does.
    """
    ramp = array("h", [place * 40 // 24_000 for place in range(24_000 * 100)]).tobytes()
    async with connect(socket_url(gateway), additional_headers=HEADERS, proxy=None) as socket:
        call = await glm.call()
        for start in range(0, len(ramp), 4800):
            audio = base64.b64encode(ramp[start : start + 4800]).decode()
            await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        await (await socket.ping())
        await call.catch_up()
        assert len(call.audio) > 45 * 32_000
        async with asyncio.timeout(20):
            await call.expect_audio(seconds=99.9)

    heard = array("h", call.audio)
    assert all(one <= other + 1 for one, other in itertools.pairwise(heard[::1600]))
    assert call.frames < 600


async def test_client_that_leaves_while_glm_takes_nothing_gives_its_slot_back(
    gateway: Gateway, glm: GlmCalls
) -> None:
    """GLM's silence does not hide that the client has gone."""
    async with connect(socket_url(gateway), additional_headers=HEADERS, proxy=None) as socket:
        call = await glm.call()
        await call.expect("session.update")
        call.stop_reading()
        await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": "AAAA" * 64}))
        assert 1 == gateway.slots

    await eventually(lambda: gateway.slots == 0)


async def test_client_that_leaves_while_glm_is_reached_anew_gives_its_slot_back(
    gateway: Gateway, glm: GlmCalls
) -> None:
    """Whatever it said meanwhile does not hide that it has gone."""
    clear = json.dumps({"type": "input_audio_buffer.clear"})
    async with connect(socket_url(gateway), additional_headers=HEADERS, proxy=None) as socket:
        call = await glm.call()
        await socket.send(clear)
        await call.expect("input_audio_buffer.clear")
        glm.picks_up.clear()
        glm.rings.clear()
        call.cut()
        await glm.rings.wait()
        for _ in range(3):
            await socket.send(clear)
        assert 1 == gateway.slots

    await eventually(lambda: gateway.slots == 0)
    glm.picks_up.set()


async def test_glm_that_takes_nothing_is_given_up(gateway: Gateway, glm: GlmCalls) -> None:
    """After ten seconds, by a clock that runs fast, the session goes on with another connection."""
    gateway.desk.clock = hurrying
    frame = {"type": "input_audio_buffer.append_video_frame", "video_frame": LARGE_JPEG}
    async with connect(socket_url(gateway), additional_headers=HEADERS, compression=None) as socket:
        call = await glm.call()
        await call.expect("session.update")
        call.stop_reading()
        for _ in range(16):
            await socket.send(json.dumps(frame))
        async with asyncio.timeout(30):
            other = await glm.call()
            await other.expect("session.update")


async def test_client_that_takes_nothing_is_given_up(gateway: Gateway, glm: GlmCalls) -> None:
    """After a minute, by a clock that runs fast, its slot is free."""
    gateway.desk.clock = hurrying
    glm.answers = [partial(speak, pieces=2000)]
    narrow = connect_narrowly(gateway.origin)
    async with connect(socket_url(gateway), sock=narrow, additional_headers=HEADERS, compression=None) as deaf:
        await deaf.send(json.dumps({"type": "response.create"}))
        await ended(gateway)
        deaf.transport.abort()

    session = gateway.record.session
    assert (0, "client") == (gateway.slots, session and session.closed_by)


def hurrying() -> float:
    """Give the time of a clock by which a second lasts 20 ms."""
    return time.perf_counter() * 50


async def test_model_of_which_nothing_more_is_known_can_be_called(
    start_gateway: StartGateway, glm: GlmCalls, tmp_path: Path
) -> None:
    """An operator's row need not name voices."""
    rows = tmp_path / "models.toml"
    rows.write_text(
        '[[models]]\nid = "glm-realtime-next"\noperations = ["realtime"]\n'
        "limits = { V0 = 1, V1 = 1, V2 = 1, V3 = 1 }\n"
        'limits_source = "documented"\nsource = "the operator; read 2026-11"\n'
    )
    gateway = await start_gateway(realtime_url=glm.url, models_file=rows)
    async with sdk(gateway).realtime.connect(model="glm-realtime-next") as connection:
        (created,) = await read_until(connection, "session.created")
        assert "realtime" == created["session"]["type"]
        call = await glm.call()
        await call.expect("session.update")
