"""Responses that are kept, and those made in the background: in one process, and in replicas that share."""

import asyncio
import base64
import re
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import openai
import pytest
from openai.types.responses import Response
from openai.types.responses.response_item import ResponseItem

from gateway.auth import Tenant, digest
from gateway.settings.schema import Redis, Responses
from gateway.settings.secret import Secret
from gateway.translate.responses.kept import Kept, write
from tests.conftest import StartGateway
from tests.contract.conftest import Connect
from tests.fakes import KEY, Zhipu, completion
from tests.recordings import tone, wav_of
from tests.redis_server import RedisServer
from tests.running import SETTINGS, Gateway, listening

MODEL = "glm-4.7"
UNDER_WAY = ("queued", "in_progress")
OTHER_KEY = "sk-other-0123456789abcdef"
TENANTS = (*SETTINGS.tenants, Tenant(name="others", key_sha256=(digest(OTHER_KEY),), tier="V3"))


class Place:
    """Where responses are kept: ``one`` makes them, ``other`` is asked for them; ``stranger`` is no owner."""

    def __init__(self, one: Gateway, other: Gateway, connect: Connect) -> None:
        self.gateways = (one, other)
        self.one, self.other = connect(one), connect(other)
        self.stranger = connect(other, api_key=OTHER_KEY)


@pytest.fixture(params=["memory", "redis"])
async def place(
    request: pytest.FixtureRequest,
    start_gateway: StartGateway,
    zhipu: Zhipu,
    connect: Connect,
) -> Place:
    """Give one gateway that remembers by itself, or two that share a Redis."""
    settings: dict[str, Any] = {"upstream_url": zhipu.url, "tenants": TENANTS}
    if request.param == "memory":
        only = await start_gateway(**settings)
        return Place(only, only, connect)
    shared = Redis(url=Secret(request.getfixturevalue("redis").url))
    one, other = [await start_gateway(**settings, redis=shared) for _ in range(2)]
    return Place(one, other, connect)


async def made(place: Place, zhipu: Zhipu, said: str = "Hello.", **fields: Any) -> Response:
    zhipu.script.append(lambda call: call.answer(completion(said)))
    response: Response = await place.one.responses.create(model=MODEL, **{"input": "Hi"} | fields)
    return response


async def done(client: openai.AsyncOpenAI, response_id: str) -> Response:
    """Ask until a response is no longer under way, as its caller would."""
    while (response := await client.responses.retrieve(response_id)).status in UNDER_WAY:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return response


async def is_kept(client: openai.AsyncOpenAI, response_id: str) -> bool:
    try:
        await client.responses.retrieve(response_id)
    except openai.NotFoundError:
        return False
    return True


async def test_response_is_fetched_as_it_was_told(place: Place, zhipu: Zhipu) -> None:
    response = await made(place, zhipu)

    assert response == await place.other.responses.retrieve(response.id)


async def test_input_items_are_listed_page_by_page(place: Place, zhipu: Zhipu) -> None:
    first = await made(place, zhipu, "One.", input="a")
    second = await made(place, zhipu, "Two.", input="b", previous_response_id=first.id)

    items: list[ResponseItem] = [
        item async for item in place.other.responses.input_items.list(second.id, order="asc", limit=2)
    ]

    assert ["user", "assistant", "user"] == [getattr(item, "role", None) for item in items]
    assert len(items) == len({item.id for item in items})


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_input_items_that_share_an_id_are_listed_to_their_end(
    place: Place, zhipu: Zhipu, order: Any
) -> None:
    """As when a client goes on with a response and sends its items again, too: the SDK asks by the last id."""
    first = await made(place, zhipu, "One.", input="a")
    again: Any = [first.output[0].to_dict(), {"role": "user", "content": "b"}]
    second = await made(place, zhipu, "Two.", input=again, previous_response_id=first.id)

    items: list[str] = []
    async for item in place.other.responses.input_items.list(second.id, order=order, limit=1):
        items.append(item.id)
        assert len(items) <= 4

    assert 4 == len(items) == len({*items})


