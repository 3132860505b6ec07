"""Zhipu's own SDK (PyPI ``zai-sdk``), unchanged, cannot tell the stand-in from the platform."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import zai
import zai.core

from gateway.simulator import DEMO_KEY, Running
from gateway.simulator.faults import Error, ErrorEvent

HELLO = [{"role": "user", "content": "Say hello world"}]
PIXELS = (  # a png of 3 x 2
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAC0lEQVR4nGNgwAQAABQAAX3+Hu4AAAAASUVORK5CYII="
)
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture
def connect(zhipu: Running) -> Iterator[Callable[..., Any]]:
    """Open the SDK's clients, without retries; Any, as its types do not tell streams from completions."""
    clients: list[Any] = []

    def open_client(key: str = DEMO_KEY, max_retries: int = 0, **settings: Any) -> Any:
        client = zai.ZaiClient(api_key=key, base_url=zhipu.url, max_retries=max_retries, **settings)
        clients.append(client)
        return client

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Callable[..., Any]) -> Any:
    return connect()


def test_chat_is_answered(client: Any) -> None:
    """Text, reasoning and usage are where the SDK looks for them."""
    completion = client.chat.completions.create(model="glm-4.7", messages=HELLO, temperature=0, top_p=1)

    message = completion.choices[0].message
    assert message.content == "hello world"
    assert message.reasoning_content.startswith("The user asks")
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    assert completion.request_id == completion.id


def test_chat_is_streamed(client: Any) -> None:
    """The SDK reads every chunk and the end."""
    chunks = list(client.chat.completions.create(model="glm-4.7", messages=HELLO, stream=True))

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "hello world"
    assert [chunk.choices[0].finish_reason for chunk in chunks][-2:] == [None, "stop"]
    assert chunks[-1].usage.completion_tokens == len(chunks) - 1


def test_function_is_called_and_its_result_used(client: Any) -> None:
    """A whole round: question, call, result, answer."""
    messages: list[Any] = [{"role": "user", "content": "What's the weather in Paris?"}]
    first = client.chat.completions.create(model="glm-4.7", messages=messages, tools=[WEATHER], tool_choice="auto")
    (call,) = first.choices[0].message.tool_calls
    messages += [
        first.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "rain"},
    ]

    second = client.chat.completions.create(model="glm-4.7", messages=messages, tools=[WEATHER])

    assert (call.function.name, call.function.arguments) == ("get_weather", '{"city":"Paris"}')
    assert second.choices[0].message.content == "get_weather says: rain"


def test_arguments_are_streamed_in_fragments(client: Any) -> None:
    """tool_stream gives arguments piece by piece."""
    stream = client.chat.completions.create(
        model="glm-4.7",
        messages=[{"role": "user", "content": "What's the weather in Paris?"}],
        tools=[WEATHER],
        stream=True,
        tool_stream=True,
        thinking={"type": "disabled"},
    )

    deltas = [chunk.choices[0].delta for chunk in stream]
    fragments = [delta.tool_calls[0].function.arguments for delta in deltas if delta.tool_calls]
    assert len(fragments) > 1
    assert "".join(fragments) == '{"city":"Paris"}'


def test_picture_is_taken_as_the_sdk_sends_it(client: Any) -> None:
    """The SDK strips the prefix of data URIs; what it sends is decoded."""
    uri = "data:image/png;base64," + PIXELS
    parts = [{"type": "image_url", "image_url": {"url": uri}}, {"type": "text", "text": "What is this?"}]

    completion = client.chat.completions.create(model="glm-4.6v", messages=[{"role": "user", "content": parts}])

    assert completion.choices[0].message.content == "I was sent a png picture, 3 x 2 pixels."


@pytest.mark.filterwarnings("ignore:The HMAC key is 16 bytes long")  # the platform's secrets are
def test_token_is_accepted_when_the_sdk_signs_one(zhipu: Running, connect: Callable[..., Any]) -> None:
    """With its token cache the SDK sends a JWT instead of the key."""
    connect(disable_token_cache=False).chat.completions.create(model="glm-4.7", messages=HELLO)

    authorization = zhipu.simulator.book.seen[-1].headers["authorization"]
    assert authorization.count(".") == 2


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("1210", zai.core.APIRequestFailedError),
        ("1003", zai.core.APIAuthenticationError),
        ("1302", zai.core.APIReachLimitError),
        ("1234", zai.core.APIInternalError),
    ],
)
def test_error_is_the_sdks_own_when_a_call_is_refused(
    zhipu: Running, client: Any, code: str, error: type[zai.core.APIStatusError]
) -> None:
    """Statuses become the SDK's exceptions, and its international client gets English."""
    zhipu.simulator.script.add([Error(code=code)])

    with pytest.raises(error) as raised:
        client.chat.completions.create(model="glm-4.7", messages=HELLO)

    body = raised.value.response.json()
    assert body["error"]["code"] == code
    assert body["error"]["message"].isascii()


def test_unknown_key_is_refused(connect: Callable[..., Any]) -> None:
    """A key of nobody is an authentication error."""
    client = connect("nobody.secret")

    with pytest.raises(zai.core.APIAuthenticationError):
        client.chat.completions.create(model="glm-4.7", messages=HELLO)


def test_error_is_raised_when_it_comes_inside_a_stream(zhipu: Running, client: Any) -> None:
    """An error event ends the SDK's stream with an exception."""
    zhipu.simulator.script.add([ErrorEvent(code="1305", after_chunks=1)])
    stream = iter(client.chat.completions.create(model="glm-4.7", messages=HELLO, stream=True))

    assert next(stream).choices[0].delta.role == "assistant"
    with pytest.raises(zai.core.APIResponseError, match="error"):
        next(stream)


def test_call_is_repeated_when_the_sdk_retries(zhipu: Running, connect: Callable[..., Any]) -> None:
    """The SDK's own retries meet a platform that has recovered."""
    zhipu.simulator.script.add([Error(code="1305")])

    completion = connect(max_retries=1).chat.completions.create(model="glm-4.7", messages=HELLO)

    assert completion.choices[0].message.content == "hello world"
