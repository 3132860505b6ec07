"""OpenAI's own SDK, unchanged, has texts read out: in every format, whole texts, with what goes wrong told."""

import asyncio
import base64
import json
from array import array
from typing import Any

import httpx
import openai
import pytest

from gateway.audio import Bounds, Sound, read_sound, wav
from gateway.settings import Speech
from gateway.simulator import Running
from gateway.simulator.book import Place
from gateway.simulator.chat.route import SENSITIVE_MARK
from gateway.simulator.faults import CutConnection, Error, Stall
from gateway.simulator.speech import listen
from tests.conftest import StartGateway
from tests.contract.conftest import Connect
from tests.fakes import DONE, Zhipu, error_body, event
from tests.recordings import frequency, tone
from tests.running import LARGEST_ACCOUNT, Gateway
from tests.simulator.speech.clearly import NUMBERS, listens, speaks

PLACE = Place(LARGEST_ACCOUNT.name, "glm-tts")
MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
LONG = " ".join(f"This is sentence number {number} of many." for number in range(1, 61))
"""Of three pieces."""


def heard(file: bytes, kind: str) -> Sound:
    if kind == "pcm":
        return Sound(file, 24_000)
    return read_sound(file, bounds=Bounds(), sample_rate=24_000)


def spoken(sound: Sound, *, chunk_bytes: int = 4800, rate: int | None = None) -> list[bytes]:
    """Give the events in which GLM says a sound."""
    told = {"return_sample_rate": rate} if rate is not None else {}
    deltas = [
        {"role": "assistant", "content": base64.b64encode(sound.pcm[at : at + chunk_bytes]).decode(), **told}
        for at in range(0, len(sound.pcm), chunk_bytes)
    ]
    last = {"index": 0, "finish_reason": "stop", "delta": None}
    return [
        *(event({"choices": [{"index": 0, "delta": delta}]}) for delta in deltas),
        event({"choices": [last]}),
        DONE,
    ]


@listens
@speaks
@pytest.mark.parametrize("kind", MEDIA_TYPES)
async def test_text_is_heard_in_every_format(sdk: openai.AsyncOpenAI, kind: Any) -> None:
    async with sdk.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input=NUMBERS, response_format=kind
    ) as answer:
        file = await answer.read()
        sound = heard(file, kind)

        assert MEDIA_TYPES[kind] == answer.headers["content-type"]
        assert NUMBERS == await asyncio.to_thread(listen, sound.pcm, sound.sample_rate)


async def test_mp3_is_what_nobody_asked_for(sdk: openai.AsyncOpenAI) -> None:
    answer = await sdk.audio.speech.create(model="gpt-4o-mini-tts", voice="nova", input="Hello.")

    assert "audio/mpeg" == answer.response.headers["content-type"]
    assert heard(answer.content, "mp3").seconds > 0.3


async def test_samples_are_glms_own_when_nothing_has_to_be_done(
    sdk: openai.AsyncOpenAI, simulator: Running
) -> None:
    headers = {"authorization": f"Bearer {LARGEST_ACCOUNT.key}"}
    request = {"model": "glm-tts", "voice": "tongtong", "input": "Hello."}
    async with httpx.AsyncClient(trust_env=False, headers=headers) as direct:
        glms = await direct.post(f"{simulator.url}/audio/speech", json=request)

    answer = await sdk.audio.speech.create(
        model="glm-tts", voice="tongtong", input="Hello.", response_format="pcm"
    )

    assert glms.content == answer.content


async def test_long_text_is_read_out_whole_in_pieces_of_whole_sentences(
    sdk: openai.AsyncOpenAI, simulator: Running
) -> None:
    """Two at a time at most, in order, and nothing is lost."""
    answer = await sdk.audio.speech.create(model="tts-1", voice="alloy", input=LONG, response_format="pcm")

    asked = [json.loads(seen.body) for seen in simulator.simulator.book.seen]
    assert LONG == " ".join(sorted((one["input"] for one in asked), key=LONG.index))
    assert all(len(one["input"]) <= 1024 and one["input"].endswith("many.") for one in asked)
    assert 3 == len(asked)
    assert 2 >= simulator.simulator.book.peak[PLACE]
    expected = 0
    headers = {"authorization": f"Bearer {LARGEST_ACCOUNT.key}"}
    async with httpx.AsyncClient(trust_env=False, headers=headers, timeout=60) as direct:
        for one in asked:
            piece = await direct.post(f"{simulator.url}/audio/speech", json=one | {"stream": False})
            expected += len(piece.content)
    assert expected == len(answer.content)


