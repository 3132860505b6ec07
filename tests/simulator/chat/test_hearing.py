"""glm-4-voice on the wire: it understands what is said to it, and remembers what it said."""

import base64
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import zai

from gateway.audio import Sound
from gateway.simulator import DEMO_KEY, Running
from gateway.simulator.chat.voice import RATE_HZ
from gateway.simulator.speech import decode, listen, speak, wav
from tests.recordings import packed
from tests.simulator.speech.clearly import NAME, NUMBERS, WEATHER, listens, speaks

Start = Callable[..., Running]
Connect = Callable[..., httpx.Client]
Ask = Callable[..., httpx.Response]

OTHER_KEY = "5e1f0000000000000000000000000001.simulatorDemoV1a"


def said(text: str, kind: str = "wav") -> dict[str, Any]:
    pcm, rate_hz = speak(text)
    content = packed(Sound(pcm, rate_hz), "mp3") if kind == "mp3" else wav(pcm, rate_hz=rate_hz)
    return sound(content, kind)


def sound(content: bytes, kind: str = "wav") -> dict[str, Any]:
    return {"type": "input_audio", "input_audio": {"data": base64.b64encode(content).decode(), "format": kind}}


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


def text_of(answer: httpx.Response) -> str:
    content: str = answer.json()["choices"][0]["message"]["content"]
    return content


@listens
@speaks
@pytest.mark.parametrize("kind", ["wav", "mp3"])
def test_speech_is_understood(ask: Ask, kind: str) -> None:
    answer = ask(model="glm-4-voice", messages=[user(said(NUMBERS, kind))])

    assert f"You said: “{NUMBERS}”" == text_of(answer)


@listens
@speaks
def test_text_and_speech_are_one_message(ask: Ask) -> None:
    messages = [user({"type": "text", "text": "My name is Ada."}, said(WEATHER)), user(said(NAME))]

    assert "your name" in text_of(ask(model="glm-4-voice", messages=messages))
    assert "Ada" in text_of(ask(model="glm-4-voice", messages=messages[:1]))
    assert WEATHER in text_of(ask(model="glm-4-voice", messages=messages[:1]))


def test_sound_without_words_is_described(ask: Ask) -> None:
    answer = ask(model="glm-4-voice", messages=[user(sound(wav(bytes(32000), rate_hz=8000)))])

    assert "I was sent 2.0 seconds of sound." == text_of(answer)


@listens
@speaks
def test_answer_is_spoken(ask: Ask) -> None:
    messages = [{"role": "user", "content": f"Say {NUMBERS}"}]

    message = ask(model="glm-4-voice", messages=messages).json()["choices"][0]["message"]
    file = base64.b64decode(message["audio"]["data"])
    pcm = decode(file, kind="wav", rate_hz=RATE_HZ, longest_seconds=60)

    assert NUMBERS == message["content"] == listen(pcm, RATE_HZ)


def test_earlier_answer_is_remembered_by_its_id_for_a_while(start: Start, connect: Connect) -> None:
    """By the account that got it, until ``expires_at``."""
    moment = [1000.0]
    standing = start(clock=lambda: moment[0], audio_seconds=60)
    client = connect(standing)
    first = {"role": "user", "content": "Say hello world"}
    request = {"model": "glm-4-voice", "messages": [first]}
    audio = client.post("/chat/completions", json=request).json()["choices"][0]["message"]["audio"]
    history = [first, {"role": "assistant", "audio": {"id": audio["id"]}}]
    again = request | {"messages": [*history, {"role": "user", "content": "What did you just say?"}]}

    known = client.post("/chat/completions", json=again)
    stranger = connect(standing, OTHER_KEY).post("/chat/completions", json=again)
    moment[0] = 1060.0
    late = client.post("/chat/completions", json=again)

    assert 1060 == audio["expires_at"]
    assert "I said: hello world" == text_of(known)
    for refused in (stranger, late):
        assert (400, "1214") == (refused.status_code, refused.json()["error"]["code"])


@pytest.mark.parametrize(
    "part",
    [sound(b"RIFF\0\0\0\0WAVE" + bytes(100)), sound(wav(bytes(2 * 1000 * 601), rate_hz=1000))],
    ids=["no sound", "too long"],
)
def test_sound_that_cannot_be_heard_is_refused(ask: Ask, part: dict[str, Any]) -> None:
    answer = ask(model="glm-4-voice", messages=[user(part)])

    assert (400, "1210") == (answer.status_code, answer.json()["error"]["code"])


@listens
@speaks
def test_zai_sdk_talks(zhipu: Running) -> None:
    """Zhipu's own SDK, unchanged: speech in, text and speech out, whole and streamed."""
    client: Any = zai.ZaiClient(api_key=DEMO_KEY, base_url=zhipu.url, max_retries=0)
    request = {"model": "glm-4-voice", "messages": [user(said(NUMBERS))]}

    whole = client.chat.completions.create(**request).choices[0].message
    deltas = [chunk.choices[0].delta for chunk in client.chat.completions.create(**request, stream=True)]

    assert NUMBERS in whole.content
    assert base64.b64decode(whole.audio["data"]).startswith(b"RIFF")
    assert whole.content == "".join(delta.content or "" for delta in deltas)
    assert any(delta.audio is not None for delta in deltas)
