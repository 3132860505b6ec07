"""The official client's calls in both shapes, through the gateway, to a GLM-Realtime that hears and speaks."""

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import av
import openai
import pydantic
import pytest
from openai.types.beta.realtime import RealtimeServerEvent as BetaServerEvent
from openai.types.realtime import RealtimeServerEvent

from gateway.audio import Sound
from gateway.simulator import Habits, Running, create_simulator, running
from gateway.simulator.faults import CutConnection
from gateway.simulator.speech import speak
from tests.conftest import StartGateway
from tests.fakes import KEY
from tests.recordings import at_rate, joined, silence
from tests.running import Gateway
from tests.simulator.speech.clearly import listens

pytestmark = pytest.mark.timeout(180)  # to understand speech takes seconds, and many on a busy machine

QUESTION = "What is the weather in Paris and London?"
LONG = "Count from 1 to 60"
RATE_HZ = 24_000
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Get the weather in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
TRANSCRIBED = "conversation.item.input_audio_transcription.completed"
Event = dict[str, Any]


class Dialect:
    """How a shape says what both have. ``kinds`` are its names for the kinds of event that differ."""

    def __init__(self, name: str) -> None:
        self.name = name
        ga = name == "ga"
        self.validator: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(
            RealtimeServerEvent if ga else BetaServerEvent
        )
        self.text = "response.output_text" if ga else "response.text"
        self.transcript = "response.output_audio_transcript" if ga else "response.audio_transcript"
        self.audio = "response.output_audio" if ga else "response.audio"
        self.item = "conversation.item.added" if ga else "conversation.item.created"

    def session(self, *, written: bool = False, **settings: Any) -> Any:
        """Give what a session is told: ``turn_detection``, ``tools``, or that it answers in writing."""
        turns = {"turn_detection": settings.pop("turn_detection")} if "turn_detection" in settings else {}
        if self.name == "beta":
            return {**({"modalities": ["text"]} if written else {}), **turns, **settings}
        kinds = {"output_modalities": ["text"]} if written else {}
        audio = {"audio": {"input": {"transcription": {"model": "glm-asr"}, **turns}}}
        return {"type": "realtime", **kinds, **audio, **settings}


class Caller:
    """The official client in a call; everything it is told is checked by its own types."""

    def __init__(self, connection: Any, dialect: Dialect) -> None:
        self.connection = connection
        self.dialect = dialect
        self._ids: set[str] = set()

    async def update(self, **settings: Any) -> Event:
        await self.connection.session.update(session=self.dialect.session(**settings))
        session: Event = (await self.until("session.updated"))[-1]["session"]
        return session

    async def type(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        await self.connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": content}
        )

    async def say(self, sound: Sound, *, frame_ms: int = 20) -> None:
        """Speak twice as fast as people do, in frames as small as a telephone's."""
        for frame in frames(sound, frame_ms):
            await self.connection.input_audio_buffer.append(audio=base64.b64encode(frame).decode())
            await asyncio.sleep(frame_ms / 2000)

    async def next(self) -> Event:
        async with asyncio.timeout(60):
            event: Event = json.loads(await self.connection.recv_bytes())
        self.dialect.validator.validate_python(event)
        assert event["event_id"] not in self._ids
        self._ids.add(event["event_id"])
        return event

    async def until(self, kind: str) -> list[Event]:
        """Give the events up to the next of a kind; no error may be among them."""
        events = []
        while True:
            events.append(await self.next())
            if events[-1]["type"] == kind:
                return events
            assert events[-1]["type"] != "error", events[-1]


def frames(sound: Sound, frame_ms: int) -> Iterator[bytes]:
    size = sound.sample_rate * frame_ms // 1000 * 2
    return (sound.pcm[start : start + size] for start in range(0, len(sound.pcm), size))


def spoken(text: str) -> Sound:
    """Give a sentence with a pause before and after it, as a client records it."""
    quiet = silence(seconds=0.3, sample_rate=RATE_HZ)
    long_quiet = silence(seconds=1.2, sample_rate=RATE_HZ)
    return joined(quiet, at_rate(Sound(*speak(text)), RATE_HZ), long_quiet)


def jpeg(*, width: int, height: int) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
        for packet in (*stream.encode(av.VideoFrame(width, height, "yuvj420p")), *stream.encode(None)):
            container.mux(packet)
    return file.getvalue()


def told(events: list[Event], kind: str, name: str = "delta") -> str:
    return "".join(event[name] for event in events if event["type"] == kind)


