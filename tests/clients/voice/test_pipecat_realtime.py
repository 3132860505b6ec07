"""Pipecat's service for OpenAI's realtime: typed and spoken turns, two functions at once, interruption."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pipecat.adapters.schemas.function_schema import FunctionSchema
from pipecat.adapters.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import (
    EndFrame,
    ErrorFrame,
    Frame,
    FunctionCallResultFrame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMRunFrame,
    LLMTextFrame,
    TTSAudioRawFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.llm_service import FunctionCallParams
from pipecat.services.openai.realtime import events
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.workers.runner import WorkerRunner

RATE = 24_000
FRAME_BYTES = RATE // 50 * 2
LONG = "Count from 1 to 60"
WEATHER = FunctionSchema(
    name="get_weather",
    description="Get the weather in a city",
    properties={"city": {"type": "string"}},
    required=["city"],
)
HEARD = events.AudioInput(transcription=events.InputAudioTranscription())
SESSION = events.SessionProperties(audio=events.AudioConfiguration(input=HEARD))


class Ear(FrameProcessor):
    """Keeps what passes; a pipeline has one behind the service."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[Frame] = []
        self._news = asyncio.Condition()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        async with self._news:
            self.frames.append(frame)
            self._news.notify_all()
        await self.push_frame(frame, direction)

    async def until(self, holds: Callable[[list[Frame]], bool]) -> None:
        async with self._news:
            await self._news.wait_for(lambda: holds(self.frames))

    def of(self, kind: type[Frame]) -> list[Frame]:
        return [frame for frame in self.frames if isinstance(frame, kind)]

    @property
    def words(self) -> str:
        return "".join(frame.text for frame in self.frames if isinstance(frame, LLMTextFrame))


class Bot:
    """A running pipeline."""

    def __init__(self, worker: PipelineWorker, ear: Ear, context: LLMContext) -> None:
        self.ear = ear
        self.context = context
        self._worker = worker

    async def run(self) -> None:
        """Let it say something to what there is."""
        await self._worker.queue_frame(LLMRunFrame())

    async def speak(self, sound: bytes) -> None:
        for at in range(0, len(sound), FRAME_BYTES):
            await self._worker.queue_frame(InputAudioRawFrame(sound[at : at + FRAME_BYTES], RATE, 1))
            await asyncio.sleep(0.01)

    async def said(self, words: str) -> None:
        """Wait until an answer with these words in it has ended."""
        await self.ear.until(lambda _frames: words in self.ear.words)
        ended = len(self.ear.of(LLMFullResponseEndFrame))
        await self.ear.until(lambda _frames: len(self.ear.of(LLMFullResponseEndFrame)) > ended)


@asynccontextmanager
async def bot(*messages: str, functions: bool = False) -> AsyncIterator[Bot]:
    service = OpenAIRealtimeLLMService(
        api_key=os.environ["OPENAI_API_KEY"],
        base_url=f"ws{os.environ['OPENAI_BASE_URL'].removeprefix('http')}/realtime",
        settings=OpenAIRealtimeLLMService.Settings(
            model="gpt-realtime", system_instruction="Be brief.", session_properties=SESSION
        ),
    )

    async def get_weather(params: FunctionCallParams) -> None:
        await params.result_callback(f"Rain in {params.arguments['city']}")

    service.register_function("get_weather", get_weather)
    tools = {"tools": ToolsSchema(standard_tools=[WEATHER])} if functions else {}
    context = LLMContext([{"role": "user", "content": text} for text in messages], **tools)
    pair, ear = LLMContextAggregatorPair(context), Ear()
    worker = PipelineWorker(
        Pipeline([pair.user(), service, ear, pair.assistant()]),
        cancel_on_idle_timeout=False,
        enable_rtvi=False,
        params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE),
    )
    started = asyncio.Event()

    @worker.event_handler("on_pipeline_started")
    async def _start(_worker: PipelineWorker, _frame: Frame) -> None:
        started.set()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(runner.run())
        await started.wait()
        yield Bot(worker, ear, context)
        await worker.queue_frame(EndFrame())
    assert not ear.of(ErrorFrame)


async def test_a_typed_turn_is_answered() -> None:
    async with bot("Say good evening") as one:
        await one.run()
        await one.said("good evening")

    assert one.ear.of(TTSAudioRawFrame)


async def test_a_spoken_turn_comes_back_in_words(question: bytes) -> None:
    async with bot("Say hello") as one:
        await one.run()
        await one.said("hello")
        await one.speak(question)
        await one.said("Paris and London")
        messages = one.context.get_messages()

    assert "what is the weather in paris and london" in [message["content"] for message in messages]


async def test_two_functions_are_called_at_once(question: bytes) -> None:
    async with bot("Say hello", functions=True) as one:
        await one.run()
        await one.said("hello")
        await one.speak(question)
        await one.said("Rain in London")

    results = [frame.result for frame in one.ear.of(FunctionCallResultFrame)]
    assert {"Rain in Paris", "Rain in London"} == set(results)
    assert "Rain in Paris" in one.ear.words


async def test_who_speaks_interrupts(question: bytes) -> None:
    async with bot(LONG) as one:
        await one.run()
        await one.ear.until(lambda _frames: bool(one.ear.of(TTSAudioRawFrame)))
        await one.speak(question)
        await one.said("Paris and London")

    assert one.ear.of(InterruptionFrame)
    assert "60" not in one.ear.words