async def test_pieces_are_joined_in_order_without_a_click(
    gateway: Gateway, zhipu: Zhipu, connect: Connect
) -> None:
    """The second is asked for while the first is heard; where they meet there is no jump."""
    sdk = connect(gateway)
    low, high = tone(hertz=440, seconds=1.013), tone(hertz=880, seconds=1.0)
    asking = asyncio.ensure_future(
        sdk.audio.speech.create(model="tts-1", voice="alloy", input=LONG[:2000], response_format="pcm")
    )
    first, second = await zhipu.call(), await zhipu.call()
    first, second = sorted((first, second), key=lambda call: LONG.index(call.body["input"]))
    second.stream(*spoken(high))
    first.stream(*spoken(low))
    sound = heard((await asking).content, "pcm")

    meeting = len(low.pcm)
    assert len(low.pcm) + len(high.pcm) == len(sound.pcm)
    assert 440 == pytest.approx(frequency(Sound(sound.pcm[:meeting], 24_000)), rel=0.005)
    assert 880 == pytest.approx(frequency(Sound(sound.pcm[meeting:], 24_000)), rel=0.005)
    samples = array("h", sound.pcm[meeting - 400 : meeting + 400])
    assert abs(samples[200]) < 300
    assert abs(samples[199]) < 300


async def test_first_bytes_leave_while_glm_is_still_speaking(
    gateway: Gateway, zhipu: Zhipu, connect: Connect
) -> None:
    sdk = connect(gateway)
    events = spoken(tone(seconds=2.0))

    async with asyncio.TaskGroup() as group:
        request = sdk.audio.speech.with_streaming_response.create(
            model="tts-1", voice="alloy", input="Hello.", response_format="wav"
        )
        asking = group.create_task(request.__aenter__())
        call = await zhipu.call()
        call.begin(*events[:3])
        answer = await asking
        pieces = answer.iter_bytes()
        first = await anext(pieces)
        call.end(*events[3:])
        rest = b"".join([piece async for piece in pieces])
        await request.__aexit__(None, None, None)

    assert first.startswith(b"RIFF")
    assert tone(seconds=2.0).pcm == (first + rest)[44:]


async def test_another_rate_is_brought_to_24_khz(gateway: Gateway, zhipu: Zhipu, connect: Connect) -> None:
    sound = tone(hertz=440, seconds=2.0, sample_rate=44_100)
    asking = asyncio.ensure_future(
        connect(gateway).audio.speech.create(model="tts-1", voice="alloy", input="Hello.", response_format="pcm")
    )
    (await zhipu.call()).stream(*spoken(sound, chunk_bytes=4801, rate=44_100))

    again = heard((await asking).content, "pcm")

    assert 440 == pytest.approx(frequency(again), rel=0.005)
    assert 2.0 == pytest.approx(again.seconds, abs=0.001)


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [("wav", "audio/wav"), ("bare", "audio/wav"), ("wav", ""), ("bare", ""), ("wav", "application/json")],
)
async def test_whole_file_in_place_of_a_stream_is_taken(
    gateway: Gateway, zhipu: Zhipu, connect: Connect, kind: str, content_type: str
) -> None:
    """Whatever it is called: servers that send bytes may call them nothing."""
    sound = tone(seconds=1.0)
    asking = asyncio.ensure_future(
        connect(gateway).audio.speech.create(model="tts-1", voice="alloy", input="Hello.", response_format="pcm")
    )
    whole = wav(sound.pcm, sample_rate=24_000) if kind == "wav" else sound.pcm
    (await zhipu.call()).answer(whole, content_type=content_type)

    assert sound.pcm == (await asking).content


