"""The flows of the vendor's page, as the vendor's samples send them, over real sockets."""

import asyncio
import base64
import json

import pytest

from gateway.simulator import Running
from gateway.simulator.realtime.voice import RATE_HZ
from gateway.simulator.speech import listen
from tests.simulator.realtime.phone import JPEG, WEATHER, as_file, calling, cut, kinds, speech, told
from tests.simulator.speech.clearly import listens

pytestmark = pytest.mark.timeout(180)  # to understand speech takes seconds, and many on a busy machine

QUESTION = "What is the weather in Paris and London?"
SDK_SESSION = {
    "model": None,
    "voice": None,
    "input_audio_format": "wav",
    "output_audio_format": "pcm",
    "modalities": ["audio", "text"],
    "tools": [],
    "temperature": None,
    "max_output_tokens": None,
}
BETA_FIELDS = {"chat_mode": "audio", "tts_source": "e2e", "auto_search": False}
ANSWER = [
    "response.output_item.added",
    "conversation.item.created",
    "response.content_part.added",
    "response.text.delta",
    "response.text.done",
]
VOICE_ENDS = [
    "response.audio_transcript.done",
    "response.audio.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.done",
]


@listens
async def test_client_vad(zhipu: Running) -> None:
    """A whole file in one append, a commit, and a response once that was taken; the words come back as voice."""
    async with calling(zhipu) as phone:
        session = SDK_SESSION | {"turn_detection": {"type": "client_vad"}, "beta_fields": BETA_FIELDS}
        await phone.send("session.update", event_id="", client_timestamp=None, session=session)
        await phone.append(as_file(speech(QUESTION)))
        await phone.send("input_audio_buffer.commit", client_timestamp=1751858272957)
        opening = await phone.until("input_audio_buffer.committed")
        await phone.send("response.create")
        answer = await phone.until("response.done")

    assert ["session.created", "session.updated", "input_audio_buffer.committed"] == kinds(opening)
    assert "heartbeat" == opening[0]["type"]
    transcription = "conversation.item.input_audio_transcription.completed"
    assert ["conversation.created", "conversation.item.created", "response.created", "rate_limits.updated"] == [
        *kinds(answer)[:4]
    ]
    assert [transcription, *ANSWER] == kinds(answer)[4:10]
    assert VOICE_ENDS == kinds(answer)[-5:]
    heard = told(answer, transcription, "transcript")
    assert "weather" in heard
    assert told(answer, "response.text.delta") == told(answer, "response.text.done", "text")
    assert told(answer, "response.audio_transcript.delta") == told(answer, "response.text.done", "text")
    pieces = [event["delta"] for event in answer if event["type"] == "response.audio.delta"]
    assert "weather" in listen(b"".join(map(base64.b64decode, pieces)), RATE_HZ)
    assert 4800 == len(base64.b64decode(pieces[0]))
    assert answer[-1]["response"]["usage"]["input_token_details"]["audio_tokens"] > 30


@listens
async def test_server_vad(zhipu: Running) -> None:
    """Slices of 100 ms, each a file of its own, and nothing else: the platform hears when the turn ends."""
    async with calling(zhipu) as phone:
        turns = {"type": "server_vad", "threshold": 0.0, "prefix_padding_ms": 0, "silence_duration_ms": 0}
        session = SDK_SESSION | {"turn_detection": turns, "beta_fields": BETA_FIELDS}
        await phone.send("session.update", session=session)
        silence = bytes(16000)
        for piece in cut(silence + speech(QUESTION) + 2 * silence, 3200):
            await phone.append(as_file(piece))
            await asyncio.sleep(0.022)
        events = await phone.until("response.done")

    assert [
        "session.created",
        "session.updated",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.created",
        "conversation.item.created",
        "response.created",
        "rate_limits.updated",
    ] == kinds(events)[:9]
    started, stopped, committed = events[4:7] if events[2]["type"] == "heartbeat" else events[3:6]
    assert 0 <= started["audio_start_ms"] <= 400
    assert 3000 <= stopped["audio_end_ms"] <= 4200
    assert started["item_id"] == stopped["item_id"] != committed["item_id"]
    assert "weather" in told(events, "response.text.done", "text")


