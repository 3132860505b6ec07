"""
An exchange leaves nothing behind that only the garbage collector would find, unless GLM fails.

What keeps an error keeps the error's traceback, and that knows everything; few exchanges end so.
"""

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.fakes import DONE, KEY, Call, Zhipu, chunk, completion, last_chunk
from tests.running import Gateway

OURS = ("gateway.", "uvicorn.")
ASKED: dict[str, Any] = {"model": "glm-4.7", "messages": [{"role": "user", "content": "Hello!"}]}


def answer(call: Call) -> None:
    call.answer(completion())


def stream(call: Call) -> None:
    call.stream(chunk(content="Hel"), chunk(content="lo."), last_chunk(), DONE)


def stream_slowly(call: Call) -> None:
    """So that some of it is written at once."""
    later = asyncio.get_running_loop().call_later
    call.begin(chunk(content="Hel"))
    later(0.02, call.send, chunk(content="lo."))
    later(0.04, call.end, last_chunk(), DONE)


def ask(**fields: Any) -> bytes:
    body = msgspec.json.encode(ASKED | fields)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\nconnection: close\r\n"
    return f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


@pytest.fixture
def garbage() -> Iterator[list[object]]:
    """Give what the collector finds, once it is called; it does not begin by itself."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield gc.garbage
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


@pytest.mark.parametrize(
    ("play", "fields"),
    [
        (answer, {}),
        (answer, {"n": 2}),
        (answer, {"model": "no-such-model"}),
        (stream, {"stream": True}),
        (stream, {"stream": True, "n": 2}),
        (stream_slowly, {"stream": True}),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
async def test_nothing_is_left_to_the_garbage_collector(
    gateway: Gateway, zhipu: Zhipu, garbage: list[object], play: Any, fields: dict[str, Any]
) -> None:
    port = int(gateway.origin.rsplit(":", 1)[1])
    zhipu.script = [play] * 6
    for _ in range(3):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ask(**fields))
        await asyncio.wait_for(reader.read(), 10)
        writer.close()
        await writer.wait_closed()
    await asyncio.sleep(0)
    gc.collect()

    assert 3 == len(gateway.records)
    assert [] == [found for found in garbage if type(found).__module__.startswith(OURS)]
