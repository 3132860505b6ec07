"""An exchange leaves nothing behind for the garbage collector, whatever it asked and however it ended."""

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

import msgspec
import pytest

from gateway.exchange import Exchange
from tests.fakes import DONE, KEY, Call, Zhipu, chunk, completion, last_chunk
from tests.running import Gateway

OURS = ("gateway.", "uvicorn.")
CHAT, RESPONSES, COMPLETIONS, EMBEDDINGS = (
    f"/v1/{name}" for name in ("chat/completions", "responses", "completions", "embeddings")
)
MESSAGES = [{"role": "user", "content": "Hello!"}]
BODIES: dict[str, dict[str, Any]] = {
    CHAT: {"model": "glm-4.7", "messages": MESSAGES},
    RESPONSES: {"model": "glm-4.7", "input": "Hello!"},
    COMPLETIONS: {"model": "glm-4.7", "prompt": "Hello!"},
    EMBEDDINGS: {"model": "embedding-3", "input": "Hello!"},
}


def answer(call: Call) -> None:
    call.answer(completion())


def embed(call: Call) -> None:
    vector = {"object": "embedding", "index": 0, "embedding": [0.25] * 2048}
    call.answer({"model": "embedding-3", "object": "list", "data": [vector], "usage": {}})


def stream(call: Call) -> None:
    call.stream(chunk(content="Hel"), chunk(content="lo."), last_chunk(), DONE)


def stream_slowly(call: Call) -> None:
    """So that some of it is written at once."""
    later = asyncio.get_running_loop().call_later
    call.begin(chunk(content="Hel"))
    later(0.02, call.send, chunk(content="lo."))
    later(0.04, call.end, last_chunk(), DONE)


def fall_silent(call: Call) -> None:
    call.begin(chunk(content="Hel"))


def break_off(call: Call) -> None:
    fall_silent(call)
    asyncio.get_running_loop().call_later(0.02, call.cut)


def refuse(call: Call) -> None:
    call.refuse("1301", status=400)


Asking = Callable[[int, bytes], Any]


async def read_all(port: int, request: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()


async def leave(port: int, request: bytes) -> None:
    """Hang up once the first event is there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await asyncio.wait_for(reader.readuntil(b"Hel"), 10)
    writer.transport.abort()


def ask(path: str, **fields: Any) -> bytes:
    body = msgspec.json.encode(BODIES[path] | fields)
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\nconnection: close\r\n"
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


streamed = partial(ask, stream=True)


@pytest.mark.parametrize(
    ("asked", "play", "how"),
    [
        pytest.param(ask(CHAT), answer, read_all, id="chat"),
        pytest.param(ask(CHAT, n=2), answer, read_all, id="chat, two choices"),
        pytest.param(ask(CHAT, model="none"), answer, read_all, id="chat, refused by us"),
        pytest.param(ask(CHAT), refuse, read_all, id="chat, refused by GLM"),
        pytest.param(streamed(CHAT), stream, read_all, id="stream"),
        pytest.param(streamed(CHAT, n=2), stream, read_all, id="stream, two choices"),
        pytest.param(streamed(CHAT), stream_slowly, read_all, id="stream, event by event"),
        pytest.param(streamed(CHAT), refuse, read_all, id="stream, refused by GLM"),
        pytest.param(streamed(CHAT), break_off, read_all, id="stream, broken off by GLM"),
        pytest.param(streamed(CHAT), fall_silent, leave, id="stream, left by its caller"),
        pytest.param(ask(RESPONSES), answer, read_all, id="response"),
        pytest.param(streamed(RESPONSES), stream_slowly, read_all, id="response, event by event"),
        pytest.param(streamed(RESPONSES), break_off, read_all, id="response, broken off by GLM"),
        pytest.param(ask(COMPLETIONS), answer, read_all, id="completion"),
        pytest.param(streamed(COMPLETIONS), stream_slowly, read_all, id="completion, event by event"),
        pytest.param(ask(EMBEDDINGS), embed, read_all, id="embeddings"),
    ],
)
async def test_nothing_is_left_to_the_garbage_collector(  # noqa: PLR0917 - given by name
    gateway: Gateway,
    zhipu: Zhipu,
    garbage: list[object],
    asked: bytes,
    play: Callable[[Call], None],
    how: Asking,
) -> None:
    port = int(gateway.origin.rsplit(":", 1)[1])
    zhipu.script = [play] * 6
    for _ in range(3):
        await how(port, asked)
    while len(gateway.records) < 3:  # noqa: ASYNC110 - a record is told to nobody who could wait
        await asyncio.sleep(0.001)
    await asyncio.sleep(0)
    gc.collect()

    assert [] == [found for found in garbage if type(found).__module__.startswith(OURS)]


async def test_nothing_is_kept_of_an_exchange_for_as_long_as_its_connection(
    gateway: Gateway, zhipu: Zhipu
) -> None:
    """A caller may send pictures of many megabytes, and keep its connection for a minute thereafter."""
    port = int(gateway.origin.rsplit(":", 1)[1])
    zhipu.script = [answer]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with closing(writer):
        writer.write(ask(CHAT).replace(b"connection: close\r\n", b""))
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        while not gateway.records:  # noqa: ASYNC110 - a record is told to nobody who could wait
            await asyncio.sleep(0.001)
        await asyncio.sleep(0)
        gc.collect()

        exchanges = [one for one in gc.get_objects() if isinstance(one, Exchange)]
        assert [one for one in exchanges if one.desk is gateway.desk] == []
