"""Zhipu's older SDK (PyPI ``zhipuai``), unchanged, against the stand-in."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import zhipuai

KEY = "5e1f0000000000000000000000000000.simulatorDemoV0a"
HELLO = [{"role": "user", "content": "Say hello world"}]
QUESTION = [{"role": "user", "content": "What's the weather in Paris and Oslo?"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture
def connect(origin: str, control: httpx.Client) -> Iterator[Callable[..., Any]]:  # noqa: ARG001  # control resets
    """Open the SDK's clients, without retries."""
    clients: list[Any] = []

    def open_client(key: str = KEY, **settings: Any) -> Any:
        client = zhipuai.ZhipuAI(api_key=key, base_url=f"{origin}/api/paas/v4", max_retries=0, **settings)
        clients.append(client)
        return client

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Callable[..., Any]) -> Any:
    return connect()


def test_chat_is_answered(client: Any) -> None:
    """Text and usage are where the SDK looks for them."""
    completion = client.chat.completions.create(model="glm-4.7", messages=HELLO, temperature=0.5, max_tokens=100)

    assert completion.choices[0].message.content == "hello world"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens


def test_chat_is_streamed(client: Any) -> None:
    """The SDK reads every chunk and the end."""
    chunks = list(client.chat.completions.create(model="glm-4.7", messages=HELLO, stream=True))

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "hello world"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert chunks[-1].usage.completion_tokens == len(chunks) - 1


def test_functions_are_called_in_parallel(client: Any) -> None:
    """Two calls in one answer."""
    completion = client.chat.completions.create(model="glm-4.7", messages=QUESTION, tools=[WEATHER])

    calls = completion.choices[0].message.tool_calls
    assert [call.function.arguments for call in calls] == ['{"city":"Paris"}', '{"city":"Oslo"}']
    assert completion.choices[0].finish_reason == "tool_calls"


def test_key_is_signed_into_a_token_when_the_cache_is_on(connect: Callable[..., Any]) -> None:
    """Without the raw key the SDK sends a JWT of its own making, and it is accepted."""
    client = connect(disable_token_cache=False)

    completion = client.chat.completions.create(model="glm-4.7", messages=HELLO)

    assert client.auth_headers["Authorization"].count(".") == 2
    assert completion.choices[0].message.content == "hello world"


def test_token_is_refused_when_it_was_signed_with_another_secret(connect: Callable[..., Any]) -> None:
    """A forged token is an authentication error."""
    client = connect(KEY.partition(".")[0] + ".anotherSecret000", disable_token_cache=False)

    with pytest.raises(zhipuai.APIAuthenticationError, match="1000"):
        client.chat.completions.create(model="glm-4.7", messages=HELLO)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("1210", zhipuai.APIRequestFailedError),
        ("1003", zhipuai.APIAuthenticationError),
        ("1302", zhipuai.APIReachLimitError),
        ("1234", zhipuai.APIInternalError),
    ],
)
def test_error_is_the_sdks_own_when_a_call_is_refused(
    control: httpx.Client, client: Any, code: str, error: type[Exception]
) -> None:
    """Statuses become the SDK's exceptions, and the message holds the code."""
    control.post("/faults", json=[{"kind": "error", "code": code}]).raise_for_status()

    with pytest.raises(error, match=code):
        client.chat.completions.create(model="glm-4.7", messages=HELLO)


def test_refusal_says_what_is_wrong(client: Any) -> None:
    """What the SDK passes on unchecked the platform checks."""
    with pytest.raises(zhipuai.APIRequestFailedError, match="角色信息不正确"):
        client.chat.completions.create(model="glm-4.7", messages=[{"role": "developer", "content": "hi"}])


def test_what_is_said_is_heard(client: Any) -> None:
    """Speech as a wav goes back as it came, and is transcribed: whole, and as a stream."""
    said = client.audio.speech(
        model="glm-tts",
        input="one two three four five six seven",
        voice="tongtong",
        response_format="wav",
        encode_format="base64",
    )

    file = ("said.wav", said.content)
    heard = client.audio.transcriptions.create(model="glm-asr", file=file)
    events = list(client.audio.transcriptions.create(model="glm-asr", file=file, stream=True))

    assert said.content.startswith(b"RIFF")
    assert heard.text
    assert heard.text == events[-1].text == "".join(event.delta for event in events[:-1])