async def test_events_hold_the_same_file(sdk: openai.AsyncOpenAI) -> None:
    request: Any = {"model": "tts-1", "voice": "alloy", "input": "Hello there.", "response_format": "wav"}
    whole = await sdk.audio.speech.create(**request)
    async with sdk.audio.speech.with_streaming_response.create(**request, stream_format="sse") as answer:
        lines = [line async for line in answer.iter_lines() if line]

        assert "text/event-stream; charset=utf-8" == answer.headers["content-type"]
    *deltas, done = [json.loads(line.removeprefix("data: ")) for line in lines]

    assert whole.content == b"".join(base64.b64decode(delta["audio"]) for delta in deltas)
    assert {"speech.audio.delta"} == {delta["type"] for delta in deltas}
    assert "speech.audio.done" == done["type"]
    usage = done["usage"]
    assert (len("Hello there."), usage["input_tokens"] + usage["output_tokens"]) == (
        usage["input_tokens"],
        usage["total_tokens"],
    )
    assert usage["output_tokens"] > 0


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"voice": "alloy"}, {"voice": "tongtong"}),
        ({"voice": "Onyx"}, {"voice": "xiaochen"}),
        ({"voice": "jam"}, {"voice": "jam"}),
        ({"voice": "voice_clone_20260101_1"}, {"voice": "voice_clone_20260101_1"}),
        ({"voice": {"id": "voice_clone_20260101_2"}}, {"voice": "voice_clone_20260101_2"}),
        ({"speed": 1.5}, {"speed": 1.5}),
        ({"speed": 4.0}, {"speed": 2.0}),
        ({"speed": 0.25}, {"speed": 0.5}),
        ({"extra_body": {"volume": 2}}, {"volume": 2}),
    ],
    ids=str,
)
async def test_parameters_reach_glm(
    sdk: openai.AsyncOpenAI, simulator: Running, asked: dict[str, Any], told: dict[str, Any]
) -> None:
    await sdk.audio.speech.create(**{"model": "tts-1", "voice": "alloy", "input": "Hi."} | asked)

    (seen,) = simulator.simulator.book.seen
    assert told == {name: json.loads(seen.body)[name] for name in told}


async def test_instructions_are_ignored_and_listed(sdk: openai.AsyncOpenAI) -> None:
    answer = await sdk.audio.speech.create(model="tts-1", voice="alloy", input="Hi.", instructions="Whisper.")

    assert "instructions" == answer.response.headers["x-gateway-ignored"]


async def test_voices_are_those_of_the_settings(
    start_gateway: StartGateway, simulator: Running, connect: Connect
) -> None:
    """The table takes the place of the built-in one."""
    sdk = connect(await start_gateway(upstream_url=simulator.url, speech=Speech(voices={"boss": "luodo"})))

    await sdk.audio.speech.create(model="tts-1", voice="boss", input="Hi.")
    with pytest.raises(openai.BadRequestError) as refused:
        await sdk.audio.speech.create(model="tts-1", voice="alloy", input="Hi.")

    (seen,) = simulator.simulator.book.seen
    assert "luodo" == json.loads(seen.body)["voice"]
    assert "voice" == refused.value.param


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"voice": "bob"}, "voice"),
        ({"voice": ""}, "voice"),
        ({"voice": {"name": "bob"}}, "voice.id"),
        ({"voice": 1}, "voice"),
        ({"voice": None}, "voice"),
        ({"input": ""}, "input"),
        ({"input": " \n"}, "input"),
        ({"input": None}, "input"),
        ({"input": "a" * 4097}, "input"),
        ({"speed": 5}, "speed"),
        ({"speed": 0.1}, "speed"),
        ({"response_format": "mp4"}, "response_format"),
        ({"stream_format": "json"}, "stream_format"),
        ({"model": "glm-4.7"}, "model"),
        ({"volume": 0}, "volume"),
    ],
    ids=str,
)
async def test_bad_request_is_refused_by_the_name_of_its_field(
    start_gateway: StartGateway,
    simulator: Running,
    client: httpx.AsyncClient,
    asked: dict[str, Any],
    param: str,
) -> None:
    gateway = await start_gateway(upstream_url=simulator.url)
    request = {"model": "tts-1", "voice": "alloy", "input": "Hi."} | asked

    answer = await client.post(f"{gateway.url}/audio/speech", json=request)

    assert (400, param) == (answer.status_code, answer.json()["error"]["param"])
    assert not simulator.simulator.book.seen


