"""What calls do besides the flows of the page: what they refuse, what interrupts them, what is odd about them."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from gateway.simulator import Account, Habits, Running
from tests.simulator.realtime.phone import JPEG, WEATHER, Phone, calling, cut, kinds, speech, told
from tests.simulator.speech.clearly import listens

pytestmark = pytest.mark.timeout(180)  # to understand speech takes seconds, and many on a busy machine

SERVER_VAD = {"type": "server_vad", "create_response": True, "interrupt_response": True}
VIDEO = {"chat_mode": "video_passive"}
QUESTION = "What is the weather in Paris and London?"
LONG = "Count from 1 to 60"
SILENCE = bytes(32000)


async def say(phone: Phone, text: str) -> None:
    """Speak a sentence in frames, with a second of silence after it."""
    for piece in cut(speech(text) + SILENCE, 3200):
        await phone.append(piece)
        await asyncio.sleep(0.022)


async def test_typed_message_is_answered(zhipu: Running) -> None:
    async with calling(zhipu) as phone:
        await phone.update(modalities=["text"])
        await phone.type("12 * 12")
        created = (await phone.until("conversation.item.created"))[-1]["item"]
        await phone.send("response.create")
        events = await phone.until("response.done")

    assert "12 * 12 = 144" == told(events, "response.text.delta")
    assert not [event for event in events if "audio" in event["type"]]
    assert ("message", "user", "completed") == (created["type"], created["role"], created["status"])


async def test_typed_message_is_ignored_by_habit(start: Callable[..., Running]) -> None:
    """The item is confirmed and the answer is empty; new instructions are answered."""
    async with calling(start(habits=Habits(typed="ignored"))) as phone:
        await phone.update(instructions="Be brief.")
        await phone.type("12 * 12")
        await phone.send("response.create")
        events = await phone.until("response.done")
        await phone.update(instructions="Be brief.\nAnswer this:\nUser: 12 * 12")
        await phone.send("response.create")
        again = await phone.until("response.done")

    assert "conversation.item.created" in kinds(events)
    assert "" == told(events, "response.text.done", "text")
    assert not [event for event in events if event["type"].endswith("delta")]
    assert "12 * 12 = 144" == told(again, "response.text.delta")


async def test_cancel_closes_what_is_open(zhipu: Running) -> None:
    """A cancelled response is told as that, its parts are closed, and what was said of it is remembered."""
    async with calling(zhipu) as phone:
        await phone.update()
        await phone.type(LONG)
        await phone.send("response.create")
        await phone.until("response.audio.delta")
        await phone.send("response.cancel")
        events = await phone.until("response.done")
        await phone.type("What did you say?")
        await phone.send("response.create")
        recalled = await phone.until("response.text.done")

    assert [
        "response.cancelled",
        "response.audio_transcript.done",
        "response.audio.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.done",
    ] == kinds(events)[-6:]
    assert "cancelled" == events[-1]["response"]["status"]
    assert "incomplete" == events[-2]["item"]["status"]
    assert "1 2 3" in recalled[-1]["text"]


async def test_cancel_of_nothing_is_an_error(zhipu: Running) -> None:
    async with calling(zhipu) as phone:
        await phone.update()
        await phone.send("response.cancel")
        assert "stop_task_error" == (await phone.error())["code"]


@listens
async def test_speech_interrupts(zhipu: Running) -> None:
    """Server VAD stops what is said as soon as somebody speaks, and answers that instead."""
    async with calling(zhipu) as phone:
        await phone.update(turn_detection=SERVER_VAD)
        await phone.type(LONG)
        await phone.send("response.create")
        await phone.until("response.audio.delta")
        await say(phone, QUESTION)
        stopped = await phone.until("response.done")
        answered = await phone.until("response.done")

    assert "cancelled" == stopped[-1]["response"]["status"]
    assert "input_audio_buffer.speech_started" in kinds(stopped)
    assert "weather" in told(answered, "response.text.done", "text")


@listens
async def test_speech_does_not_interrupt_where_it_should_not(zhipu: Running) -> None:
    """Without ``interrupt_response`` the next answer follows; without ``create_response`` there is none."""
    async with calling(zhipu) as phone:
        await phone.update(turn_detection=SERVER_VAD | {"interrupt_response": False})
        await phone.type("Count from 1 to 30")
        await phone.send("response.create")
        await phone.until("response.audio.delta")
        await say(phone, QUESTION)
        first = await phone.until("response.done")
        second = await phone.until("response.done")
        await phone.update(turn_detection=SERVER_VAD | {"create_response": False})
        await say(phone, QUESTION)
        heard = await phone.until("conversation.item.input_audio_transcription.completed")
        await phone.send("response.cancel")
        error = await phone.error()

    assert "completed" == first[-1]["response"]["status"]
    assert "weather" in told(second, "response.text.done", "text")
    assert "response.created" not in kinds(heard)
    assert "stop_task_error" == error["code"]


async def test_server_vad_with_functions_hangs_by_habit(start: Callable[..., Running]) -> None:
    async with calling(start(habits=Habits(tools_hang=True))) as phone:
        await phone.update(turn_detection=SERVER_VAD, tools=[WEATHER])
        await say(phone, QUESTION)
        await phone.send("input_audio_buffer.clear")
        events = await phone.until("input_audio_buffer.cleared")

    assert "input_audio_buffer.speech_started" in kinds(events)
    assert "input_audio_buffer.speech_stopped" not in kinds(events)
    assert "eventId" in events[-1]


@pytest.mark.parametrize(("transcripts", "told_as"), [("none", set()), ("pieces", {"delta"})])
async def test_transcripts_of_the_voice_may_be_missing(
    start: Callable[..., Running], transcripts: Any, told_as: set[str]
) -> None:
    async with calling(start(habits=Habits(transcripts=transcripts, pace=0))) as phone:
        await phone.update()
        await phone.type("Say hello")
        await phone.send("response.create")
        events = await phone.until("response.done")

    named = [event["type"] for event in events]
    assert told_as == {name.rpartition(".")[2] for name in named if "audio_transcript" in name}
    assert "response.audio.delta" in named


async def test_more_than_50_messages_a_second_are_dropped(zhipu: Running) -> None:
    """A second of sound in 200 messages is a quarter of a second at most, and no error."""
    async with calling(zhipu) as phone:
        await phone.update(turn_detection=SERVER_VAD | {"silence_duration_ms": 200})
        loud = speech("Hello, how are you today?")[6400:38400]
        for piece in cut(loud, 160):
            await phone.append(piece)
        await asyncio.sleep(1)
        for piece in cut(SILENCE, 6400):
            await phone.append(piece)
        stopped = (await phone.until("input_audio_buffer.speech_stopped"))[-1]

    assert stopped["audio_end_ms"] < 650


async def test_update_replaces_everything(zhipu: Running) -> None:
    """What an update leaves out goes back to its default: mode, functions, VAD."""
    async with calling(zhipu) as phone:
        first = await phone.update(tools=[WEATHER], temperature=0.7, turn_detection=SERVER_VAD, instructions="Hi.")
        await phone.send("session.update", session={"input_audio_format": "pcm"})
        second = (await phone.until("session.updated"))[-1]["session"]

    vad = SERVER_VAD | {"prefix_padding_ms": 300, "silence_duration_ms": 500, "threshold": 0.5}
    assert (vad, 0.7, [WEATHER]) == (first["turn_detection"], first["temperature"], first["tools"])
    assert (0.05, "default") == (second["temperature"], second["voice"])
    assert not second.keys() & {"tools", "turn_detection", "instructions"}


async def test_search_is_a_tool_that_nobody_gave(zhipu: Running) -> None:
    """It is echoed where the platform searches by itself, and what is asked for is searched."""
    async with calling(zhipu) as phone:
        echo = await phone.update(beta_fields={"chat_mode": "audio", "auto_search": True}, modalities=["text"])
        await phone.type("Please search for otters")
        await phone.send("response.create")
        events = await phone.until("response.done")

    assert ["search_engine_auto"] == [tool["name"] for tool in echo["tools"]]
    assert "The web says" in told(events, "response.text.delta")


async def test_video_call_searches_with_a_filler(zhipu: Running) -> None:
    """The search of video calls is an event of its own, before anything of the answer."""
    async with calling(zhipu) as phone:
        await phone.update(beta_fields=VIDEO | {"auto_search": True}, modalities=["text"])
        await phone.send("input_audio_buffer.append_video_frame", video_frame=JPEG)
        await phone.type("今天有什么新闻？")
        await phone.send("response.create")
        events = await phone.until("response.done")

    assert "response.function_call.simple_browser" in kinds(events)
    browser = next(event for event in events if event["type"].endswith("simple_browser"))
    assert browser["session"]["beta_fields"]["simple_browser"]["description"]


async def test_rules_of_video(zhipu: Running) -> None:
    """No functions, no answer before a picture, no pictures without it, and no memory on the way back."""
    async with calling(zhipu) as phone:
        await phone.update()
        await phone.type("My name is Ada")
        await phone.send("input_audio_buffer.append_video_frame", video_frame=JPEG)
        assert "invalid_event" == (await phone.error())["code"]
        session = {"beta_fields": VIDEO, "tools": [WEATHER]}
        await phone.send("session.update", session=session)
        assert "tools" in (await phone.error())["message"]
        await phone.update(beta_fields=VIDEO, modalities=["text"])
        await phone.send("response.create")
        assert "video_model_query_error" == (await phone.error())["code"]
        await phone.send("input_audio_buffer.append_video_frame", video_frame=JPEG)
        await phone.send("response.create")
        await phone.until("response.done")
        await phone.type("What is my name?")
        await phone.send("response.create")
        kept = await phone.until("response.done")
        await phone.update(modalities=["text"])
        await phone.type("What is my name?")
        await phone.send("response.create")
        lost = await phone.until("response.done")

    assert "Ada" == told(kept, "response.text.delta")
    assert "Ada" not in told(lost, "response.text.delta")


async def test_greeting_comes_unasked_and_once(zhipu: Running) -> None:
    async with calling(zhipu) as phone:
        greeting = {"chat_mode": "audio", "greeting_config": {"enable": True, "content": "Good day."}}
        await phone.update(beta_fields=greeting)
        events = await phone.until("response.done")
        await phone.update(beta_fields=greeting)
        await phone.send("response.cancel")
        assert "stop_task_error" == (await phone.error())["code"]

    assert "Good day." == told(events, "response.text.delta")


async def test_transcription_session_writes_down_and_never_answers(zhipu: Running) -> None:
    async with calling(zhipu) as phone:
        turns = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500}
        session = {"input_audio_format": "pcm", "turn_detection": turns}
        await phone.send("transcription_session.update", session=session)
        echo = (await phone.until("transcription_session.updated"))[-1]["session"]
        await say(phone, QUESTION)
        events = await phone.until("conversation.item.input_audio_transcription.completed")
        await phone.send("response.create")
        assert "invalid_event" == (await phone.error())["code"]

    assert ("realtime.transcription_session", {"type": "far_field"}) == (
        echo["object"],
        echo["input_audio_noise_reduction"],
    )
    assert events[-1]["transcript"]
    assert "response.created" not in kinds(phone.heard)


async def test_silence_has_no_words(zhipu: Running) -> None:
    """Sound in which nobody speaks fails to be transcribed, with the error of the page's sample."""
    async with calling(zhipu) as phone:
        await phone.update()
        await phone.append(SILENCE)
        await phone.send("input_audio_buffer.commit")
        failed = (await phone.until("conversation.item.input_audio_transcription.failed"))[-1]

    assert ("ASR_ERROR", "asr_no_result") == (failed["error"]["type"], failed["error"]["code"])
    assert "client_timestamp" not in failed