def kinds(events: list[Event]) -> list[str]:
    """Name events in their order, repeated ones once, without limits, which may come at any time."""
    named: list[str] = []
    for event in events:
        if event["type"] not in {*named[-1:], "rate_limits.updated"}:
            named.append(event["type"])
    return named


GA = Dialect("ga")


@pytest.fixture(params=["ga", "beta"])
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return Dialect(request.param)


@pytest.fixture
async def gateway(start_gateway: StartGateway, simulator: Running) -> Gateway:
    return await start_gateway(upstream_url=simulator.url, realtime_url=simulator.realtime_url)


@asynccontextmanager
async def calling(gateway: Gateway, dialect: Dialect, **options: Any) -> AsyncIterator[Caller]:
    """Call as the SDK does, and take the first event."""
    http = openai.DefaultAsyncHttpxClient(trust_env=False, verify=False)
    # Where nothing else is said, the SDK's older resource insists on TLS.
    socket_url = f"ws{gateway.url.removeprefix('http')}"
    async with openai.AsyncOpenAI(
        api_key=KEY, base_url=gateway.url, websocket_base_url=socket_url, http_client=http
    ) as client:
        realtime = client.realtime if dialect.name == "ga" else client.beta.realtime
        async with realtime.connect(model="gpt-realtime", **options) as connection:
            caller = Caller(connection, dialect)
            await caller.until("session.created")
            yield caller


async def test_typed_turn(gateway: Gateway, dialect: Dialect) -> None:
    """What is typed is answered aloud, and the call remembers."""
    async with calling(gateway, dialect) as caller:
        await caller.update(instructions="Be brief.")
        await caller.type("My name is Ada")
        await caller.connection.response.create()
        await caller.until("response.done")
        await caller.type("What is my name?")
        await caller.connection.response.create()
        events = await caller.until("response.done")

    assert "Ada" == told(events, f"{dialect.transcript}.done", "transcript")
    assert "Ada" == told(events, f"{dialect.transcript}.delta")
    assert told(events, f"{dialect.audio}.delta")
    assert not told(events, f"{dialect.text}.delta")
    assert events[-1]["response"]["usage"]["output_token_details"]["audio_tokens"] > 0


async def test_written_answer(gateway: Gateway, dialect: Dialect) -> None:
    """A session of text is answered in writing alone."""
    async with calling(gateway, dialect) as caller:
        await caller.update(written=True)
        await caller.type("12 * 12")
        await caller.connection.response.create()
        events = await caller.until("response.done")

    assert "12 * 12 = 144" == told(events, f"{dialect.text}.delta")
    assert not any("audio" in kind for kind in kinds(events))


@listens
async def test_spoken_turn(gateway: Gateway, dialect: Dialect, simulator: Running) -> None:
    """Spoken words come back in the transcript of the turn and in the answer; none of their frames is lost."""
    async with calling(gateway, dialect) as caller:
        await caller.update(turn_detection={"type": "server_vad", "silence_duration_ms": 600})
        await caller.say(spoken(QUESTION))
        events = await caller.until("response.done")

    assert [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        dialect.item,
    ] == kinds(events)[:4]
    assert "weather in paris" in told(events, TRANSCRIBED, "transcript")
    assert "weather in Paris" in told(events, f"{dialect.transcript}.done", "transcript")
    audio = b"".join(
        base64.b64decode(event["delta"]) for event in events if event["type"] == f"{dialect.audio}.delta"
    )
    assert len(audio) > 2 * RATE_HZ * 2
    stopped = next(event for event in events if event["type"] == "input_audio_buffer.speech_stopped")
    assert 3000 <= stopped["audio_end_ms"] <= 4500
    assert 0 == simulator.simulator.book.refused.total()


@listens
@pytest.mark.parametrize(
    "turns",
    [
        pytest.param(None, id="nobody else"),
        pytest.param({"type": "server_vad", "silence_duration_ms": 3000}, id="GLM would have later"),
    ],
)
async def test_turn_that_the_client_ends(gateway: Gateway, turns: Any) -> None:
    """The client commits and asks, and need not have said that it does so."""
    async with calling(gateway, GA) as caller:
        await caller.update(turn_detection=turns)
        await caller.say(spoken(QUESTION), frame_ms=100)
        await caller.connection.input_audio_buffer.commit()
        await caller.until("input_audio_buffer.committed")
        await caller.connection.response.create()
        events = await caller.until("response.done")

    assert "weather in Paris" in told(events, f"{GA.transcript}.done", "transcript")


