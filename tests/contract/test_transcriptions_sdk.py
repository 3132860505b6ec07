"""Recordings sent by the official client, over real sockets, before a Zhipu that the test plays."""

import asyncio
import base64
import itertools
import json
from collections.abc import Callable
from random import Random
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI

from gateway.audio import Bounds, Sound, read_sound
from gateway.settings.schema import Audio
from tests.conftest import StartGateway
from tests.contract.conftest import Connect
from tests.fakes import DONE, KEY, Call, Zhipu, completion, error_body, event
from tests.forms import form_of
from tests.recordings import at_rate, joined, packed, silence, tone, wav_of
from tests.running import Gateway

SPOKEN = tone(seconds=3.0, sample_rate=16_000)
WAV = wav_of(SPOKEN)


def heard(text: str, **rest: Any) -> Callable[[Call], None]:
    """Reply with what was said, in the shape of glm-asr."""
    body = {"id": "1", "created": 1, "request_id": "1", "text": text, **rest}
    return lambda call: call.answer(body)


def english(*texts: str) -> str:
    return json.dumps({"texts": texts})


def by_start(texts: dict[int, str]) -> Callable[[Call], None]:
    """Reply by the pitch of the piece, which says which part of the recording it is."""

    def reply(call: Call) -> None:
        sound = read_sound(form_of(call)["file"][0][2], bounds=Bounds(), sample_rate=16_000)
        samples = memoryview(sound.pcm).cast("h")
        rises = sum(a < 0 <= b for a, b in itertools.pairwise(samples))
        seconds = sum(1 for sample in samples if abs(sample) > 500) / 16_000 / 0.95
        pitch = min(texts, key=lambda hertz: abs(hertz - rises / max(seconds, 0.1)))
        call.answer({"text": texts[pitch]})

    return reply


@pytest.fixture
def client(gateway: Gateway, connect: Connect) -> AsyncOpenAI:
    return connect(gateway)


async def test_a_short_recording_passes_as_it_is(client: AsyncOpenAI, zhipu: Zhipu, gateway: Gateway) -> None:
    """What fits GLM's limits arrives there byte by byte, with the caller's words; the rest is told as ignored."""
    zhipu.script = [heard("Hello there. ")]

    answer = await client.audio.transcriptions.with_raw_response.create(
        file=("talk.wav", WAV),
        model="whisper-1",
        language="en",
        prompt="A greeting.",
        temperature=0.2,
        extra_body={"keywords": ["Ohm", "Volt"], "user_id": "user-1", "unheard_of": 1},
    )

    form = form_of(zhipu.calls[0])
    assert "Hello there." == answer.parse().text
    assert zhipu.calls[0].path.endswith("/audio/transcriptions")
    assert [("audio.wav", "audio/wav", WAV)] == form.pop("file")
    assert {
        "model": ["glm-asr"],
        "prompt": ["A greeting."],
        "hotwords": ["Ohm", "Volt"],
        "user_id": ["user-1"],
    } == form
    assert {"language", "temperature", "unheard_of"} == set(answer.headers["x-gateway-ignored"].split(", "))
    assert answer.http_response.json()["usage"] == {"type": "duration", "seconds": 3}
    assert [3.0] == [round(record.audio_seconds, 3) for record in gateway.records]
    assert "transcription" == gateway.records[0].operation


async def test_usage_is_in_tokens_where_glm_counts_them(client: AsyncOpenAI, zhipu: Zhipu) -> None:
    zhipu.script = [heard("Hi", usage={"prompt_tokens": 63, "completion_tokens": 10, "total_tokens": 73})]

    answer = await client.audio.transcriptions.create(file=WAV, model="gpt-4o-transcribe")

    assert answer.usage is not None and answer.usage.type == "tokens"  # noqa: PT018 - for the types
    assert (63, 10, 73) == (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens)