async def test_items_can_be_named_retrieved_and_deleted(zhipu: Running) -> None:
    async with calling(zhipu) as phone:
        await phone.update()
        content = [{"type": "input_text", "text": "Hello"}]
        item = {"id": "mine", "type": "message", "object": "realtime.item", "role": "user", "content": content}
        await phone.send("conversation.item.create", item=item)
        await phone.send("conversation.item.retrieve", item_id="mine")
        retrieved = (await phone.until("conversation.item.retrieved"))[-1]["item"]
        await phone.send("conversation.item.delete", item_id="mine")
        deleted = (await phone.until("conversation.item.deleted"))[-1]
        await phone.send("conversation.item.retrieve", item_id="mine")
        assert "mine" in (await phone.error())["message"]

    assert item | {"status": "completed"} == retrieved
    assert "mine" == deleted["item_id"]


@pytest.mark.parametrize(
    "event",
    [
        "{",
        "[]",
        "{}",
        '{"type": 1}',
        '{"type": "conversation.item.truncate"}',
        '{"type": "session.update"}',
        '{"type": "session.update", "session": {"voice": "alloy"}}',
        '{"type": "input_audio_buffer.append"}',
        '{"type": "input_audio_buffer.append", "audio": "%%%"}',
        '{"type": "input_audio_buffer.commit"}',
        '{"type": "conversation.item.create", "item": {"type": "function_call", "name": "f", "arguments": "{}"}}',
        '{"type": "conversation.item.create", "item": {"type": "function_call_output", "output": ""}}',
        '{"type": "conversation.item.delete", "item_id": "nobody"}',
    ],
)
async def test_nonsense_is_an_error_and_the_call_goes_on(zhipu: Running, event: str) -> None:
    async with calling(zhipu) as phone:
        await phone.connection.send(event)
        assert "invalid_event" == (await phone.error())["code"]
        await phone.update()


