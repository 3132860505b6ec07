"""OpenAI's own SDK, opened as Azure's client, which asks by other addresses and names the model in them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import openai
import pytest

from gateway.simulator import Running
from tests.conftest import StartGateway
from tests.fakes import KEY
from tests.recordings import tone, wav_of
from tests.running import Gateway

MODEL = "glm-4.7"
HELLO: Any = [{"role": "user", "content": "Say hola"}]
OPTIONS = [
    pytest.param({"azure_endpoint": "{origin}"}, id="a resource"),
    pytest.param({"azure_endpoint": "{origin}", "azure_deployment": MODEL}, id="a deployment"),
    pytest.param({"base_url": "{origin}/v1"}, id="a base address"),
    pytest.param({"base_url": "{origin}"}, id="a base address without the version"),
]

Azure = Callable[..., openai.AsyncAzureOpenAI]


@pytest.fixture
async def gateway(start_gateway: StartGateway, simulator: Running) -> Gateway:
    return await start_gateway(upstream_url=simulator.url)


@pytest.fixture
async def azure(gateway: Gateway) -> AsyncIterator[Azure]:
    """Open the SDK by options of its own."""
    async with AsyncExitStack() as stack:

        def client(**options: str) -> openai.AsyncAzureOpenAI:
            given: dict[str, Any] = {name: value.format(origin=gateway.origin) for name, value in options.items()}
            http = openai.DefaultAsyncHttpxClient(trust_env=False)
            opened = openai.AsyncAzureOpenAI(
                api_key=KEY, api_version="2024-10-21", max_retries=0, http_client=http, **given
            )
            stack.push_async_callback(opened.close)
            return opened

        yield client


@pytest.mark.parametrize("options", OPTIONS)
async def test_chats_are_answered(azure: Azure, gateway: Gateway, options: dict[str, str]) -> None:
    answer = await azure(**options).chat.completions.create(model=MODEL, messages=HELLO)

    assert ("hola", MODEL) == (answer.choices[0].message.content, answer.model)
    assert "chat" == gateway.record.operation
    assert 0 == gateway.slots


@pytest.mark.parametrize("options", OPTIONS)
async def test_chats_are_streamed(azure: Azure, options: dict[str, str]) -> None:
    stream = await azure(**options).chat.completions.create(model=MODEL, messages=HELLO, stream=True)

    assert "hola" == "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


@pytest.mark.parametrize("named", ["whatever", None], ids=["another", "none"])
async def test_address_names_the_model(azure: Azure, named: Any) -> None:
    """At Azure what the body says of the model counts for nothing; LangChain's client says null."""
    client = azure(azure_endpoint="{origin}", azure_deployment=MODEL)
    answer = await client.chat.completions.create(model=named, messages=HELLO)

    assert MODEL == answer.model


async def test_unknown_deployment_is_told_as_an_unknown_model(azure: Azure) -> None:
    with pytest.raises(openai.NotFoundError, match="nobodys") as caught:
        await azure(azure_endpoint="{origin}", azure_deployment="nobodys").chat.completions.create(
            model=MODEL, messages=HELLO
        )

    assert "model_not_found" == caught.value.code


async def test_other_routes_are_served(azure: Azure) -> None:
    client = azure(azure_endpoint="{origin}")
    vectors = await client.embeddings.create(model="embedding-3", input=["a", "b"])
    response = await client.responses.create(model=MODEL, input="Say hola")
    models = [model.id async for model in client.models.list()]

    assert 2 == len(vectors.data)
    assert "hola" == response.output_text
    assert MODEL in models


async def test_recordings_are_written_down(azure: Azure, gateway: Gateway) -> None:
    """The deployment is that which writes down, whatever the form says."""
    client = azure(azure_endpoint="{origin}", azure_deployment="glm-asr-2512")
    recording = wav_of(tone(seconds=1.0, sample_rate=16_000))
    await client.audio.transcriptions.create(model="whatever", file=("a.wav", recording))

    assert ("transcription", "glm-asr-2512") == (gateway.record.operation, gateway.record.model)


async def test_body_that_is_no_json_is_refused_as_one(gateway: Gateway) -> None:
    """There is nothing to name the model in."""
    url = f"{gateway.origin}/openai/deployments/{MODEL}/chat/completions"
    async with openai.DefaultAsyncHttpxClient(trust_env=False) as http:
        answer = await http.post(
            url, content=b'{"messages"', headers={"api-key": KEY, "content-type": "application/json"}
        )

    assert (400, "invalid_request_error") == (answer.status_code, answer.json()["error"]["type"])