@pytest.mark.parametrize("kind", ["flac", "mp4", "m4a", "ogg", "opus", "webm", "mpeg", "mkv", "float.wav"])
async def test_other_formats_arrive_as_wav(client: AsyncOpenAI, zhipu: Zhipu, kind: str) -> None:
    """The name and the declared type are not looked at: SDKs send ``upload`` for bytes."""
    zhipu.script = [heard("Hello.")]

    answer = await client.audio.transcriptions.create(file=packed(SPOKEN, kind), model="whisper-1")

    [(filename, content_type, data)] = form_of(zhipu.calls[0])["file"]
    sent = read_sound(data, bounds=Bounds(), sample_rate=16_000)
    assert ("audio.wav", "audio/wav", "Hello.") == (filename, content_type, answer.text)
    assert 16_000 == int.from_bytes(data[24:28], "little")
    assert sent.seconds == pytest.approx(3.0, abs=0.1)


@pytest.mark.parametrize(("kind", "media_type"), [("mp3", "audio/mpeg"), ("wav", "audio/wav")])
async def test_what_glm_takes_passes_as_it_is(
    client: AsyncOpenAI, zhipu: Zhipu, kind: str, media_type: str
) -> None:
    """Whatever its rate and its name: nothing of its sound is made anew."""
    data = packed(at_rate(SPOKEN, 44_100), kind)
    zhipu.script = [heard("Hello.")]

    await client.audio.transcriptions.create(file=("wrong.ogg", data, "audio/ogg"), model="whisper-1")

    [(filename, content_type, sent)] = form_of(zhipu.calls[0])["file"]
    assert (f"audio.{kind}", media_type) == (filename, content_type)
    assert data.endswith(sent)
    assert len(sent) > 0.95 * len(data)


PITCHES = {200: "one.", 400: "two.", 800: "three.", 1600: "four."}


def long_recording(*, seconds: float = 20.0) -> Sound:
    parts = [tone(hertz=hertz, seconds=seconds, sample_rate=16_000) for hertz in PITCHES]
    pause = silence(seconds=1.0, sample_rate=16_000)
    return joined(*(sound for part in parts for sound in (part, pause)))


async def test_a_long_recording_comes_back_whole_and_in_order(client: AsyncOpenAI, zhipu: Zhipu) -> None:
    zhipu.script = [by_start(PITCHES)] * 4

    answer = await client.audio.transcriptions.create(
        file=packed(long_recording(), "mp3"), model="whisper-1", response_format="verbose_json"
    )

    assert "one. two. three. four." == answer.text
    assert answer.duration == pytest.approx(84.0, abs=0.2)
    assert answer.segments is not None
    assert ["one.", "two.", "three.", "four."] == [segment.text for segment in answer.segments]
    for at, segment in enumerate(answer.segments):
        assert segment.start == pytest.approx(21 * at, abs=0.5)
        assert segment.end == pytest.approx(21 * at + 20, abs=0.5)
    for call in zhipu.calls:
        data = form_of(call)["file"][0][2]
        assert len(data) <= 25 * 32_000 + 44


async def test_one_upload_holds_no_more_than_its_slots(client: AsyncOpenAI, zhipu: Zhipu) -> None:
    """Pieces go out side by side, three at most; the next when one has come back."""
    task = asyncio.ensure_future(
        client.audio.transcriptions.create(file=wav_of(long_recording()), model="whisper-1")
    )
    first = [await zhipu.call() for _ in range(3)]
    assert 3 == len(zhipu.calls)

    first[1].answer({"text": "b"})
    fourth = await zhipu.call()
    for call, text in zip([first[0], first[2], fourth], "acd", strict=True):
        call.answer({"text": text})

    assert "a b c d" == (await task).text


async def test_one_slot_means_one_piece_after_the_other_each_told_what_came_before(
    start_gateway: StartGateway, zhipu: Zhipu, connect: Connect
) -> None:
    gateway = await start_gateway(upstream_url=zhipu.url, audio=Audio(slots_per_upload=1))
    zhipu.script = [heard(text) for text in ("one.", "two.", "three.", "four.")]

    client = connect(gateway)
    await client.audio.transcriptions.create(file=wav_of(long_recording()), model="whisper-1", prompt="Numbers:")

    prompts = [form_of(call)["prompt"] for call in zhipu.calls]
    assert [["Numbers:"], ["Numbers: one."], ["Numbers: one. two."], ["Numbers: one. two. three."]] == prompts