async def test_errors_have_a_type_in_the_shape_of_2025_only(start: Callable[..., Running]) -> None:
    for wire, fields in (("2025", {"type", "code", "message"}), ("2026", {"code", "message"})):
        async with calling(start(wire=wire)) as phone:
            await phone.send("nothing")
            assert fields == set(await phone.error())


async def test_binary_messages_end_the_call(zhipu: Running) -> None:
    async with calling(zhipu) as phone:
        await phone.connection.send(b"{}")
        await phone.error()
        assert 1003 == await phone.closed()


async def test_fields_of_beta_outside_of_it_break_the_call(zhipu: Running) -> None:
    async with calling(zhipu) as phone:
        await phone.send("session.update", session={"chat_mode": "audio"})
        assert "downstream_reconnect_exceeded" == (await phone.error())["code"]
        assert 1011 == await phone.closed()


async def test_more_than_30_seconds_cannot_be_committed(zhipu: Running) -> None:
    async with calling(zhipu) as phone:
        await phone.update()
        await phone.append(bytes(32000 * 31))
        await phone.send("input_audio_buffer.commit")
        assert "30 seconds" in (await phone.error())["message"]


async def test_call_holds_a_slot_of_its_model(start: Callable[..., Running]) -> None:
    """A call counts from its first event on, for the model it names; one too many is told 1302 and is closed."""
    zhipu = start(limits={"glm-realtime-flash": [1, 1, 1, 1]})
    book = zhipu.simulator.book
    async with AsyncExitStack() as stack:
        phones = [await stack.enter_async_context(calling(zhipu)) for _ in range(2)]
        assert 0 == book.in_flight.total()
        await phones[0].update()
        assert {("demo", "glm-realtime"): 1} == dict(book.in_flight)
        await phones[0].update(model="glm-realtime-flash")
        await phones[0].type("Say hello")
        await phones[0].send("response.create")
        limits = (await phones[0].until("rate_limits.updated"))[-1]["rate_limits"]
        await phones[1].send("session.update", session={"model": "glm-realtime-flash"})
        assert "1302" == (await phones[1].error())["code"]
        assert 1003 == await phones[1].closed()
        assert {("demo", "glm-realtime"): 0, ("demo", "glm-realtime-flash"): 1} == dict(book.in_flight)

    assert [{"name": "requests", "limit": 1, "remaining": 0, "reset_seconds": 1.0}] == limits
    for _ in range(1000):
        if not book.in_flight.total():
            break
        await asyncio.sleep(0.005)
    assert 0 == book.in_flight.total()


