"""``POST /audio/transcriptions`` of the stand-in, on the wire, and by Zhipu's own SDK."""

import base64
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import zai
import zai.core

from gateway.audio import Sound
from gateway.simulator import DEMO_KEY, Running
from gateway.simulator.book import Place
from gateway.simulator.faults import Error
from gateway.simulator.speech import speak, wav
from gateway.simulator.speech.speaking import tones
from tests.recordings import packed
from tests.simulator.speech.clearly import GREETING, MUSEUM, NUMBERS, WEATHER, listens, speaks

Post = Callable[..., httpx.Response]

SILENCE = wav(bytes(3200), rate_hz=16000)


def recorded(text: str) -> bytes:
    pcm, rate_hz = speak(text)
    return wav(pcm, rate_hz=rate_hz)


@pytest.fixture
def post(zhipu: Running, connect: Callable[..., httpx.Client]) -> Post:
    """Ask the shared stand-in for a transcript; fields replace those of a small valid request."""
    client = connect(zhipu, **{"accept-language": "en"})

    def send(content: bytes | None = SILENCE, name: str = "audio.wav", **fields: Any) -> httpx.Response:
        data = {"model": "glm-asr-2512"} | fields
        given = {field: value for field, value in data.items() if value is not None}
        # Without a file httpx makes no form, so a field takes its place.
        files: Any = {"file": (name, content)} if content is not None else {"stream": (None, b"false")}
        return client.post("/audio/transcriptions", data=given, files=files, timeout=60)

    return send


@listens
@speaks
def test_recording_is_heard(post: Post) -> None:
    answer = post(recorded(WEATHER), request_id="request-7").json()

    created = answer.pop("created")
    assert {"id": "request-7", "request_id": "request-7", "model": "glm-asr-2512", "text": WEATHER} == answer
    assert isinstance(created, int)


@listens
@speaks
def test_mp3_is_heard_too(post: Post) -> None:
    pcm, rate_hz = speak(NUMBERS)

    assert NUMBERS == post(packed(Sound(pcm, rate_hz), "mp3"), "audio.mp3").json()["text"]


@listens
@speaks
def test_base64_is_heard_and_a_file_goes_before_it(post: Post) -> None:
    encoded = base64.b64encode(recorded(WEATHER)).decode()

    assert WEATHER == post(None, file_base64=encoded).json()["text"]
    assert GREETING == post(recorded(GREETING), file_base64=encoded).json()["text"]


@listens
@speaks
def test_older_model_gives_segments_and_usage_and_no_model(post: Post) -> None:
    """Segments part where nobody speaks."""
    pcm, rate_hz = speak(NUMBERS)
    sound = pcm + bytes(2 * rate_hz) + speak(MUSEUM)[0]

    answer = post(wav(sound, rate_hz=rate_hz), model="glm-asr").json()

    assert "model" not in answer
    assert f"{NUMBERS} {MUSEUM}" == answer["text"] == " ".join(one["text"] for one in answer["segments"])
    assert [0, 1] == [one["id"] for one in answer["segments"]]
    assert answer["segments"][1]["start"] > len(pcm) / 2 / rate_hz
    usage = answer["usage"]
    assert usage["prompt_tokens"] + usage["completion_tokens"] == usage["total_tokens"] > 0


@listens
@speaks
def test_stream_gives_the_text_piecemeal_and_then_whole(post: Post) -> None:
    """The last event has the text and no delta; no event has usage."""
    answer = post(recorded(WEATHER), stream="true")
    *events, done, nothing = answer.text.split("\n\n")
    parsed = [json.loads(event.removeprefix("data: ")) for event in events]
    last = parsed.pop()

    assert ("data: [DONE]", "") == (done, nothing)
    assert {"transcript.text.delta"} == {event["type"] for event in parsed}
    assert WEATHER == "".join(event["delta"] for event in parsed) == last["text"]
    assert "transcript.text.done" == last["type"]
    assert {"id", "created", "model", "type", "text"} == last.keys()


@listens
@speaks
@pytest.mark.parametrize("field", ["hotwords", "hotwords[]"])
def test_hotwords_are_heard_as_they_are_spelled(post: Post, field: str) -> None:
    answer = post(recorded(MUSEUM), **{field: ["Museums", "Xylophone"]})

    assert MUSEUM.replace("museum", "Museums") == answer.json()["text"]


@listens
@speaks
def test_hotwords_may_be_a_json_array(post: Post) -> None:
    assert "Museums" in post(recorded(MUSEUM), hotwords='["Museums"]').json()["text"]


def test_silence_has_an_empty_text(post: Post) -> None:
    """And in a stream only the last event."""
    assert "" == post().json()["text"]
    assert 1 == post(stream="true").text.count("transcript")