async def test_a_prompt_that_is_carried_on_stays_within_glms_bounds(
    start_gateway: StartGateway, zhipu: Zhipu, connect: Connect
) -> None:
    gateway = await start_gateway(upstream_url=zhipu.url, audio=Audio(slots_per_upload=1))
    zhipu.script = [heard("said " * 120)] * 4

    client = connect(gateway)
    await client.audio.transcriptions.create(
        file=wav_of(long_recording()), model="whisper-1", prompt="hint " * 1_600
    )

    assert all(len(form_of(call)["prompt"][0]) < 8_000 for call in zhipu.calls)
    assert form_of(zhipu.calls[-1])["prompt"][0].endswith("said")


@pytest.mark.parametrize(("told", "name"), [("en", "english"), ("zh-CN", "chinese"), ("Elvish", "Elvish")])
async def test_a_language_is_answered_by_its_name(client: AsyncOpenAI, zhipu: Zhipu, told: str, name: str) -> None:
    zhipu.script = [heard("Hello.")]

    answer = await client.audio.transcriptions.create(
        file=WAV, model="whisper-1", language=told, response_format="verbose_json"
    )

    assert name == answer.language


async def test_times_of_glm_are_moved_to_where_the_piece_is(client: AsyncOpenAI, zhipu: Zhipu) -> None:
    segments = [
        {"id": 0, "start": 1.0, "end": 2.5, "text": "hey"},
        {"id": 1, "start": 2.5, "end": 99, "text": "you"},
    ]
    zhipu.script = [heard("hey you", segments=segments)] * 4

    answer = await client.audio.transcriptions.create(
        file=wav_of(long_recording()),
        model="whisper-1",
        response_format="verbose_json",
        timestamp_granularities=["segment"],
    )

    assert answer.segments is not None
    assert 8 == len(answer.segments)
    assert answer.segments[2].start == pytest.approx(21.5, abs=1)
    assert all(a.end <= b.start + 0.01 for a, b in zip(answer.segments, answer.segments[1:], strict=False))
    assert {
        "id",
        "seek",
        "start",
        "end",
        "text",
        "tokens",
        "temperature",
        "avg_logprob",
        "compression_ratio",
        "no_speech_prob",
    } == set(answer.segments[0].model_dump())


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param((0.5, 2.5), (0.5, 2.5), id="inside"),
        pytest.param((2.5, 4.25), (2.5, 4.25), id="beyond the end"),
        pytest.param((3.5, 4.25), (3.5, 4.25), id="behind the end"),
        pytest.param((2, 1), (2, 2), id="ends before it begins"),
        pytest.param((-1, 2000), (0, 30), id="beyond what GLM takes"),
    ],
)
async def test_times_of_a_short_recording_are_those_that_glm_tells(
    client: AsyncOpenAI, zhipu: Zhipu, told: tuple[float, float], expected: tuple[float, float]
) -> None:
    """It has no neighbour that they could run into, and GLM may hear its end later than we do."""
    zhipu.script = [heard("Hey", segments=[{"id": 0, "start": told[0], "end": told[1], "text": "Hey"}])]

    answer = await client.audio.transcriptions.create(file=WAV, model="whisper-1", response_format="verbose_json")

    assert answer.segments is not None
    assert [expected] == [(segment.start, segment.end) for segment in answer.segments]
    assert 3.0 == answer.duration


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("text", "Hello.\n"),
        ("srt", "1\n00:00:00,000 --> 00:00:03,000\nHello.\n\n"),
        ("vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:03.000\nHello.\n\n"),
    ],
)
async def test_plain_formats_are_text(client: AsyncOpenAI, zhipu: Zhipu, kind: Any, expected: str) -> None:
    zhipu.script = [heard("Hello.")]

    answer = await client.audio.transcriptions.with_raw_response.create(
        file=WAV, model="whisper-1", response_format=kind
    )

    assert expected == answer.text
    assert answer.headers["content-type"].startswith("text/plain")


async def test_subtitles_are_not_streamed_and_that_is_told_once(client: AsyncOpenAI, zhipu: Zhipu) -> None:
    zhipu.script = [heard("Hello.")]

    answer = await client.audio.transcriptions.with_raw_response.create(
        file=WAV, model="whisper-1", response_format="srt", extra_body={"stream": True}
    )

    assert "stream" == answer.headers["x-gateway-ignored"]