async def test_account_without_money_is_told_at_its_first_event(start: Callable[..., Running]) -> None:
    account = Account(name="poor", key="a.b", balance=False)
    async with calling(start(accounts=[account]), key="a.b") as phone:
        await phone.until("session.created")
        await phone.send("session.update", session={"beta_fields": {"chat_mode": "audio"}})
        assert "1113" == (await phone.error())["code"]


async def test_heart_beats(start: Callable[..., Running]) -> None:
    """First of all, before an update is confirmed, and every so often."""
    async with calling(start(habits=Habits(heartbeat_seconds=0.05))) as phone:
        assert "heartbeat" == (await phone.next())["type"]
        await phone.until("session.created")
        for _ in range(3):
            assert "heartbeat" == (await phone.next())["type"]


async def test_what_was_sent_can_be_seen(zhipu: Running) -> None:
    """The handshake and every event but sound are among the latest requests."""
    async with calling(zhipu, query="?model=glm-realtime") as phone:
        await phone.update()
        await phone.append(SILENCE)
        await phone.send("input_audio_buffer.clear")
        await phone.until("input_audio_buffer.cleared")

    seen = zhipu.simulator.book.seen
    assert ["GET", "SEND", "SEND"] == [request.method for request in seen]
    assert "input_audio_buffer.clear" == json.loads(seen[-1].body)["type"]


async def test_result_that_comes_during_an_answer_is_told_in_the_next(zhipu: Running) -> None:
    """Some clients ask for an answer after the first result of two, and tell the second while that is given."""
    async with calling(zhipu) as phone:
        await phone.update(tools=[WEATHER])
        await phone.type("What is the weather in Paris and London?")
        await phone.send("response.create")
        await phone.until("response.done")
        for output in ("Rain in Paris", "Rain in London"):
            item = {"type": "function_call_output", "object": "realtime.item", "output": output}
            await phone.send("conversation.item.create", item=item)
            if "Paris" in output:
                await phone.send("response.create")
                await phone.until("response.audio.delta")
        await phone.until("response.done")
        await phone.send("response.create")
        events = await phone.until("response.done")

    assert "Rain in London" in told(events, "response.text.done", "text")
