"""OpenAI's own SDK, unchanged, gets GLM's vectors: to the bit, in order, however many there are."""

import asyncio
import struct
from typing import Any

import httpx
import msgspec
import openai
import pytest

from gateway.simulator import Running, create_simulator, running
from gateway.simulator.book import Place
from gateway.simulator.embeddings.vectors import embed
from gateway.simulator.faults import Error
from gateway.simulator.platform import Latency
from tests.conftest import StartGateway
from tests.contract.conftest import Connect
from tests.fakes import Zhipu
from tests.running import LARGEST_ACCOUNT, Gateway

PLACE = Place(LARGEST_ACCOUNT.name, "embedding-3")
MANY = [f"text number {number}" for number in range(2048)]


def float32(numbers: list[float]) -> list[float]:
    return list(struct.unpack(f"<{len(numbers)}f", struct.pack(f"<{len(numbers)}f", *numbers)))


async def test_vectors_are_glms_to_the_bit_when_nothing_is_said(sdk: openai.AsyncOpenAI) -> None:
    """The SDK asks for base64 by itself, and decodes float32."""
    answer = await sdk.embeddings.create(
        model="text-embedding-3-large", input=["hello world", "你好", "hello world"]
    )

    expected = [float32(embed(text, dimensions=2048)) for text in ("hello world", "你好", "hello world")]
    assert expected == [one.embedding for one in answer.data]
    assert [0, 1, 2] == [one.index for one in answer.data]
    assert "embedding-3" == answer.model
    assert (3, 3) == (answer.usage.prompt_tokens, answer.usage.total_tokens)
    assert {"prompt_tokens", "total_tokens"} == answer.usage.model_dump().keys()


async def test_numbers_are_glms_own_when_floats_are_asked_for(sdk: openai.AsyncOpenAI) -> None:
    """With all their digits."""
    answer = await sdk.embeddings.create(
        model="embedding-3", input="hello", encoding_format="float", dimensions=256
    )

    assert [embed("hello", dimensions=256)] == [one.embedding for one in answer.data]


@pytest.mark.parametrize(
    ("ids", "texts"),
    [
        pytest.param([15339, 1917], ["hello world"], id="of a text"),
        pytest.param([[15339, 1917], [57668, 53901]], ["hello world", "你好"], id="of texts"),
    ],
)
async def test_token_ids_are_embedded_as_their_text(sdk: openai.AsyncOpenAI, ids: Any, texts: list[str]) -> None:
    """LangChain sends them unless it is told not to."""
    by_ids = await sdk.embeddings.create(model="embedding-3", input=ids)
    by_text = await sdk.embeddings.create(model="embedding-3", input=texts)

    assert by_text.data == by_ids.data


async def test_embedding_2_has_its_one_size(sdk: openai.AsyncOpenAI) -> None:
    """Which may be said, and is not sent."""
    answer = await sdk.embeddings.create(model="embedding-2", input="hello", dimensions=1024)

    assert [float32(embed("hello", dimensions=1024))] == [one.embedding for one in answer.data]


async def test_2048_inputs_are_answered_when_the_tier_allows_four_calls(
    start_gateway: StartGateway, connect: Connect
) -> None:
    """In order and as one, never more than four at once, and all tokens are counted."""
    limit = {"V0": 4, "V1": 4, "V2": 4, "V3": 4}
    zhipu = create_simulator(limits={"embedding-3": (4, 4, 4, 4)}, latency=Latency(first_byte_seconds=0.05))
    with running(zhipu) as standing:
        gateway = await start_gateway(upstream_url=standing.url, limits={"embedding-3": limit})
        answer = await connect(gateway).embeddings.create(model="embedding-3", input=MANY, dimensions=256)

    assert list(range(2048)) == [one.index for one in answer.data]
    assert [float32(embed(text, dimensions=256)) for text in MANY] == [one.embedding for one in answer.data]
    assert (32, 4, 0) == (zhipu.book.accepted[PLACE], zhipu.book.peak[PLACE], zhipu.book.refused[PLACE])
    assert answer.usage.prompt_tokens == gateway.record.input_tokens > 2048 * 3
    assert ("embeddings", "ok", 0) == (gateway.record.operation, gateway.record.outcome, gateway.slots)


def answered(body: dict[str, Any]) -> dict[str, Any]:
    """Give a vector of one number for each text of a call."""
    data = [{"object": "embedding", "index": at, "embedding": [0.5]} for at in range(len(body["input"]))]
    return {
        "object": "list",
        "model": "embedding-3",
        "data": data,
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
    }