async def test_refused_text_is_an_error_with_a_status(sdk: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="1301"):
        await sdk.audio.speech.create(model="tts-1", voice="alloy", input=SENSITIVE_MARK)


async def test_voice_that_glm_does_not_know_is_told_by_its_field(sdk: openai.AsyncOpenAI) -> None:
    """A cloned one can be known at Zhipu only."""
    with pytest.raises(openai.BadRequestError, match="1214") as refused:
        await sdk.audio.speech.create(model="tts-1", voice={"id": "gone"}, input="Hi.")

    assert "voice" == refused.value.param


async def test_overload_before_the_first_sound_is_asked_again(sdk: openai.AsyncOpenAI, simulator: Running) -> None:
    simulator.simulator.script.add([Error(code="1234")])

    answer = await sdk.audio.speech.create(model="tts-1", voice="alloy", input="Hi.")

    assert answer.content
    assert 2 == len(simulator.simulator.book.seen)


async def test_file_is_cut_when_glm_fails_in_the_middle(
    start_gateway: StartGateway, simulator: Running, connect: Connect
) -> None:
    """There are no words for it in a file; a file that ends as if it were whole would be a lie."""
    gateway = await start_gateway(upstream_url=simulator.url)
    simulator.simulator.script.add([CutConnection(after_chunks=2)])

    with pytest.raises((openai.APIConnectionError, httpx.RemoteProtocolError)):
        await connect(gateway).audio.speech.create(
            model="tts-1", voice="alloy", input=NUMBERS, response_format="pcm"
        )

    assert (0, "upstream_error") == (gateway.slots, gateway.record.outcome)


async def test_failure_in_the_middle_is_an_event_of_a_stream(sdk: openai.AsyncOpenAI, simulator: Running) -> None:
    simulator.simulator.script.add([CutConnection(after_chunks=2)])

    async with sdk.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input=NUMBERS, response_format="pcm", stream_format="sse"
    ) as answer:
        lines = [line async for line in answer.iter_lines() if line]

    assert "error" in json.loads(lines[-1].removeprefix("data: "))


@pytest.mark.parametrize(
    "answer",
    [
        [event({"choices": [{"index": 0, "finish_reason": "stop", "delta": None}]}), DONE],
        [event({"choices": [{"index": 0, "delta": {"content": "?"}}]}), DONE],
        [b"data: nothing\n\n", DONE],
        [event({"choices": []})],
    ],
    ids=["no sound", "no base64", "no JSON", "no end"],
)
async def test_answer_that_is_none_is_glms_fault(
    gateway: Gateway, zhipu: Zhipu, client: httpx.AsyncClient, answer: list[bytes]
) -> None:
    request = {"model": "tts-1", "voice": "alloy", "input": "Hi."}
    asking = asyncio.ensure_future(client.post(f"{gateway.url}/audio/speech", json=request))
    (await zhipu.call()).stream(*answer)

    told = await asking

    assert 502 == told.status_code
    assert told.json()["error"]["message"]


@pytest.mark.parametrize("code", ["1301", "1305"])
async def test_error_inside_a_success_is_told(
    gateway: Gateway, zhipu: Zhipu, client: httpx.AsyncClient, code: str
) -> None:
    request = {"model": "tts-1", "voice": "alloy", "input": "Hi."}
    asking = asyncio.ensure_future(client.post(f"{gateway.url}/audio/speech", json=request))
    for _ in range(3 if code == "1305" else 1):
        (await zhipu.call()).stream(event(error_body(code)))

    assert f"(GLM {code})" in (await asking).json()["error"]["message"]


async def test_slots_are_given_back_when_the_caller_leaves(
    start_gateway: StartGateway, simulator: Running, connect: Connect
) -> None:
    gateway = await start_gateway(upstream_url=simulator.url)
    simulator.simulator.script.add([Stall(after_chunks=2, times=None)])

    async with connect(gateway).audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input=LONG, response_format="pcm"
    ) as answer:
        await anext(answer.iter_bytes())
        assert 2 == gateway.slots
    async with asyncio.timeout(5):
        while gateway.slots or simulator.simulator.book.in_flight[PLACE] or not gateway.records:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    assert "client_disconnect" == gateway.record.outcome
