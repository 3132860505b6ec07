"""What one replica's answers leave behind, another's requests find, where they share a Redis."""

from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from gateway.settings.schema import Embeddings, Redis
from gateway.settings.secret import Secret
from gateway.simulator import Running
from gateway.simulator.book import Place
from tests.conftest import StartGateway
from tests.contract.conftest import Connect
from tests.fakes import DONE, Zhipu, chunk, completion, last_chunk
from tests.redis_server import RedisServer
from tests.running import LARGEST_ACCOUNT

PLACE = Place(LARGEST_ACCOUNT.name, "embedding-3")
TOOLS: Any = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
QUESTION: Any = {"role": "user", "content": "Hello!"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
RESULT: Any = {"role": "tool", "tool_call_id": "call_1", "content": "1"}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_reasoning_is_put_back_by_another_replica(
    start_gateway: StartGateway, zhipu: Zhipu, redis: RedisServer, connect: Connect, *, stream: bool
) -> None:
    """GLM sees what it thought, though the client dropped it and came back elsewhere."""
    shared = Redis(url=Secret(redis.url))
    one, other = [await start_gateway(upstream_url=zhipu.url, redis=shared) for _ in range(2)]
    thought = completion("", finish_reason="tool_calls", reasoning_content="because", tool_calls=[CALL])
    streamed = (chunk(reasoning_content="because"), chunk(tool_calls=[{**CALL, "index": 0}]))
    zhipu.script = [
        (lambda call: call.stream(*streamed, last_chunk("tool_calls"), DONE))
        if stream
        else (lambda call: call.answer(thought)),
        lambda call: call.answer(completion()),
    ]

    first: ChatCompletion
    if stream:
        async with connect(one).chat.completions.stream(
            model="glm-4.7", messages=[QUESTION], tools=TOOLS
        ) as events:
            first = await events.get_final_completion()
    else:
        first = await connect(one).chat.completions.create(model="glm-4.7", messages=[QUESTION], tools=TOOLS)
    calls: Any = [call.to_dict() for call in first.choices[0].message.tool_calls or ()]
    turns: Any = [QUESTION, {"role": "assistant", "tool_calls": calls}, RESULT]
    await connect(other).chat.completions.create(model="glm-4.7", messages=turns, tools=TOOLS)

    assert "because" == zhipu.calls[1].body["messages"][1].get("reasoning_content")


async def test_text_embedded_by_one_replica_is_known_to_another(
    start_gateway: StartGateway, simulator: Running, redis: RedisServer, connect: Connect
) -> None:
    """The same vector, and Zhipu is asked once."""
    settings: dict[str, Any] = {"redis": Redis(url=Secret(redis.url)), "embeddings": Embeddings(cache_seconds=60)}
    one, other = [connect(await start_gateway(upstream_url=simulator.url, **settings)) for _ in range(2)]

    answers = [
        await client.embeddings.with_raw_response.create(model="embedding-3", input=["one", "two"])
        for client in (one, other)
    ]

    assert ["miss", "hit"] == [answer.headers["x-gateway-cache"] for answer in answers]
    first, second = [[datum.embedding for datum in answer.parse().data] for answer in answers]
    assert first == second
    assert 1 == simulator.simulator.book.accepted[PLACE]


async def test_requests_are_answered_when_redis_is_away(
    start_gateway: StartGateway, simulator: Running, own_redis: RedisServer, connect: Connect
) -> None:
    """What is not recalled is asked for again, and the caller is told no more than that."""
    shared = Redis(url=Secret(own_redis.url))
    gateway = await start_gateway(
        upstream_url=simulator.url, redis=shared, embeddings=Embeddings(cache_seconds=60)
    )
    client = connect(gateway)
    await client.embeddings.create(model="embedding-3", input="one")
    own_redis.kill()

    answers = [
        await client.embeddings.with_raw_response.create(model="embedding-3", input="one") for _ in range(5)
    ]

    assert ["miss"] * 5 == [answer.headers["x-gateway-cache"] for answer in answers]
