"""OpenAI's own SDK, unchanged, talks with GLM-4-Voice: it is heard and answered aloud, whole and streamed."""

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import msgspec
import openai
import pytest
from openai.types.chat import ChatCompletion

from gateway.audio import Bounds, Sound, convert, read_sound
from gateway.auth import Tenant, digest
from gateway.settings.schema import Redis
from gateway.settings.secret import Secret
from gateway.simulator import Running, create_simulator, running
from gateway.simulator.speech import listen
from gateway.simulator.speech import speak as say
from gateway.translate.chat.claims import untagged
from tests.conftest import StartGateway
from tests.contract.conftest import Connect
from tests.fakes import DONE, KEY, Call, Zhipu, chunk, completion, event, last_chunk
from tests.recordings import frequency, packed, tone, wav_of
from tests.redis_server import RedisServer
from tests.running import Gateway
from tests.simulator.speech.clearly import NUMBERS, listens, speaks

MODEL = "gpt-4o-audio-preview"
ALOUD: Any = {"model": MODEL, "modalities": ["text", "audio"]}
CONTAINERS = ("wav", "mp3", "flac", "ogg", "webm", "m4a", "mp4", "aac")
FORMATS = ("wav", "mp3", "flac", "opus", "aac", "pcm16")
HZ, SECONDS = 440, 1.0
HUM = tone(hertz=HZ, seconds=SECONDS, sample_rate=44_100)


def recording(content: bytes, kind: str = "wav") -> dict[str, Any]:
    return {"type": "input_audio", "input_audio": {"data": base64.b64encode(content).decode(), "format": kind}}


def asks(*parts: Any) -> list[Any]:
    return [{"role": "user", "content": [*parts]}]


def spoken(text: str) -> Sound:
    return Sound(*say(text))


def sound_in(data: str, kind: str) -> Sound:
    file = base64.b64decode(data)
    return Sound(file, 24_000) if kind == "pcm16" else read_sound(file, bounds=Bounds(), sample_rate=24_000)


# Before the simulator.


@listens
@speaks
@pytest.mark.parametrize("kind", CONTAINERS)
async def test_spoken_question_is_understood_in_every_container(sdk: openai.AsyncOpenAI, kind: str) -> None:
    """Whatever it is called."""
    answer = await sdk.chat.completions.create(
        model=MODEL, messages=asks(recording(packed(spoken(NUMBERS), kind), "wav"))
    )

    assert f"You said: “{NUMBERS}”" == answer.choices[0].message.content


@listens
@speaks
@pytest.mark.parametrize("kind", FORMATS)
async def test_answer_is_heard_in_every_format(sdk: openai.AsyncOpenAI, kind: Any) -> None:
    """What it says is what its transcript says."""
    raw = await sdk.chat.completions.with_raw_response.create(
        **ALOUD,
        audio={"voice": "alloy", "format": kind},
        messages=[{"role": "user", "content": f"Say: {NUMBERS}"}],
    )

    message = raw.parse().choices[0].message
    assert message.content is None
    assert message.audio is not None
    assert NUMBERS == message.audio.transcript
    sound = sound_in(message.audio.data, kind)
    assert NUMBERS == await asyncio.to_thread(listen, sound.pcm, sound.sample_rate)
    assert "audio.voice" == raw.headers["x-gateway-ignored"]