@listens
@pytest.mark.parametrize("turns", [None, {"type": "server_vad"}], ids=["the client ends turns", "GLM ends turns"])
async def test_recording_as_an_item(gateway: Gateway, turns: Any) -> None:
    """It is heard as what it is, a turn, whoever ends turns otherwise."""
    part: Any = {"type": "input_audio", "audio": base64.b64encode(spoken(QUESTION).pcm).decode()}
    async with calling(gateway, GA) as caller:
        await caller.update(turn_detection=turns)
        await caller.connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": [part]}
        )
        await caller.connection.response.create()
        events = await caller.until("response.done")

    assert "weather in Paris" in told(events, f"{GA.transcript}.done", "transcript")
    assert 1 == kinds(events).count("response.created")


@listens
async def test_two_calls_at_once(gateway: Gateway, dialect: Dialect) -> None:
    """A question about two cities is two calls; results that are told in any order are read out in theirs."""
    async with calling(gateway, dialect) as caller:
        await caller.update(tools=[WEATHER], turn_detection={"type": "server_vad"})
        await caller.say(spoken(QUESTION))
        events = await caller.until("response.done")
        calls = [item for item in events[-1]["response"]["output"] if item["type"] == "function_call"]
        for call in reversed(calls):
            city = json.loads(call["arguments"])["city"]
            item = {"type": "function_call_output", "call_id": call["call_id"], "output": f"Rain in {city}"}
            await caller.connection.conversation.item.create(item=item)
        await caller.connection.response.create()
        answer = await caller.until("response.done")

    assert [{"city": "Paris"}, {"city": "London"}] == [json.loads(call["arguments"]) for call in calls]
    assert 2 == len({call["call_id"] for call in calls})
    text = told(answer, f"{dialect.transcript}.done", "transcript")
    assert "get_weather says: Rain in Paris\nget_weather says: Rain in London" == text


@listens
async def test_interruption(gateway: Gateway) -> None:
    """Who speaks over an answer ends it, and is answered."""
    async with calling(gateway, GA) as caller:
        await caller.update(turn_detection={"type": "server_vad"})
        await caller.type(LONG)
        await caller.connection.response.create()
        await caller.until(f"{GA.audio}.delta")
        await caller.say(spoken(QUESTION))
        stopped = await caller.until("response.done")
        answered = await caller.until("response.done")

    response = stopped[-1]["response"]
    assert ("cancelled", "turn_detected") == (response["status"], response["status_details"]["reason"])
    assert "weather" in told(answered, f"{GA.transcript}.done", "transcript")


async def test_cancel(gateway: Gateway, dialect: Dialect) -> None:
    """A client may stop an answer; nothing of it comes after its end, and the next one is whole."""
    async with calling(gateway, dialect) as caller:
        await caller.update()
        await caller.type(LONG)
        await caller.connection.response.create()
        await caller.until(f"{dialect.audio}.delta")
        await caller.connection.response.cancel()
        stopped = await caller.until("response.done")
        await caller.type("Say hello")
        await caller.connection.response.create()
        events = await caller.until("response.done")

    assert "cancelled" == stopped[-1]["response"]["status"]
    assert "hello" == told(events, f"{dialect.transcript}.done", "transcript")
    assert {stopped[-1]["response"]["id"]}.isdisjoint(event.get("response_id") for event in events)


async def test_overrides_of_one_response(gateway: Gateway, dialect: Dialect) -> None:
    """What a response says of itself holds for that one alone."""
    written = {"output_modalities": ["text"]} if dialect.name == "ga" else {"modalities": ["text"]}
    async with calling(gateway, dialect) as caller:
        await caller.update()
        await caller.type("Say hello")
        await caller.connection.response.create(response=written)
        first = await caller.until("response.done")
        await caller.type("Say goodbye")
        await caller.connection.response.create()
        second = await caller.until("response.done")

    assert "hello" == told(first, f"{dialect.text}.delta")
    assert "goodbye" == told(second, f"{dialect.transcript}.delta")


async def test_picture_is_looked_at(gateway: Gateway) -> None:
    """A picture becomes a frame of a video call, and the answer tells what is on it."""
    picture = "data:image/jpeg;base64," + base64.b64encode(jpeg(width=64, height=48)).decode()
    async with calling(gateway, GA) as caller:
        await caller.update(written=True)
        content: Any = [
            {"type": "input_text", "text": "What do you see?"},
            {"type": "input_image", "image_url": picture},
        ]
        item: Any = {"type": "message", "role": "user", "content": content}
        await caller.connection.conversation.item.create(item=item)
        await caller.connection.response.create()
        events = await caller.until("response.done")

    assert "64 x 48 pixels" in told(events, f"{GA.text}.delta")