def said(*deltas: str, text: str | None, **last: Any) -> Callable[[Call], None]:
    """Reply with a stream in GLM's shape: the last event has the whole text and no delta."""
    base = {"id": "1", "created": 1, "model": "glm-asr"}
    events = [event({**base, "type": "transcript.text.delta", "delta": delta}) for delta in deltas]
    if text is not None:
        events.append(event({**base, "type": "transcript.text.done", "text": text, **last}))
    return lambda call: call.stream(*events, DONE)


async def test_a_stream_says_what_is_heard_as_it_is_heard(client: AsyncOpenAI, zhipu: Zhipu) -> None:
    asking = asyncio.ensure_future(
        client.audio.transcriptions.create(file=WAV, model="gpt-4o-transcribe", stream=True)
    )
    call = await zhipu.call()
    call.begin(event({"type": "transcript.text.delta", "delta": "Hel"}))

    events = aiter(await asking)
    first = await anext(events)
    call.end(
        event({"type": "transcript.text.delta", "delta": "lo."}),
        event({"type": "transcript.text.done", "text": "Hello."}),
        DONE,
    )
    rest = [one async for one in events]

    assert ["true"] == form_of(call)["stream"]
    assert ("transcript.text.delta", "Hel") == (first.type, getattr(first, "delta", None))
    assert ["lo."] == [one.delta for one in rest if one.type == "transcript.text.delta"]
    assert ["Hello."] == [one.text for one in rest if one.type == "transcript.text.done"]


@pytest.mark.parametrize(
    ("counted", "told"),
    [({}, None), ({"usage": {"prompt_tokens": 63, "completion_tokens": 10, "total_tokens": 73}}, (63, 10, 73))],
    ids=["not counted", "counted"],
)
async def test_a_stream_tells_usage_in_tokens_or_not_at_all(
    gateway: Gateway, connect: Connect, zhipu: Zhipu, counted: dict[str, Any], told: tuple[int, ...] | None
) -> None:
    """Its last event knows no seconds, unlike a whole answer: the SDK's types refuse them."""
    zhipu.script = [said("Hello.", text="Hello.", **counted)]
    strict = connect(gateway, _strict_response_validation=True)

    stream = await strict.audio.transcriptions.create(file=WAV, model="gpt-4o-transcribe", stream=True)
    (last,) = [one async for one in stream if one.type == "transcript.text.done"]

    usage = last.usage
    assert told == (usage and (usage.input_tokens, usage.output_tokens, usage.total_tokens))


async def test_a_long_recording_is_streamed_in_order(client: AsyncOpenAI, zhipu: Zhipu) -> None:
    """The first piece is told while the others are under way, and none before its turn."""
    task = asyncio.ensure_future(collect(client))
    calls = [await zhipu.call() for _ in range(3)]
    said("b1 ", "b2", text="b1 b2")(calls[1])
    said("中文", text="中文")(calls[2])
    said("a", text="a")(calls[0])
    said("d", text=None)(await zhipu.call())

    deltas, text = await task

    assert "a b1 b2中文 d" == "".join(deltas) == text


async def test_stream_about_a_long_recording_without_words_ends(client: AsyncOpenAI, zhipu: Zhipu) -> None:
    zhipu.script = [said(text="")] * 4

    assert ([], "") == await collect(client)


async def collect(client: AsyncOpenAI) -> tuple[list[str], str]:
    deltas, text = [], ""
    async for one in await client.audio.transcriptions.create(
        file=wav_of(long_recording()), model="whisper-1", stream=True
    ):
        if one.type == "transcript.text.delta":
            deltas.append(one.delta)
        elif one.type == "transcript.text.done":
            text = one.text
    return deltas, text


