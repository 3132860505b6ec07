"""What the callers do: exchanges of every kind by the official SDK, so many a second."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import cycle
from typing import Any

import openai
from openai import AsyncOpenAI

from gateway.simulator.faults import CutConnection, Fault, Latency, Stall
from tests.bench.processes import BenchError
from tests.bench.wire import KEY, MODEL, REALTIME_MODEL, TOOLS

AT_ONCE = 64
"""Exchanges under way at most; a machine that is slower than the rate gets fewer a second."""
PATIENCE_SECONDS = 30.0
LEAVE_SECONDS = 0.05

LATE, ENDLESS, CUT = "A late one.", "An endless one.", "A cut one."
FAULTS: tuple[Fault, ...] = (
    Latency(contains=LATE, seconds=1.0, times=None),
    Stall(contains=ENDLESS, times=None),
    CutConnection(contains=CUT, times=None),
)
"""How Zhipu behaves, by what the prompt says; the endless one ends when its caller leaves."""

Exchange = Callable[[AsyncOpenAI], Awaitable[None]]


async def chat(caller: AsyncOpenAI) -> None:
    """Have a whole answer."""
    answer = await caller.chat.completions.create(model=MODEL, messages=said("Name the tide."))
    expect(answer.choices[0].message.content)


async def stream(caller: AsyncOpenAI) -> None:
    """Have a stream to its end."""
    asked = caller.chat.completions.create(model=MODEL, messages=said("Tell of the ferry."), stream=True)
    async with await asked as events:
        expect([event async for event in events][-1].choices[0].finish_reason == "stop")


async def tool_call(caller: AsyncOpenAI) -> None:
    """Have a stream that calls a tool."""
    tools: Any = TOOLS
    asked = caller.chat.completions.stream(model=MODEL, messages=said("Call note_tide."), tools=tools)
    async with asked as events:
        expect((await events.get_final_completion()).choices[0].message.tool_calls)


async def response(caller: AsyncOpenAI) -> None:
    """Have a streamed response, which is kept for later requests."""
    async with caller.responses.stream(model=MODEL, input="Name the tide.") as events:
        expect((await events.get_final_response()).output_text)


async def embeddings(caller: AsyncOpenAI) -> None:
    """Have the vectors of sixteen texts."""
    answer = await caller.embeddings.create(model="embedding-3", input=["lantern", "quay"] * 8, dimensions=1024)
    expect(len(answer.data) == 16)


async def call(caller: AsyncOpenAI) -> None:
    """Open a call, have a turn of it, and close."""
    await turn(caller, until="response.done")


async def left_call(caller: AsyncOpenAI) -> None:
    """Close a call while GLM speaks."""
    await turn(caller, until="response.created")


async def left_stream(caller: AsyncOpenAI) -> None:
    """Hang up after the first event."""
    async with await caller.chat.completions.create(model=MODEL, messages=said(ENDLESS), stream=True) as events:
        expect(await anext(events))


async def left_wait(caller: AsyncOpenAI) -> None:
    """Hang up before the answer begins."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LEAVE_SECONDS):
            await caller.chat.completions.create(model=MODEL, messages=said(LATE))


async def cut_stream(caller: AsyncOpenAI) -> None:
    """Have a stream that breaks at Zhipu."""
    with refused(openai.APIError):
        async with await caller.chat.completions.create(model=MODEL, messages=said(CUT), stream=True) as events:
            async for _ in events:
                pass


async def bad_value(caller: AsyncOpenAI) -> None:
    """Ask for what is out of range."""
    with refused(openai.BadRequestError):
        await caller.chat.completions.create(model=MODEL, messages=said("Hello."), temperature=17)


async def bad_model(caller: AsyncOpenAI) -> None:
    """Ask a model that does not exist."""
    with refused(openai.NotFoundError):
        await caller.chat.completions.create(model="glm-of-the-harbour", messages=said("Hello."))


async def bad_key(caller: AsyncOpenAI) -> None:
    """Ask with a key that nobody has."""
    with refused(openai.AuthenticationError):
        await caller.with_options(api_key="sk-nobody-has-this-one").models.list()


MIX: tuple[Exchange, ...] = (
    *(chat, stream, chat, left_stream, stream, embeddings, chat, tool_call, stream, bad_value),
    *(chat, stream, response, chat, left_stream, stream, call, chat, tool_call, bad_model),
    *(stream, chat, left_wait, stream, embeddings, chat, response, left_call, bad_key, cut_stream),
)
"""The exchanges in their order, again and again."""


async def callers(*, port: int, per_second: float, seconds: float) -> Counter[str]:
    """Begin so many exchanges a second; give how many there were of each kind. Raises ``BenchError``."""
    loop, turns = asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE)
    done: Counter[str] = Counter()

    async def exchange(one: Exchange) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await one(caller)
        except (openai.OpenAIError, TimeoutError) as error:
            raise BenchError(f"{one.__name__}: {error!r}") from error
        finally:
            turns.release()
        done[one.__name__] += 1

    http = openai.DefaultAsyncHttpxClient(trust_env=False)
    base_url = f"http://127.0.0.1:{port}/v1"
    began = loop.time()
    async with (
        AsyncOpenAI(api_key=KEY, base_url=base_url, max_retries=0, http_client=http) as caller,
        asyncio.TaskGroup() as tasks,
    ):
        for number, one in enumerate(cycle(MIX)):
            due = began + number / per_second
            if due > began + seconds:
                break
            await asyncio.sleep(due - loop.time())
            await turns.acquire()
            tasks.create_task(exchange(one))
    return done


async def turn(caller: AsyncOpenAI, *, until: str) -> None:
    """Open a call, say something in it, and close it at an event."""
    async with caller.realtime.connect(model=REALTIME_MODEL) as connection:
        await connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello."}]}
        )
        await connection.response.create()
        async for event in connection:
            expect(event.type != "error")
            if event.type == until:
                return


def said(text: str) -> Any:
    """Return a conversation in which somebody says this."""
    return [{"role": "user", "content": text}]


def expect(holds: object) -> None:
    """Raise ``BenchError`` for an answer that is not what it should be."""
    if not holds:
        raise BenchError("an answer was not what it should be")


@contextmanager
def refused(kind: type[openai.APIError]) -> Iterator[None]:
    """Expect an error of this kind; raise ``BenchError`` when there is none."""
    try:
        yield
    except kind:
        return
    raise BenchError(f"expected {kind.__name__}, but there was an answer")