async def test_input_items_are_listed_whole(gateway: Gateway, connect: Connect, zhipu: Zhipu) -> None:
    """With all that the SDK's types require and callers may leave out, as it is in OpenAI's own examples."""
    strict = connect(gateway, _strict_response_validation=True)
    picture: Any = {"type": "input_image", "image_url": "https://example.com/a.png"}
    text: Any = {"type": "input_text", "text": "Look."}
    given: Any = [
        {"role": "user", "content": [text, picture]},
        {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Hm."}]},
        {"role": "assistant", "content": [{"type": "output_text", "text": "Ah.", "annotations": None}]},
        {"role": "assistant", "content": "Oh."},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": [text, {**picture, "detail": "low"}]},
    ]
    zhipu.script.append(lambda call: call.answer(completion("Nice.")))

    response = await strict.responses.create(model="glm-4.6v", input=given)
    items: Any = [item async for item in strict.responses.input_items.list(response.id, order="asc", limit=1)]

    asked, thought, *said, _, result = items
    assert ["message", "reasoning", "message", "message", "function_call", "function_call_output"] == [
        item.type for item in items
    ]
    assert ("auto", [], "low") == (asked.content[1].detail, thought.summary, result.output[1].detail)
    assert [("Ah.", [], []), ("Oh.", [], [])] == [
        (part.text, part.annotations, part.logprobs) for message in said for part in message.content
    ]


async def test_input_items_are_listed_whatever_was_left_out_or_added(place: Place, zhipu: Zhipu) -> None:
    """Parts of reasoning can be of one type only, which may go unsaid; what an item does not have is not read."""
    given: Any = [
        {"role": "user", "content": "Look."},
        {"type": "reasoning", "summary": [{"text": "So."}], "content": [{"text": "Hm."}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}", "content": ["?"]},
        {"type": "function_call_output", "call_id": "c", "output": "1", "content": [{}]},
    ]
    response = await made(place, zhipu, input=given)

    items: Any = [item async for item in place.other.responses.input_items.list(response.id, order="asc")]

    _, thought, call, _ = items
    assert ("summary_text", "reasoning_text") == (thought.summary[0].type, thought.content[0].type)
    assert ["?"] == call.content


async def test_deleted_response_is_gone(place: Place, zhipu: Zhipu) -> None:
    response = await made(place, zhipu)

    await place.other.responses.delete(response.id)

    for client in (place.one, place.other):
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(response.id)
        with pytest.raises(openai.NotFoundError):
            await client.responses.create(model=MODEL, input="Hi", previous_response_id=response.id)


async def test_response_of_another_tenant_is_not_there(place: Place, zhipu: Zhipu) -> None:
    """To everybody but its owner an id is one that never was, by every route."""
    response = await made(place, zhipu)
    stranger = place.stranger.responses

    for ask in (stranger.retrieve, stranger.delete, stranger.cancel, stranger.input_items.list):
        with pytest.raises(openai.NotFoundError) as caught:
            await ask(response.id)
        assert "response_not_found" == caught.value.code
    assert response == await place.one.responses.retrieve(response.id)


async def test_nothing_else_that_is_remembered_can_be_fetched(place: Place, zhipu: Zhipu) -> None:
    """The reasoning behind calls is in the same memory, and no response."""
    called = {"id": "call_9", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    thought = completion("", finish_reason="tool_calls", reasoning_content="because", tool_calls=[called])
    zhipu.script.append(lambda call: call.answer(thought))
    tool: Any = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}
    await place.one.responses.create(model=MODEL, input="Hi", tools=[tool])

    with pytest.raises(openai.NotFoundError):
        await place.one.responses.retrieve("call_9")
    with pytest.raises(openai.NotFoundError):
        await place.one.responses.create(model=MODEL, input="Hi", previous_response_id="call_9")


async def test_what_is_noted_beside_a_response_is_no_response(place: Place, zhipu: Zhipu) -> None:
    queued = await place.one.responses.create(model=MODEL, input="Hi", background=True)
    call = await zhipu.call()

    for note in ("alive", "cancel"):
        with pytest.raises(openai.NotFoundError):
            await place.one.responses.retrieve(f"{queued.id}:{note}")
        with pytest.raises(openai.NotFoundError):
            await place.one.responses.create(model=MODEL, input="Hi", previous_response_id=f"{queued.id}:{note}")
    call.answer(completion())
    await done(place.one, queued.id)


async def test_ids_cannot_be_guessed(place: Place, zhipu: Zhipu) -> None:
    """128 random bits in each, which no other of them tells anything about."""
    ids = [(await made(place, zhipu)).id for _ in range(3)]

    assert all(re.fullmatch("resp_[0-9a-f]{32}", one) for one in ids)
    assert 3 == len({one[5:9] for one in ids})


async def test_response_is_forgotten_when_its_time_is_over(
    start_gateway: StartGateway, zhipu: Zhipu, connect: Connect
) -> None:
    gateway = await start_gateway(upstream_url=zhipu.url, responses=Responses(store_seconds=0.3))
    sdk = connect(gateway)
    response = await made(Place(gateway, gateway, connect), zhipu)

    async with asyncio.timeout(10):
        while await is_kept(sdk, response.id):  # noqa: ASYNC110 - nobody tells when it is forgotten
            await asyncio.sleep(0.05)


async def test_no_more_is_kept_than_there_is_room_for(
    start_gateway: StartGateway, zhipu: Zhipu, connect: Connect
) -> None:
    """The oldest goes first; the newest is there."""
    gateway = await start_gateway(upstream_url=zhipu.url, responses=Responses(store_bytes=20_000))
    place = Place(gateway, gateway, connect)

    first, *_, last = [await made(place, zhipu) for _ in range(10)]

    with pytest.raises(openai.NotFoundError):
        await place.one.responses.retrieve(first.id)
    assert last == await place.one.responses.retrieve(last.id)


@pytest.mark.parametrize(
    ("path", "param"),
    [("?stream=true", "stream"), ("/input_items?limit=0", "limit"), ("/input_items?order=up", "order")],
)
async def test_bad_question_is_refused(place: Place, zhipu: Zhipu, path: str, param: str) -> None:
    response = await made(place, zhipu)

    with pytest.raises(openai.BadRequestError) as caught:
        await place.one.get(f"/responses/{response.id}{path}", cast_to=object)

    assert param == caught.value.param


@pytest.mark.parametrize("path", ["", "?stream=true", "/input_items?limit=0"])
async def test_nobody_without_a_key_is_told_what_is_wrong_with_a_question(
    gateway: Gateway, connect: Connect, path: str
) -> None:
    nobody = connect(gateway, api_key="sk-nobody")

    with pytest.raises(openai.AuthenticationError):
        await nobody.get(f"/responses/resp_{'0' * 48}{path}", cast_to=object)

    assert "kept_responses" == gateway.records[-1].operation


# In the background.


async def test_background_response_is_fetched_when_it_is_done(place: Place, zhipu: Zhipu) -> None:
    queued = await place.one.responses.create(model=MODEL, input="Hi", background=True)
    call = await zhipu.call()
    under_way = await place.other.responses.retrieve(queued.id)
    call.answer(completion("At last."))

    response = await done(place.other, queued.id)

    assert ("queued", "in_progress", "completed") == (queued.status, under_way.status, response.status)
    assert ("At last.", True) == (response.output_text, response.background)
    assert 0 == place.gateways[0].slots
    again = await made(place, zhipu, "And on.", previous_response_id=queued.id)
    assert "And on." == again.output_text


async def test_recording_is_heard_in_the_background(place: Place, zhipu: Zhipu) -> None:
    """Its request is made in a thread, which the one who asked hears of all the same."""
    hum = base64.b64encode(wav_of(tone(seconds=0.2))).decode()
    part: Any = {"type": "input_audio", "input_audio": {"data": hum, "format": "wav"}}
    zhipu.script.append(lambda call: call.answer(completion("A hum.")))

    queued = await place.one.responses.create(
        model="glm-4-voice", input=[{"role": "user", "content": [part]}], background=True
    )

    assert "A hum." == (await done(place.other, queued.id)).output_text


async def test_background_response_under_way_is_neither_built_upon_nor_deleted(place: Place, zhipu: Zhipu) -> None:
    queued = await place.one.responses.create(model=MODEL, input="Hi", background=True)
    call = await zhipu.call()

    with pytest.raises(openai.BadRequestError) as built:
        await place.other.responses.create(model=MODEL, input="Hi", previous_response_id=queued.id)
    with pytest.raises(openai.BadRequestError) as deleted:
        await place.other.responses.delete(queued.id)

    assert "response_not_done" == built.value.code == deleted.value.code
    call.answer(completion())
    await done(place.one, queued.id)


async def test_cancelled_response_ends_at_glm_too(place: Place, zhipu: Zhipu) -> None:
    queued = await place.one.responses.create(model=MODEL, input="Hi", background=True)
    call = await zhipu.call()

    cancelled = await place.other.responses.cancel(queued.id)
    await call.gone.wait()

    assert "cancelled" == cancelled.status
    assert "cancelled" == (await place.other.responses.cancel(queued.id)).status
    assert "cancelled" == (await done(place.one, queued.id)).status


async def test_response_that_is_not_in_the_background_cannot_be_cancelled(place: Place, zhipu: Zhipu) -> None:
    response = await made(place, zhipu)

    with pytest.raises(openai.BadRequestError) as caught:
        await place.one.responses.cancel(response.id)

    assert "not_in_background" == caught.value.code


async def test_failure_in_the_background_is_told_when_it_is_fetched(place: Place, zhipu: Zhipu) -> None:
    zhipu.script.append(lambda call: call.refuse("1301", status=400))
    queued = await place.one.responses.create(model=MODEL, input="Hi", background=True)

    response = await done(place.other, queued.id)

    assert "failed" == response.status
    assert response.error is not None
    assert "(GLM 1301)" in response.error.message


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"stream": True}, "stream"),
        ({"store": False}, "store"),
        ({"model": "glm-none"}, "model"),
        ({"tools": [{"type": "computer"}]}, "tools[0].type"),
    ],
)
async def test_request_that_cannot_be_served_is_refused_at_once(
    place: Place, fields: dict[str, Any], param: str
) -> None:
    asked: dict[str, Any] = {"model": MODEL, "input": "Hi", "background": True}

    with pytest.raises(openai.APIStatusError) as caught:
        await place.one.responses.create(**asked | fields)

    assert param == caught.value.param


