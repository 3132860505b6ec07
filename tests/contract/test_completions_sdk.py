"""OpenAI's own SDK, unchanged, asks for legacy completions."""

import openai
import pytest

from gateway.simulator import Running
from tests.conftest import StartGateway
from tests.contract.conftest import Connect
from tests.running import Gateway

MODEL = "glm-4.7"


@pytest.fixture
async def gateway(start_gateway: StartGateway, simulator: Running) -> Gateway:
    return await start_gateway(upstream_url=simulator.url)


@pytest.fixture
def sdk(gateway: Gateway, connect: Connect) -> openai.AsyncOpenAI:
    return connect(gateway)


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