@pytest.mark.parametrize(
    ("name", "content", "fields", "code"),
    [
        ("audio.wav", None, {}, "1213"),
        ("audio.wav", SILENCE, {"model": "glm-tts"}, "1211"),
        ("audio.flac", SILENCE, {}, "1214"),
        ("upload", SILENCE, {}, "1214"),
        ("audio.wav", b"fLaC" + bytes(1000), {}, "1210"),
        ("audio.mp3", b"ID3" + bytes(1000), {}, "1210"),
        ("audio.wav", b"", {}, "1210"),
        ("audio.wav", wav(bytes(2 * 8000 * 30 + 2), rate_hz=8000), {}, "1210"),
        ("audio.wav", SILENCE + bytes(25 * 1024 * 1024), {}, "1210"),
        ("audio.wav", SILENCE, {"response_format": "json"}, "1210"),
        ("audio.wav", SILENCE, {"language": "en"}, "1210"),
        ("audio.wav", SILENCE, {"temperature": "0.5"}, "1210"),
        ("audio.wav", SILENCE, {"stream": "yes"}, "1214"),
        ("audio.wav", SILENCE, {"request_id": "short"}, "1214"),
        ("audio.wav", SILENCE, {"user_id": "short"}, "1214"),
        ("audio.wav", SILENCE, {"hotwords": ["word"] * 101}, "1210"),
        ("audio.wav", SILENCE, {"hotwords": "[1"}, "1214"),
        ("audio.wav", None, {"file_base64": "?"}, "1214"),
        ("audio.wav", SILENCE, {"model": "glm-asr", "temperature": "2"}, "1214"),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else None,
)
def test_refusals(post: Post, name: str, content: bytes | None, fields: dict[str, Any], code: str) -> None:
    answer = post(content, name, **fields)

    assert (400, code) == (answer.status_code, answer.json()["error"]["code"])


def test_thirty_seconds_are_taken(post: Post) -> None:
    assert 200 == post(wav(bytes(2 * 8000 * 30), rate_hz=8000)).status_code


def test_model_has_a_default(post: Post) -> None:
    assert "glm-asr-2512" == post(model=None).json()["model"]


@pytest.mark.parametrize(
    "kind", ["application/json", "multipart/form-data", "multipart/form-data; boundary=x", ""]
)
def test_body_has_to_be_a_form(zhipu: Running, connect: Callable[..., httpx.Client], kind: str) -> None:
    answer = connect(zhipu).post("/audio/transcriptions", content=b"{}", headers={"content-type": kind})

    assert (400, "1210") == (answer.status_code, answer.json()["error"]["code"])


def test_requests_are_counted_and_faults_hit_them(zhipu: Running, post: Post) -> None:
    zhipu.simulator.script.add([Error(code="1305", path="/audio/transcriptions")])

    assert "1305" == post().json()["error"]["code"]
    assert 200 == post().status_code
    assert {Place("demo", "glm-asr-2512"): 2} == zhipu.simulator.book.accepted


@listens
def test_others_are_answered_while_it_listens(zhipu: Running, connect: Callable[..., httpx.Client]) -> None:
    """A chat is answered before a long recording is."""
    client, other = connect(zhipu), connect(zhipu)
    long = wav(tones("word " * 140, rate_hz=16000), rate_hz=16000)
    request = client.build_request(
        "POST", "/audio/transcriptions", data={"model": "glm-asr-2512"}, files={"file": ("a.wav", long)}
    )
    with ThreadPoolExecutor(1) as pool:
        listening = pool.submit(client.send, request)
        while not zhipu.simulator.book.in_flight[Place("demo", "glm-asr-2512")]:
            time.sleep(0.001)
        said = other.post(
            "/chat/completions", json={"model": "glm-4.7", "messages": [{"role": "user", "content": "hi"}]}
        )
        still = zhipu.simulator.book.in_flight[Place("demo", "glm-asr-2512")]
        listening.result()

    assert (200, 1) == (said.status_code, still)


class TestZai:
    """Zhipu's own SDK (PyPI ``zai-sdk``), unchanged."""

    @pytest.fixture
    def client(self, zhipu: Running) -> Any:
        return zai.ZaiClient(api_key=DEMO_KEY, base_url=zhipu.url, max_retries=0)

    @listens
    @speaks
    def test_transcribes(self, client: Any) -> None:
        """With every parameter of the SDK, which calls a list of one word ``hotwords[]`` and fails at more."""
        answer = client.audio.transcriptions.create(
            file=("speech.wav", recorded(WEATHER)),
            model="glm-asr-2512",
            prompt="What is it like outside?",
            hotwords=["Weather"],
            request_id="request-8",
            user_id="user-8",
            stream=False,
            sensitive_word_check={"type": "ALL", "status": "DISABLE"},
        )

        assert WEATHER.replace("weather", "Weather") == answer.text
        assert ("request-8", "glm-asr-2512") == (answer.request_id, answer.model)

    @listens
    @speaks
    def test_streams(self, client: Any) -> None:
        events = client.audio.transcriptions.create(
            file=("speech.wav", recorded(WEATHER)), model="glm-asr-2512", stream=True
        )

        *deltas, done = [event.model_dump() for event in events]
        assert WEATHER == "".join(delta["delta"] for delta in deltas) == done["text"]

    def test_refusal_is_the_sdks_error(self, client: Any) -> None:
        with pytest.raises(zai.core.APIRequestFailedError, match="1210"):
            client.audio.transcriptions.create(file=("speech.wav", b"no sound"), model="glm-asr-2512")