@listens
@speaks
@pytest.mark.parametrize("sent_as", ["wav", "pcm"])
async def test_spoken_question_is_answered_aloud_as_it_comes(
    start_gateway: StartGateway, connect: Connect, sent_as: Any
) -> None:
    """Whichever way GLM sends its sound; what was asked comes back, as text and as sound."""
    with running(create_simulator(sound=sent_as)) as simulated:
        sdk = connect(await start_gateway(upstream_url=simulated.url))
        stream = await sdk.chat.completions.create(
            **ALOUD,
            audio={"voice": "alloy", "format": "pcm16"},
            messages=asks(recording(wav_of(spoken(NUMBERS)))),
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [one async for one in stream]

    told = [choice.delta.audio for one in chunks for choice in one.choices if choice.delta.audio is not None]
    transcript = "".join(one.transcript or "" for one in told)
    pcm = b"".join(base64.b64decode(one.data or "") for one in told)
    assert f"You said: “{NUMBERS}”" == transcript
    assert NUMBERS in await asyncio.to_thread(listen, pcm, 24_000)
    assert 1 == sum(one.id is not None for one in told) == sum(one.expires_at is not None for one in told)
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.prompt_tokens > 0


async def test_answer_is_remembered_by_its_id(sdk: openai.AsyncOpenAI, simulator: Running) -> None:
    """GLM is given its own id, not the words."""
    first = await aloud(sdk, "My name is Ada.")

    second = await aloud(sdk, "What did you say?", *earlier(first))

    assert first.choices[0].message.audio is not None
    asked = msgspec.json.decode(simulator.simulator.book.seen[-1].body)
    assert {"role": "assistant", "audio": {"id": untagged(first.choices[0].message.audio.id)}} == asked[
        "messages"
    ][1]
    assert second.choices[0].message.audio is not None


async def test_message_can_be_sent_back_as_it_came(sdk: openai.AsyncOpenAI) -> None:
    first = await aloud(sdk, "Say: tea")
    history: list[Any] = [{"role": "user", "content": "Say: tea"}, first.choices[0].message]

    raw = await sdk.chat.completions.with_raw_response.create(
        model=MODEL, messages=[*history, {"role": "user", "content": "Say: more"}]
    )

    assert "more" == raw.parse().choices[0].message.content
    assert "x-gateway-ignored" not in raw.headers


async def test_words_are_told_when_glm_has_forgotten_its_id(sdk: openai.AsyncOpenAI, simulator: Running) -> None:
    """It knows ids for a while, and each of its accounts only its own."""
    first = await aloud(sdk, "Say: tea")
    simulator.simulator.reset()

    answer = await aloud(sdk, "Say: more", *earlier(first))
    stream = await sdk.chat.completions.create(
        model=MODEL, messages=[*earlier(first), {"role": "user", "content": "Say: more"}], stream=True
    )

    assert answer.choices[0].message.audio is not None
    assert "more" == "".join([one.choices[0].delta.content or "" async for one in stream])
    asked = [msgspec.json.decode(seen.body)["messages"][1] for seen in simulator.simulator.book.seen]
    assert first.choices[0].message.audio is not None
    by_id = {"role": "assistant", "audio": {"id": untagged(first.choices[0].message.audio.id)}}
    assert [by_id, {"role": "assistant", "content": "tea"}] * 2 == asked


async def test_id_that_nobody_knows_is_refused_by_its_path(sdk: openai.AsyncOpenAI) -> None:
    history: list[Any] = [{"role": "user", "content": "Hi"}, {"role": "assistant", "audio": {"id": "unknown"}}]

    for model in (MODEL, "glm-4.7"):
        with pytest.raises(openai.BadRequestError) as refused:
            await sdk.chat.completions.create(model=model, messages=[*history, {"role": "user", "content": "Hi"}])

        assert "messages[1].audio.id" == refused.value.param


@pytest.mark.parametrize("stream", [False, True])
async def test_spoken_answer_is_for_its_tenant_alone(
    start_gateway: StartGateway, simulator: Running, connect: Connect, *, stream: bool
) -> None:
    """Though both share an account, and GLM knows the answer; whichever part of its id another one gives."""
    team = Tenant(name="team", key_sha256=(digest(KEY),), tier="V3")
    rival = Tenant(name="rival", key_sha256=(digest("rival"),), tier="V3")
    gateway = await start_gateway(upstream_url=simulator.url, tenants=(team, rival))
    restarted = await start_gateway(upstream_url=simulator.url, tenants=(team, rival))
    mine, theirs = connect(gateway), connect(gateway).with_options(api_key="rival")
    audio_id = await id_of_spoken(mine, stream=stream)
    question: Any = {"role": "user", "content": "What was said?"}
    simulator.simulator.book.seen.clear()

    for taken in (audio_id, untagged(audio_id), f"{untagged(audio_id)}.{'0' * 32}"):
        with pytest.raises(openai.BadRequestError, match="'content'") as refused:
            await theirs.chat.completions.create(
                model=MODEL, messages=[question, {"role": "assistant", "audio": {"id": taken}}, question]
            )
        assert ("messages[1].audio.id", "audio_not_found") == (refused.value.param, refused.value.code)
    assert [] == [*simulator.simulator.book.seen]
    for own in (mine, connect(restarted)):
        await own.chat.completions.create(
            model=MODEL, messages=[question, {"role": "assistant", "audio": {"id": audio_id}}, question]
        )
    asked = [msgspec.json.decode(seen.body)["messages"][1] for seen in simulator.simulator.book.seen]
    assert [{"role": "assistant", "audio": {"id": untagged(audio_id)}}] * 2 == asked


async def id_of_spoken(sdk: openai.AsyncOpenAI, *, stream: bool) -> str:
    if not stream:
        answer = (await aloud(sdk, "Say: tea")).choices[0].message.audio
        assert answer is not None
        return answer.id
    chunks = await sdk.chat.completions.create(
        **ALOUD, messages=[{"role": "user", "content": "Say: tea"}], stream=True
    )
    told = [one.choices[0].delta.audio async for one in chunks if one.choices]
    audio_id: str
    (audio_id,) = [one.id for one in told if one is not None and one.id is not None]
    return audio_id


async def test_conversation_goes_on_with_a_model_that_cannot_hear(sdk: openai.AsyncOpenAI) -> None:
    """What was said aloud is read."""
    first = await aloud(sdk, "Say: tea")

    answer = await sdk.chat.completions.create(
        model="glm-4.7", messages=[*earlier(first), {"role": "user", "content": "Say: more"}]
    )

    assert "more" == answer.choices[0].message.content


@pytest.mark.parametrize("model", ["glm-4.7", "glm-4.6v", "gpt-4o"])
async def test_model_that_cannot_hear_says_so(sdk: openai.AsyncOpenAI, model: str) -> None:
    with pytest.raises(openai.BadRequestError, match="Use glm-4-voice") as refused:
        await sdk.chat.completions.create(model=model, messages=asks(recording(wav_of(HUM))))

    assert "messages[0].content[0]" == refused.value.param


async def test_model_that_cannot_speak_says_so(sdk: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="Use glm-4-voice") as refused:
        await sdk.chat.completions.create(
            model="glm-4.7",
            modalities=["text", "audio"],
            audio={"voice": "alloy", "format": "wav"},
            messages=[{"role": "user", "content": "Hi"}],
        )

    assert "modalities" == refused.value.param


async def aloud(sdk: openai.AsyncOpenAI, text: str, *history: Any) -> ChatCompletion:
    answer: ChatCompletion = await sdk.chat.completions.create(
        **ALOUD,
        audio={"voice": "alloy", "format": "mp3"},
        messages=[*history, {"role": "user", "content": text}],
    )
    return answer


def earlier(answer: ChatCompletion) -> list[Any]:
    """Give the history as OpenAI's guide has it."""
    assert answer.choices[0].message.audio is not None
    audio_id = answer.choices[0].message.audio.id
    return [{"role": "user", "content": "Say: tea"}, {"role": "assistant", "audio": {"id": audio_id}}]


# Before Zhipu, played.


def audio(data: bytes, **more: Any) -> dict[str, Any]:
    return {"id": "5b4c-1", "data": base64.b64encode(data).decode(), "expires_at": 4_000_000_000} | more


def says(text: str, data: bytes) -> Callable[[Call], None]:
    return lambda call: call.answer(completion(text, audio=audio(data)))


@pytest.mark.parametrize("data", [HUM.pcm, wav_of(HUM)], ids=["samples alone", "wav"])
@pytest.mark.parametrize("kind", FORMATS)
async def test_sound_keeps_its_pitch_and_length(
    played: openai.AsyncOpenAI, zhipu: Zhipu, kind: Any, data: bytes
) -> None:
    zhipu.script = [says("Hum.", data)]

    answer = await aloud_as(played, kind)

    assert answer.choices[0].message.audio is not None
    assert ("5b4c-1", 4_000_000_000) == (
        untagged(answer.choices[0].message.audio.id),
        answer.choices[0].message.audio.expires_at,
    )
    sound = sound_in(answer.choices[0].message.audio.data, kind)
    assert frequency(sound) == pytest.approx(HZ, rel=0.005)
    assert 0 <= sound.seconds - SECONDS <= 2 * 1152 / 24_000


async def aloud_as(sdk: openai.AsyncOpenAI, kind: Any) -> ChatCompletion:
    answer: ChatCompletion = await sdk.chat.completions.create(
        **ALOUD, audio={"voice": "alloy", "format": kind}, messages=[{"role": "user", "content": "Hum."}]
    )
    return answer


async def test_glm_is_asked_nothing_that_it_does_not_know(played: openai.AsyncOpenAI, zhipu: Zhipu) -> None:
    """There are no modalities, voices or formats in its chat."""
    zhipu.script = [says("Hum.", HUM.pcm)]

    await aloud_as(played, "wav")

    assert {"model": "glm-4-voice", "messages": [{"role": "user", "content": "Hum."}]} == zhipu.calls[0].body


@pytest.mark.parametrize("odd", [False, True], ids=["a file in each piece", "samples cut anywhere"])
async def test_joined_pieces_are_what_one_piece_would_be(
    played: openai.AsyncOpenAI, zhipu: Zhipu, *, odd: bool
) -> None:
    size = 4411 if odd else 4410
    pieces = [HUM.pcm[at : at + size] for at in range(0, len(HUM.pcm), size)]
    sent = pieces if odd else [wav_of(Sound(piece, 44_100)) for piece in pieces]
    zhipu.script = [
        lambda call: call.stream(*(chunk(content="hm", audio=audio(one)) for one in sent), last_chunk(), DONE)
    ]

    stream = await played.chat.completions.create(
        **ALOUD, messages=[{"role": "user", "content": "Hum."}], stream=True
    )
    told = [one.choices[0].delta.audio async for one in stream]

    assert convert(HUM, "pcm16") == b"".join(base64.b64decode(one.data or "") for one in told if one is not None)
    assert "hm" * len(sent) == "".join(one.transcript or "" for one in told if one is not None)


async def test_choices_are_spoken_side_by_side(played: openai.AsyncOpenAI, zhipu: Zhipu) -> None:
    def speak(call: Call) -> None:
        call.stream(chunk(content="Hum.", audio=audio(HUM.pcm, id=f"id-{len(zhipu.calls)}")), last_chunk(), DONE)

    zhipu.script = [speak, speak]

    stream = await played.chat.completions.create(
        **ALOUD, messages=[{"role": "user", "content": "Hum."}], stream=True, n=2
    )
    chosen: dict[int, bytes] = {0: b"", 1: b""}
    ids = set()
    async for one in stream:
        if (sound := one.choices[0].delta.audio) is not None:
            chosen[one.choices[0].index] += base64.b64decode(sound.data or "")
            ids |= {untagged(sound.id)} if sound.id is not None else set()

    assert {0: convert(HUM, "pcm16"), 1: convert(HUM, "pcm16")} == chosen
    assert {"id-1", "id-2"} == ids


@pytest.mark.parametrize("stream", [False, True])
async def test_what_is_no_sound_is_glms_fault(
    played: openai.AsyncOpenAI, zhipu: Zhipu, gateway: Gateway, *, stream: bool
) -> None:
    """And tells nothing of what it was."""
    bad = audio(b"") | {"data": "no base64!"}
    zhipu.script = [
        lambda call: (
            call.stream(chunk(content="Hm"), event({"choices": [{"index": 0, "delta": {"audio": bad}}]}), DONE)
            if stream
            else call.answer(completion("Hm", audio=bad))
        )
    ]

    async def hear() -> None:
        answer: Any = await played.chat.completions.create(
            **ALOUD, messages=[{"role": "user", "content": "Hum."}], stream=stream
        )
        async for _ in answer:
            pass

    with pytest.raises(openai.APIError, match="could not be read") as failed:
        await hear()

    assert "no base64" not in str(failed.value)
    assert 0 == gateway.slots


async def test_slot_is_free_when_the_listener_leaves(
    played: openai.AsyncOpenAI, zhipu: Zhipu, gateway: Gateway
) -> None:
    """While sound comes, and what it had been told is remembered."""
    zhipu.script = [
        lambda call: call.begin(chunk(content="Hum", audio=audio(HUM.pcm))),
        lambda call: call.answer(completion("more")),
    ]
    asked: Any = [{"role": "user", "content": "Hum."}]
    stream = await played.chat.completions.create(**ALOUD, messages=asked, stream=True)
    async for one in stream:
        if one.choices[0].delta.audio is not None:
            break

    await stream.close()
    await zhipu.calls[0].gone.wait()
    await played.chat.completions.create(
        model="glm-4.7", messages=[*asked, {"role": "assistant", "audio": {"id": "5b4c-1"}}, *asked]
    )

    assert 0 == gateway.slots
    assert {"role": "assistant", "content": "Hum"} == zhipu.calls[1].body["messages"][1]


async def test_sdks_own_way_to_put_a_stream_together_works(played: openai.AsyncOpenAI, zhipu: Zhipu) -> None:
    """It joins texts, base64 too, and adds up numbers."""
    half = len(HUM.pcm) // 4 * 2
    zhipu.script = [
        lambda call: call.stream(
            chunk(content=""),
            chunk(content="Hum", audio=audio(HUM.pcm[:half])),
            chunk(content=" hum.", audio=audio(HUM.pcm[half:])),
            last_chunk(),
            DONE,
        )
    ]

    asked: Any = [{"role": "user", "content": "Hum."}]
    async with played.chat.completions.stream(**ALOUD, messages=asked) as stream:
        whole = await stream.get_final_completion()

    message = whole.choices[0].message
    assert message.content is None
    assert message.audio is not None
    assert ("5b4c-1", 4_000_000_000) == (untagged(message.audio.id), message.audio.expires_at)
    assert "Hum hum." == message.audio.transcript
    assert convert(HUM, "pcm16") == base64.b64decode(message.audio.data, validate=True)


async def test_replicas_share_what_was_said(
    start_gateway: StartGateway, zhipu: Zhipu, connect: Connect, redis: RedisServer
) -> None:
    """An answer that one gave can be named to another, even where only its words are left."""
    shared = Redis(url=Secret(redis.url))
    one, other = [connect(await start_gateway(upstream_url=zhipu.url, redis=shared)) for _ in range(2)]
    zhipu.script = [
        lambda call: call.answer(completion("tea", audio=audio(HUM.pcm, expires_at=1))),
        lambda call: call.answer(completion("more")),
    ]

    first = await aloud(one, "Say: tea")
    await other.chat.completions.create(
        model="glm-4.7", messages=[*earlier(first), {"role": "user", "content": "Say: more"}]
    )

    assert {"role": "assistant", "content": "tea"} == zhipu.calls[1].body["messages"][1]