async def test_lost_line_is_replaced(start_gateway: StartGateway) -> None:
    """GLM hangs up between two turns: the client notices nothing, and GLM knows what was said before."""
    fault = CutConnection(after_chunks=0, contains="conversation.item.create", nth=2)
    with running(create_simulator(faults=[fault])) as zhipu:
        gateway = await start_gateway(upstream_url=zhipu.url, realtime_url=zhipu.realtime_url)
        async with calling(gateway, GA) as caller:
            await caller.update(instructions="Be brief.")
            await caller.type("My name is Ada")
            await caller.connection.response.create()
            await caller.until("response.done")
            await caller.type("What is my name?")
            await asyncio.sleep(0.5)  # the loss is told to nobody
            await caller.connection.response.create()
            events = await caller.until("response.done")

    assert "Ada" == told(events, f"{GA.transcript}.done", "transcript")


@pytest.mark.parametrize("typed", ["ignored", "used"])
async def test_typing_is_answered_whether_glm_reads_it_or_not(start_gateway: StartGateway, typed: Any) -> None:
    with running(create_simulator(habits=Habits(typed=typed))) as zhipu:
        gateway = await start_gateway(upstream_url=zhipu.url, realtime_url=zhipu.realtime_url)
        async with calling(gateway, GA) as caller:
            await caller.update(instructions="Be brief.")
            await caller.type("What is 12 * 12?")
            await caller.connection.response.create()
            events = await caller.until("response.done")

    assert "12 * 12 = 144" == told(events, f"{GA.transcript}.done", "transcript")
    assert 1 == kinds(events).count("response.created")


@listens
@pytest.mark.parametrize("tools_hang", [True, False])
async def test_functions_are_called_where_server_vad_hangs(
    start_gateway: StartGateway, *, tools_hang: bool
) -> None:
    """The gateway hears the end of a turn itself where functions are offered."""
    with running(create_simulator(habits=Habits(tools_hang=tools_hang))) as zhipu:
        gateway = await start_gateway(upstream_url=zhipu.url, realtime_url=zhipu.realtime_url)
        async with calling(gateway, GA) as caller:
            await caller.update(tools=[WEATHER], turn_detection={"type": "semantic_vad"})
            await caller.say(spoken(QUESTION))
            events = await caller.until("response.done")

    assert ["Paris", "London"] == [
        json.loads(event["arguments"])["city"]
        for event in events
        if event["type"] == "response.function_call_arguments.done"
    ]


async def test_call_counts_at_zhipu_as_long_as_it_lasts(gateway: Gateway, simulator: Running) -> None:
    """For the model that was asked for, and no longer."""
    book = simulator.simulator.book
    async with calling(gateway, GA) as caller:
        await caller.update()
        held = {place.model: count for place, count in book.in_flight.items() if count}
        assert {"glm-realtime": 1} == held
    for _ in range(1000):
        if not book.in_flight.total() and not gateway.slots:  # Zhipu is told first.
            break
        await asyncio.sleep(0.005)
    assert (0, 0) == (book.in_flight.total(), gateway.slots)


@listens
async def test_session_that_only_writes_down(gateway: Gateway, dialect: Dialect) -> None:
    """What is said comes back as text, and nothing is answered."""
    transcription: Any = {"model": "gpt-4o-transcribe"}
    turns: Any = {"type": "server_vad", "silence_duration_ms": 500}
    async with calling(gateway, dialect, extra_query={"intent": "transcription"}) as caller:
        if dialect.name == "ga":
            heard: Any = {"transcription": transcription, "turn_detection": turns}
            await caller.connection.session.update(session={"type": "transcription", "audio": {"input": heard}})
            await caller.until("session.updated")
        else:
            await caller.connection.transcription_session.update(
                session={"input_audio_transcription": transcription, "turn_detection": turns}
            )
            await caller.until("transcription_session.updated")
        await caller.say(spoken(QUESTION))
        events = await caller.until(TRANSCRIBED)

    assert "weather in paris" in told(events, TRANSCRIBED, "transcript")
    assert "response.created" not in kinds(events)


async def test_answer_outside_the_conversation(gateway: Gateway) -> None:
    """A response that belongs to no conversation leaves none of itself behind."""
    message: Any = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Say tea"}]}
    async with calling(gateway, GA) as caller:
        await caller.update(written=True)
        await caller.connection.response.create(
            response={"conversation": "none", "input": [message], "metadata": {"topic": "tea"}}
        )
        events = await caller.until("response.done")

    assert "tea" == told(events, f"{GA.text}.delta")
    assert {"topic": "tea"} == events[-1]["response"]["metadata"]
    assert "conversation.item.added" not in kinds(events)