@listens
async def test_function_calls(zhipu: Running) -> None:
    """Two cities are two calls in one response, without ids; results are told in order and read out."""
    async with calling(zhipu) as phone:
        await phone.update(input_audio_format="wav", tools=[WEATHER], beta_fields=BETA_FIELDS)
        await phone.append(as_file(speech(QUESTION)))
        await phone.send("input_audio_buffer.commit")
        await phone.until("input_audio_buffer.committed")
        await phone.send("response.create")
        calls = await phone.until("response.done")
        for degrees in ("24 degrees", "18 degrees"):
            item = {"type": "function_call_output", "object": "realtime.item", "output": degrees}
            await phone.send("conversation.item.create", item=item)
        await phone.send("response.create")
        answer = await phone.until("response.done")

    assert [
        "conversation.item.created",
        "response.output_item.added",
        "response.content_part.added",
        "response.function_call_arguments.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.done",
    ] == kinds(calls)[-7:]
    made = [event for event in calls if event["type"] == "response.function_call_arguments.done"]
    assert [{"city": "Paris"}, {"city": "London"}] == [json.loads(event["arguments"]) for event in made]
    assert {"event_id", "client_timestamp", "type", "response_id", "output_index", "name", "arguments"} == set(
        made[0]
    )
    text = told(answer, "response.text.done", "text")
    assert "get_weather says: 24 degrees\nget_weather says: 18 degrees" == text


async def test_video(zhipu: Running) -> None:
    """Pictures are committed with the sound, and looked at."""
    async with calling(zhipu) as phone:
        session = SDK_SESSION | {"beta_fields": BETA_FIELDS | {"chat_mode": "video_passive"}}
        await phone.send("session.update", session=session)
        await phone.append(as_file(speech("What do you see?")))
        for _ in range(2):
            await phone.send("input_audio_buffer.append_video_frame", video_frame=JPEG)
        await phone.send("input_audio_buffer.commit")
        await phone.until("input_audio_buffer.committed")
        await phone.send("response.create")
        answer = await phone.until("response.done")

    assert "64 x 48 pixels" in told(answer, "response.text.done", "text")


async def test_one_file_in_slices_of_20_ms(zhipu: Running) -> None:
    """A file may come in slices, only the first of which has its header, at 50 a second and compressed back."""
    async with calling(zhipu) as phone:
        session = {
            "input_audio_format": "wav",
            "output_audio_format": "mp3",
            "turn_detection": {"type": "server_vad"},
            "beta_fields": BETA_FIELDS,
        }
        await phone.send("session.update", session=session)
        file = as_file(speech("What is the weather like?") + bytes(32000))
        for piece in cut(file, 1280):
            await phone.append(piece)
            await asyncio.sleep(0.022)
        events = await phone.until("response.done")

    sound = b"".join(
        base64.b64decode(event["delta"]) for event in events if event["type"] == "response.audio.delta"
    )
    assert sound[:3] == b"ID3" or sound[0] == 0xFF


async def test_picture_of_the_moment_goes_with_what_is_written(zhipu: Running) -> None:
    """Pictures that were not committed are those of the moment in which a response is asked for."""
    async with calling(zhipu) as phone:
        await phone.update(beta_fields={"chat_mode": "video_passive"}, modalities=["text"])
        await phone.send("input_audio_buffer.append_video_frame", video_frame=JPEG)
        await phone.type("What do you see?")
        await phone.send("response.create")
        first = await phone.until("response.done")
        await phone.type("Say goodbye")
        await phone.send("response.create")
        second = await phone.until("response.done")

    assert "64 x 48 pixels" in told(first, "response.text.delta")
    assert "goodbye" == told(second, "response.text.delta")