async def test_response_of_a_dead_process_has_failed(place: Place) -> None:
    """Killed, it could say nothing; that it has not been heard of for long is how others know."""
    response = {"id": "resp_dead", "status": "in_progress", "output": [], "background": True}
    kept = Kept(response=msgspec.Raw(msgspec.json.encode(response)), context=[])
    memory = place.gateways[0].desk.memories["responses"]
    await memory.remember("team", {"resp_dead": write(kept), "resp_dead:alive": "1"})

    alive = await place.other.responses.retrieve("resp_dead")
    await memory.forget("team", ["resp_dead:alive"])
    found = await place.other.responses.retrieve("resp_dead")

    assert ("in_progress", "failed") == (alive.status, found.status)
    assert found.error is not None
    assert "server_error" == found.error.code


async def test_process_that_stops_tells_what_it_could_not_finish(zhipu: Zhipu, redis: RedisServer) -> None:
    settings = msgspec.structs.replace(SETTINGS, upstream_url=zhipu.url, redis=Redis(url=Secret(redis.url)))
    async with AsyncExitStack() as stack:
        http = openai.DefaultAsyncHttpxClient(trust_env=False, verify=False)
        sdk = await stack.enter_async_context(
            openai.AsyncOpenAI(api_key=KEY, base_url="http://nowhere", max_retries=0, http_client=http)
        )
        stopping, staying = Gateway(settings), Gateway(settings)
        staying.origin = await stack.enter_async_context(listening(staying.app))
        async with listening(stopping.app) as stopping.origin:
            sdk.base_url = stopping.url
            queued = await sdk.responses.create(model=MODEL, input="Hi", background=True)
            call = await zhipu.call()
        await call.gone.wait()
        sdk.base_url = staying.url

        response = await sdk.responses.retrieve(queued.id)

    assert "failed" == response.status