async def test_a_failing_piece_fails_the_whole_and_says_where(
    client: AsyncOpenAI, zhipu: Zhipu, gateway: Gateway
) -> None:
    zhipu.script = [heard("one"), lambda call: call.answer(error_body("1301", "unsafe"), status=400)]

    with pytest.raises(openai.BadRequestError, match="It is about the sound from 2"):
        await client.audio.transcriptions.create(file=wav_of(long_recording()), model="whisper-1")

    assert all(row.here == 0 for row in gateway.desk.limiter.snapshot())


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # the SDK's own word for translations
async def test_translations_are_told_in_english_with_their_times(client: AsyncOpenAI, zhipu: Zhipu) -> None:
    """The chat model gets the lines as a list and gives them back as one; where it does not, they are one line."""
    segments = [{"start": 0.0, "end": 1.0, "text": "你好"}, {"start": 1.0, "end": 2.0, "text": "再见"}]
    zhipu.script = [
        heard("你好再见", segments=segments),
        lambda call: call.answer(completion('```json\n{"texts": ["Hello", "Goodbye"]}\n```')),
    ]

    answer = await client.audio.translations.create(
        file=WAV, model="whisper-1", response_format="verbose_json", prompt="A goodbye."
    )

    chat = zhipu.calls[1]
    assert chat.path.endswith("/chat/completions")
    assert '["你好","再见"]' == chat.body["messages"][1]["content"]
    assert "A goodbye." in chat.body["messages"][0]["content"]
    assert {"type": "disabled"} == chat.body["thinking"]
    assert ("Hello Goodbye", "english") == (answer.text, answer.language)
    assert answer.segments is not None
    assert [("Hello", 0.0, 1.0), ("Goodbye", 1.0, 2.0)] == [
        (one.text, one.start, one.end) for one in answer.segments
    ]
    assert not answer.model_extra or "usage" not in answer.model_extra


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # as above
async def test_a_piece_is_told_what_was_said_before_it_and_not_its_translation(
    start_gateway: StartGateway, zhipu: Zhipu, connect: Connect
) -> None:
    gateway = await start_gateway(upstream_url=zhipu.url, audio=Audio(slots_per_upload=1))
    words = {"你好。": "Hello.", "再见。": "Bye.", "谢谢。": "Thanks.", "对。": "Right."}
    zhipu.script = [
        reply
        for said, told in words.items()
        for reply in (heard(said), lambda call, told=told: call.answer(completion(english(told))))
    ]

    client = connect(gateway)
    answer = await client.audio.translations.create(file=wav_of(long_recording()), model="whisper-1")

    assert "Hello. Bye. Thanks. Right." == answer.text
    prompts = [form_of(call).get("prompt") for call in zhipu.calls if call.path.endswith("/transcriptions")]
    assert [None, ["你好。"], ["你好。再见。"], ["你好。再见。谢谢。"]] == prompts


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # as above
@pytest.mark.parametrize(
    "said",
    [
        '{"texts": ["Hello."]}',
        '```json\n{"texts": ["Hello."]}\n```',
        'Here: {"texts": ["Hello."]} Bye!',
        '["Hello."]',
        '[Music] {"texts": ["Hello."]}',
    ],
)
async def test_a_translation_is_taken_out_of_what_is_around_it(
    client: AsyncOpenAI, zhipu: Zhipu, said: str
) -> None:
    zhipu.script = [heard("你好"), lambda call: call.answer(completion(said))]

    answer = await client.audio.translations.create(file=WAV, model="whisper-1")

    assert {"text": "Hello."} == answer.model_dump()


