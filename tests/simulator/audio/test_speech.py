"""``POST /audio/speech`` of the stand-in, on the wire, and by Zhipu's own SDK."""

import base64
import io
import json
import wave
from array import array
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import zai
import zai.core

from gateway.simulator import DEMO_KEY, Running
from gateway.simulator.audio.speech import RATE_HZ
from gateway.simulator.book import Place
from gateway.simulator.chat.route import SENSITIVE_MARK
from gateway.simulator.speech import listen
from tests.simulator.speech.clearly import WEATHER, listens, speaks

Post = Callable[..., httpx.Response]


@pytest.fixture
def post(zhipu: Running, connect: Callable[..., httpx.Client]) -> Post:
    """Ask the shared stand-in for speech; fields replace those of a small valid request."""
    client = connect(zhipu, **{"accept-language": "en"})

    def send(**fields: Any) -> httpx.Response:
        request = {"model": "glm-tts", "input": WEATHER, "voice": "tongtong"} | fields
        return client.post("/audio/speech", json=request, timeout=60)

    return send


@listens
@speaks
def test_what_it_says_can_be_understood(post: Post) -> None:
    answer = post()

    assert "audio/wav" == answer.headers["content-type"]
    assert WEATHER == listen(answer.content, RATE_HZ)


def test_wav_holds_the_same_samples(post: Post) -> None:
    whole = post(response_format="wav").content

    with wave.open(io.BytesIO(whole)) as recording:
        assert (RATE_HZ, 1, 2) == (recording.getframerate(), recording.getnchannels(), recording.getsampwidth())
        assert post().content == recording.readframes(recording.getnframes())


@pytest.mark.parametrize("encode_format", [None, "base64", "hex"])
def test_stream_holds_the_same_samples(post: Post, encode_format: str | None) -> None:
    """Spelled as asked, the rate beside them; the last chunk has a reason and no delta."""
    answer = post(stream=True, encode_format=encode_format, request_id="request-9")
    *chunks, done, nothing = answer.text.split("\n\n")
    parsed = [json.loads(chunk.removeprefix("data: ")) for chunk in chunks]
    last = parsed.pop()
    spelled = [chunk["choices"][0]["delta"] for chunk in parsed]
    decode = bytes.fromhex if encode_format == "hex" else base64.b64decode

    assert ("data: [DONE]", "") == (done, nothing)
    assert [{"index": 0, "finish_reason": "stop", "delta": None}] == last["choices"]
    assert post().content == b"".join(decode(delta["content"]) for delta in spelled)
    assert {RATE_HZ} == {delta["return_sample_rate"] for delta in spelled}
    assert {"request-9"} == {chunk["request_id"] for chunk in parsed}


def test_speed_and_volume_are_minded(post: Post) -> None:
    usual, slow, loud = (array("h", post(**fields).content) for fields in ({}, {"speed": 0.5}, {"volume": 0.5}))

    assert len(slow) > 1.5 * len(usual) > 0
    assert max(usual) == pytest.approx(2 * max(loud), abs=4)


@pytest.mark.parametrize("voice", ["chuichui", "xiaochen", "jam", "kazi", "douji", "luodo", "voice_clone_2026_01"])
def test_voices_are_heard(post: Post, voice: str) -> None:
    answer = post(voice=voice)

    assert 200 == answer.status_code
    assert any(answer.content)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"input": None}, "1213"),
        ({"voice": None}, "1213"),
        ({"model": "glm-4.7"}, "1211"),
        ({"voice": "alloy"}, "1214"),
        ({"voice": 1}, "1214"),
        ({"input": ""}, "1210"),
        ({"input": "a" * 1025}, "1210"),
        ({"input": 1}, "1214"),
        ({"response_format": "mp3"}, "1214"),
        ({"response_format": "wav", "stream": True}, "1210"),
        ({"encode_format": "octal", "stream": True}, "1214"),
        ({"speed": 0.49}, "1210"),
        ({"speed": 2.1}, "1210"),
        ({"speed": "1"}, "1214"),
        ({"volume": 0}, "1210"),
        ({"volume": 10.5}, "1210"),
        ({"stream": "true"}, "1214"),
        ({"watermark_enabled": 1}, "1214"),
        ({"instructions": "Whisper."}, "1210"),
        ({"request_id": "short"}, "1214"),
        ({"input": f"{SENSITIVE_MARK}"}, "1301"),
    ],
    ids=str,
)
def test_refusals(post: Post, fields: dict[str, Any], code: str) -> None:
    answer = post(**fields)

    assert (400, code) == (answer.status_code, answer.json()["error"]["code"])


def test_the_longest_text_is_read_out(zhipu: Running, post: Post) -> None:
    assert 200 == post(input="天气很好。" * 204 + "好好好。").status_code
    assert {Place("demo", "glm-tts"): 1} == zhipu.simulator.book.accepted


class TestZai:
    """Zhipu's own SDK (PyPI ``zai-sdk``), unchanged."""

    @pytest.fixture
    def client(self, zhipu: Running) -> Any:
        return zai.ZaiClient(api_key=DEMO_KEY, base_url=zhipu.url, max_retries=0)

    @listens
    @speaks
    def test_speaks(self, client: Any) -> None:
        """With every parameter of the SDK."""
        answer = client.audio.speech(
            model="glm-tts",
            input=WEATHER,
            voice="tongtong",
            response_format="pcm",
            watermark_enabled=False,
            sensitive_word_check={"type": "ALL", "status": "DISABLE"},
            request_id="request-8",
            user_id="user-8",
            speed=1.0,
            volume=1.0,
        )

        assert WEATHER == listen(answer.content, RATE_HZ)

    def test_streams(self, client: Any, post: Post) -> None:
        chunks = list(
            client.audio.speech(
                model="glm-tts",
                input=WEATHER,
                voice="tongtong",
                response_format="pcm",
                stream=True,
                encode_format="base64",
            )
        )

        pieces = [chunk.choices[0].delta.content for chunk in chunks[:-1]]
        assert post().content == b"".join(base64.b64decode(piece) for piece in pieces)
        assert "stop" == chunks[-1].choices[0].finish_reason

    def test_refusal_is_the_sdks_error(self, client: Any) -> None:
        with pytest.raises(zai.core.APIRequestFailedError, match="1214"):
            client.audio.speech(model="glm-tts", input="Hello", voice="alloy")