async def test_small_request_does_not_wait_for_a_large_one_of_the_same_caller(
    start_gateway: StartGateway, zhipu: Zhipu, connect: Connect
) -> None:
    """The large one takes a slot for each call, and has to line up for every one anew."""
    gateway = await start_gateway(
        upstream_url=zhipu.url, limits={"embedding-3": {"V0": 2, "V1": 2, "V2": 2, "V3": 2}}
    )
    sdk = connect(gateway)
    async with asyncio.TaskGroup() as tasks:
        large = tasks.create_task(sdk.embeddings.create(model="embedding-3", input=MANY))
        under_way = [await zhipu.call(), await zhipu.call()]
        small = tasks.create_task(sdk.embeddings.create(model="embedding-3", input="small"))
        while not gateway.waiting:  # noqa: ASYNC110 - a line has no event; the test's time limit ends what never is
            await asyncio.sleep(0)
        under_way[0].answer(answered(under_way[0].body))
        following = await zhipu.call()

        assert ["small"] == following.body["input"]
        following.answer(answered(following.body))
        assert 1 == len((await small).data)
        under_way[1].answer(answered(under_way[1].body))
        for _ in range(30):
            call = await zhipu.call()
            call.answer(answered(call.body))

    assert 2048 == len((await large).data)


async def test_whole_request_fails_when_one_call_does(gateway: Gateway, zhipu: Zhipu, connect: Connect) -> None:
    """With one clear error; the other calls are cut off, and their slots are free."""
    asked = asyncio.ensure_future(connect(gateway).embeddings.create(model="embedding-3", input=MANY[:192]))
    first, second, third = [await zhipu.call() for _ in range(3)]
    first.answer(answered(first.body))

    second.refuse("1301", status=400)

    with pytest.raises(openai.BadRequestError, match="GLM 1301"):
        await asked
    await third.gone.wait()
    assert 0 == gateway.slots
    assert ("client_error", 1) == (gateway.record.outcome, gateway.record.input_tokens)


async def test_call_is_repeated_when_glm_has_a_hiccup(simulator: Running, sdk: openai.AsyncOpenAI) -> None:
    """Only that one, and nobody notices."""
    simulator.simulator.script.add([Error(code="500", contains="text number 70")])

    answer = await sdk.embeddings.create(model="embedding-3", input=MANY[:128], dimensions=256)

    assert [float32(embed(text, dimensions=256)) for text in MANY[:128]] == [one.embedding for one in answer.data]
    assert 3 == simulator.simulator.book.accepted[PLACE]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        pytest.param({"input": []}, "input", id="no inputs"),
        pytest.param({"input": ["a", ""]}, "input[1]", id="empty input"),
        pytest.param({"input": [[15339], [100256]]}, "input[1][0]", id="unknown token"),
        pytest.param({"input": ["a"] * 2049}, "input", id="too many inputs"),
        pytest.param({"dimensions": 768}, "dimensions", id="dimensions"),
        pytest.param({"model": "glm-4.7"}, "model", id="chat model"),
    ],
)
async def test_wrong_request_is_a_bad_request(sdk: openai.AsyncOpenAI, fields: dict[str, Any], param: str) -> None:
    """Which names what is wrong, and costs no call."""
    request: dict[str, Any] = {"model": "embedding-3", "input": "a", "encoding_format": "float"} | fields

    with pytest.raises(openai.BadRequestError) as raised:
        await sdk.embeddings.create(**request)

    assert param == raised.value.param


async def test_input_is_named_when_it_is_too_long_for_glm(sdk: openai.AsyncOpenAI) -> None:
    """GLM refuses the call and does not say which text it means."""
    with pytest.raises(openai.BadRequestError, match="at most 3,072") as raised:
        await sdk.embeddings.create(model="embedding-3", input=[*MANY[:100], "word " * 4000])

    assert ("input[100]", "context_length_exceeded") == (raised.value.param, raised.value.code)


@pytest.mark.parametrize("path", ["/v1/embeddings", "/embeddings"])
async def test_vectors_are_answered_with_and_without_v1(
    start_gateway: StartGateway, simulator: Running, client: httpx.AsyncClient, path: str
) -> None:
    """As numbers for those who only know curl; what has no effect is listed."""
    gateway = await start_gateway(upstream_url=simulator.url)
    request = {"model": "embedding-3", "input": "hello", "dimensions": 256, "user": "somebody"}

    answer = await client.post(f"{gateway.origin}{path}", json=request)

    assert 200 == answer.status_code
    assert "user" == answer.headers["x-gateway-ignored"]
    assert embed("hello", dimensions=256) == msgspec.json.decode(answer.content)["data"][0]["embedding"]