NO_ENGLISH = ["Sure, I can help!", '{"text": "Hello."}', '{"texts": []}', '{"texts": ["Hel', '{"zh": ["你好"]}']


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # as above
@pytest.mark.parametrize("wrong", NO_ENGLISH)
async def test_a_model_that_does_not_translate_is_asked_once_more(
    client: AsyncOpenAI, zhipu: Zhipu, gateway: Gateway, wrong: str
) -> None:
    """With its answer before it; the tokens of both are counted."""
    zhipu.script = [
        heard("你好"),
        lambda call: call.answer(completion(wrong)),
        lambda call: call.answer(completion(english("Hello."))),
    ]

    answer = await client.audio.translations.create(file=WAV, model="whisper-1")

    assert "Hello." == answer.text
    first, again = [call.body["messages"] for call in zhipu.calls[1:]]
    assert [*first, {"role": "assistant", "content": wrong}] == again[:-1]
    assert "cannot be used" in again[-1]["content"]
    assert (2 * 15, 2 * 7) == (gateway.record.input_tokens, gateway.record.output_tokens)


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # as above
@pytest.mark.parametrize(
    "said", ["Hello.", '{"answer": "Hello."}', '```json\n{"english": [{"1": "Hello."}]}\n```']
)
async def test_a_model_that_keeps_to_no_form_is_taken_at_its_word(
    client: AsyncOpenAI, zhipu: Zhipu, said: str
) -> None:
    """It was asked twice, and has translated twice."""
    zhipu.script = [heard("你好"), *[lambda call: call.answer(completion(said))] * 2]

    answer = await client.audio.translations.create(file=WAV, model="whisper-1")

    assert "Hello." == answer.text


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # as above
async def test_a_model_that_never_translates_is_told_as_its_fault(
    client: AsyncOpenAI, zhipu: Zhipu, gateway: Gateway
) -> None:
    """And not as a translation, nor with its words."""
    zhipu.script = [heard("你好"), *[lambda call: call.answer(completion('{"texts": ["Sure'))] * 2]

    with pytest.raises(openai.InternalServerError) as failed:
        await client.audio.translations.create(file=WAV, model="whisper-1")

    assert (502, "invalid_structured_output") == (failed.value.status_code, failed.value.code)
    assert "Sure" not in str(failed.value)
    assert 0 == gateway.slots


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"response_format": "diarized_json"}, "response_format"),
        ({"response_format": "yaml"}, "response_format"),
        ({"timestamp_granularities": ["word"], "response_format": "verbose_json"}, "timestamp_granularities"),
        ({"include": ["logprobs"]}, "include"),
        ({"temperature": 1.5}, "temperature"),
        ({"extra_body": {"stream": "perhaps"}}, "stream"),
        ({"extra_body": {"keywords": [f"word{n}" for n in range(101)]}}, "keywords"),
        ({"extra_body": {"request_id": "short"}}, "request_id"),
        ({"extra_body": {"user_id": "u" * 129}}, "user_id"),
        ({"model": "glm-4.7"}, "model"),
    ],
)
async def test_what_cannot_be_is_refused_by_name(
    client: AsyncOpenAI, zhipu: Zhipu, fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.audio.transcriptions.create(**{"file": WAV, "model": "whisper-1", **fields})

    assert refused.value.param is not None
    assert refused.value.param.startswith(param)
    assert not zhipu.calls


@pytest.mark.parametrize("data", [b"", b"Example data", b"x" * 100_000], ids=["nothing", "example", "text"])
async def test_what_is_no_recording_is_the_callers_fault(client: AsyncOpenAI, zhipu: Zhipu, data: bytes) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.audio.transcriptions.create(file=("talk.mp3", data), model="whisper-1")

    assert "file" == refused.value.param
    assert not zhipu.calls


@pytest.mark.parametrize(
    ("texts", "text"), [(["Hey you.", "There."], "Hey you. There."), (["你好", "再见"], "你好再见")]
)
async def test_segments_alone_are_the_text(client: AsyncOpenAI, zhipu: Zhipu, texts: list[str], text: str) -> None:
    segments = [{"id": at, "start": at, "end": at + 1, "text": one} for at, one in enumerate(texts)]
    zhipu.script = [lambda call: call.answer({"id": "1", "segments": segments})]

    assert text == (await client.audio.transcriptions.create(file=WAV, model="whisper-1")).text


@pytest.mark.parametrize(
    ("segments", "starts"),
    [
        ([{"id": "0", "start": "0.5", "end": "1", "text": "Hey"}], [0.5]),
        ([{"id": 0, "start": "now", "end": None, "text": "Hey"}], [0.0]),
        ([{"id": 0, "start": 0, "end": 1, "text": None}], [0.0]),
        ([{"start": 1, "end": 2, "text": "H"}, {"text": "ey"}], [0.0]),
        ("none", [0.0]),
    ],
)
async def test_text_is_not_lost_over_its_times(
    client: AsyncOpenAI, zhipu: Zhipu, segments: Any, starts: list[float]
) -> None:
    """Times in which GLM makes no sense are those of the sound."""
    zhipu.script = [heard("Hey", segments=segments)]

    answer = await client.audio.transcriptions.create(file=WAV, model="whisper-1", response_format="verbose_json")

    assert "Hey" == answer.text
    assert answer.segments is not None
    assert starts == [segment.start for segment in answer.segments]


@pytest.mark.parametrize("seconds", [0.02, 3, 29, 40, 70])
async def test_whether_silence_is_speech_glm_judges(client: AsyncOpenAI, zhipu: Zhipu, seconds: float) -> None:
    """As at OpenAI it is no error; a long one is not sent all the same."""
    zhipu.script = [heard(""), heard("")]
    data = wav_of(silence(seconds=seconds, sample_rate=16_000))

    answer = await client.audio.transcriptions.create(file=data, model="whisper-1")
    told = await client.audio.transcriptions.create(file=data, model="whisper-1", response_format="verbose_json")

    assert 2 == len(zhipu.calls)
    assert ("", "", []) == (answer.text, told.text, told.segments)
    assert told.duration == pytest.approx(seconds, abs=0.01)


SILENCES: dict[str, tuple[Callable[[], bytes], str]] = {
    "a bomb": (lambda: packed(silence(seconds=800, sample_rate=16_000), "flac"), "silent_audio"),
    "too long": (lambda: packed(silence(seconds=1000, sample_rate=8_000), "flac"), "audio_too_long"),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", SILENCES)
async def test_hours_of_silence_in_few_bytes_are_refused_without_asking(
    start_gateway: StartGateway,
    zhipu: Zhipu,
    connect: Connect,
    kind: str,
    stream: bool,  # noqa: FBT001
) -> None:
    gateway = await start_gateway(upstream_url=zhipu.url, audio=Audio(max_seconds=900))
    make, code = SILENCES[kind]
    client = connect(gateway)
    with pytest.raises(openai.BadRequestError) as refused:
        await client.audio.transcriptions.create(file=make(), model="whisper-1", stream=stream)

    assert (code, "file") == (refused.value.code, refused.value.param)
    assert not zhipu.calls
    assert not gateway.slots


async def test_half_a_recording_is_not_taken_for_all_of_it(client: AsyncOpenAI, zhipu: Zhipu) -> None:
    with pytest.raises(openai.BadRequestError, match="breaks off") as refused:
        await client.audio.transcriptions.create(file=WAV[: len(WAV) // 2], model="whisper-1")

    assert ("truncated_audio", "file") == (refused.value.code, refused.value.param)
    assert not zhipu.calls


async def test_noise_is_for_glm_to_judge(client: AsyncOpenAI, zhipu: Zhipu) -> None:
    """What it hears nothing in is an empty text, as OpenAI answers: callers send every cough."""
    zhipu.script = [heard("")]
    noise = Sound(Random(5).randbytes(64_000), 16_000)  # noqa: S311 - not a secret

    answer = await client.audio.transcriptions.create(file=wav_of(noise), model="whisper-1")

    assert "" == answer.text


async def test_open_webui_sends_json(gateway: Gateway, zhipu: Zhipu) -> None:
    zhipu.script = [heard("Hello.")] * 3
    sound = base64.b64encode(WAV).decode()
    async with httpx.AsyncClient(base_url=gateway.origin, headers={"authorization": f"Bearer {KEY}"}) as http:
        answers = [
            await http.post("/v1/audio/transcriptions", json={"model": "whisper-1", **body})
            for body in (
                {"input_audio": {"data": sound, "format": "wav"}},
                {"file_base64": f"data:audio/wav;base64,{sound}"},
                {"file_base64": "DATA:audio/wav;base64," + base64.encodebytes(WAV).decode()},
            )
        ]
        bad = [
            await http.post("/v1/audio/transcriptions", json={"model": "whisper-1", **body})
            for body in (
                {"input_audio": {"data": "%%%"}},
                {"input_audio": {"format": "wav"}},
                {"input_audio": sound},
                {"file_base64": 7},
                {"input_audio": {"data": base64.b64encode(WAV[:1000]).decode()}},
                {},
            )
        ]

    assert ["Hello."] * 3 == [answer.json()["text"] for answer in answers]
    assert {400} == {answer.status_code for answer in bad}
    assert ["input_audio"] * 3 + ["file_base64", "input_audio", "file"] == [
        answer.json()["error"]["param"] for answer in bad
    ]


async def test_a_caller_that_leaves_takes_its_calls_along(
    client: AsyncOpenAI, gateway: Gateway, zhipu: Zhipu
) -> None:
    task = asyncio.ensure_future(
        client.audio.transcriptions.create(file=wav_of(long_recording()), model="whisper-1")
    )
    calls = [await zhipu.call() for _ in range(3)]
    task.cancel()
    await asyncio.gather(*(call.gone.wait() for call in calls))

    assert all(row.here == 0 for row in gateway.desk.limiter.snapshot())