async def test_store_that_is_away_is_no_store_that_is_empty(
    start_gateway: StartGateway, zhipu: Zhipu, own_redis: RedisServer, connect: Connect
) -> None:
    """Nobody is told that what may still be there is gone, and nothing is begun that nobody could fetch."""
    gateway = await start_gateway(upstream_url=zhipu.url, redis=Redis(url=Secret(own_redis.url)))
    sdk = connect(gateway)
    zhipu.script.append(lambda call: call.answer(completion()))
    kept = await sdk.responses.create(model=MODEL, input="Hi")
    own_redis.kill()

    for ask in (
        sdk.responses.retrieve(kept.id),
        sdk.responses.delete(kept.id),
        sdk.responses.create(model=MODEL, input="Hi", previous_response_id=kept.id),
        sdk.responses.create(model=MODEL, input="Hi", background=True),
    ):
        with pytest.raises(openai.InternalServerError) as caught:
            await ask
        assert (503, "store_unavailable") == (caught.value.status_code, caught.value.code)

    zhipu.script.append(lambda call: call.answer(completion("As ever.")))
    assert "As ever." == (await sdk.responses.create(model=MODEL, input="Hi")).output_text


async def test_answer_outlives_an_outage_of_its_store(
    start_gateway: StartGateway, zhipu: Zhipu, own_redis: RedisServer, connect: Connect
) -> None:
    """What was made in the background while nothing could be kept is kept as soon as something can."""
    shared = Redis(url=Secret(own_redis.url))
    maker, other = [
        connect(await start_gateway(upstream_url=zhipu.url, redis=shared, lease_seconds=4)) for _ in range(2)
    ]
    queued = await maker.responses.create(model=MODEL, input="Hi", background=True)
    call = await zhipu.call()

    own_redis.kill()
    call.answer(completion("At last."))
    with pytest.raises(openai.InternalServerError):
        await maker.responses.retrieve(queued.id)
    own_redis.start()

    async with asyncio.timeout(20):
        while not await answers(other, queued.id):  # noqa: ASYNC110 - nobody tells when it is kept
            await asyncio.sleep(0.1)
    assert "At last." == (await other.responses.retrieve(queued.id)).output_text


async def answers(client: openai.AsyncOpenAI, response_id: str) -> bool:
    try:
        return await is_kept(client, response_id)
    except openai.InternalServerError:
        return False
