"""OpenAI's own SDK, unchanged, asks for legacy completions."""

from collections.abc import AsyncIterator, Awaitable, Callable

import openai
import pytest

from gateway.simulator import Running
from tests.fakes import KEY
from tests.running import Gateway

StartGateway = Callable[..., Awaitable[Gateway]]

MODEL = "glm-4.7"


@pytest.fixture
async def gateway(start_gateway: StartGateway, simulator: Running) -> Gateway:
    return await start_gateway(upstream_url=simulator.url)


@pytest.fixture
async def sdk(gateway: Gateway) -> AsyncIterator[openai.AsyncOpenAI]:
    http = openai.DefaultAsyncHttpxClient(trust_env=False, verify=False)
    async with openai.AsyncOpenAI(api_key=KEY, base_url=gateway.url, max_retries=0, http_client=http) as client:
        yield client


async def test_prompts_are_answered(sdk: openai.AsyncOpenAI, gateway: Gateway) -> None:
    answer = await sdk.completions.create(model=MODEL, prompt=["Say bonjour", "Say hola"])

    assert ["bonjour", "hola"] == [choice.text for choice in answer.choices]
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 0
    assert "completions" == gateway.record.operation
    assert 0 == gateway.slots


async def test_texts_are_streamed(sdk: openai.AsyncOpenAI) -> None:
    stream = await sdk.completions.create(
        model=MODEL, prompt=["Count from 1 to 3", "Say hola"], stream=True, stream_options={"include_usage": True}
    )
    texts = {0: "", 1: ""}
    usages = []
    async for chunk in stream:
        for choice in chunk.choices:
            texts[choice.index] += choice.text
        usages += [chunk.usage] if chunk.usage is not None else []

    assert {0: "1 2 3", 1: "hola"} == texts
    assert 1 == len(usages)
