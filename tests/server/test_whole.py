"""The shorter ways to answer say the same as the longer ones, byte by byte."""

import asyncio
import re
from types import SimpleNamespace
from typing import Any, cast

import pytest
from uvicorn.protocols.http.flow_control import FlowControl

from gateway.server.lifecycle import AT_ONCE, WHOLE, Lifecycle
from gateway.server.whole import answering_whole, write
from tests.running import listening

HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"5")]


class Greeting:
    """An application that says hello, in one message where it may and is asked to."""

    def __init__(self) -> None:
        self.offered = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await lifespan(receive, send)
            return
        self.offered = WHOLE in scope.get("extensions", {})
        head = {"status": 201, "headers": list(HEADERS)}
        if self.offered and scope["path"] == "/whole":
            await send({"type": WHOLE, "body": b"hello", **head})
        else:
            await send({"type": "http.response.start", **head})
            await send({"type": "http.response.body", "body": b"hello", "more_body": False})


async def lifespan(receive: Any, send: Any) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


async def talk(origin: str, *requests: str) -> bytes:
    """Send requests on one connection, each after the answer to the last; give all that came."""
    port = int(origin.rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    said = b""
    for request in requests:
        writer.write(f"{request}\r\n\r\n".encode())
        said += await asyncio.wait_for(reader.readuntil(b"hello"), 5)
    writer.write_eof()
    said += await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return re.sub(rb"date: [^\r]*", b"date: ...", said)


ASKED = [
    pytest.param(("GET {} HTTP/1.1\r\nhost: x",), id="one"),
    pytest.param(("GET {} HTTP/1.1\r\nhost: x",) * 3, id="several on a connection"),
    pytest.param(("GET {} HTTP/1.0\r\nhost: x",), id="HTTP/1.0"),
    pytest.param(("GET {} HTTP/1.1\r\nhost: x\r\nconnection: close",), id="the last of a connection"),
]


@pytest.mark.parametrize("requests", ASKED)
@pytest.mark.parametrize("draining", [False, True])
async def test_answer_is_the_same_in_one_message(requests: tuple[str, ...], *, draining: bool) -> None:
    app = Greeting()
    lifecycle = Lifecycle()
    lifecycle.draining = draining
    requests = requests[:1] if draining else requests

    async with listening(answering_whole(lifecycle.counted(app))) as origin:
        whole = await talk(origin, *(one.format("/whole") for one in requests))
        split = await talk(origin, *(one.format("/split") for one in requests))

    assert app.offered
    assert whole == split
    assert whole.count(b"connection: close") <= 1


async def test_answer_is_not_offered_to_be_whole_to_a_request_for_its_head() -> None:
    app = Greeting()

    async with listening(answering_whole(app)) as origin:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(origin.rsplit(":", 1)[1]))
        writer.write(b"HEAD /whole HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        said = await asyncio.wait_for(reader.read(), 5)
        writer.close()

    assert not app.offered
    assert said.endswith(b"\r\n\r\n")


async def test_whole_answer_waits_while_its_caller_takes_nothing() -> None:
    """Who asks again and again, and reads no answer, has only so many of them kept."""
    taken: list[bytes] = []
    flow = FlowControl(cast("asyncio.Transport", SimpleNamespace(pause_reading=list, resume_reading=list)))
    cycle: Any = SimpleNamespace(
        flow=flow, disconnected=False, response_started=False, default_headers=[], keep_alive=True,
        transport=SimpleNamespace(write=taken.append), message_event=asyncio.Event(), on_response=list,
    )  # fmt: skip
    flow.pause_writing()

    async with asyncio.TaskGroup() as tasks, asyncio.timeout(5):
        answering = tasks.create_task(write(cycle, {"status": 201, "headers": HEADERS, "body": b"hello"}))
        await asyncio.sleep(0)
        before = list(taken)
        flow.resume_writing()
        await answering

    assert before == []
    assert taken[0].endswith(b"hello")


class Telling:
    """An application that streams, by parts at once if asked to; ``refused`` counts those it could not."""

    def __init__(self, parts: list[bytes]) -> None:
        self.refused = 0
        self._parts = parts

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await lifespan(receive, send)
            return
        write = scope["extensions"][AT_ONCE]["write"] if scope["path"] == "/at-once" else never
        assert not write(b"too early")
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        for part in self._parts:
            if not write(part):
                self.refused += 1
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"hello", "more_body": False})
        assert not write(b"too late")


def never(_part: bytes) -> bool:
    return False


@pytest.mark.parametrize("version", ["1.1", "1.0"])
async def test_stream_is_the_same_when_its_parts_are_written_at_once(version: str) -> None:
    app = Telling([b"one", b"another", b"x" * 300])

    async with listening(answering_whole(app)) as origin:
        at_once = await talk(origin, f"GET /at-once HTTP/{version}\r\nhost: x")
        refused = app.refused
        in_turn = await talk(origin, f"GET /in-turn HTTP/{version}\r\nhost: x")

    assert 0 == refused
    assert at_once == in_turn
    assert b"7\r\nanother\r\n" in at_once


async def test_nothing_is_written_at_once_to_a_caller_that_does_not_read() -> None:
    """What it would have to wait for piles up nowhere."""
    app = Telling([b"=" * 65536] * 400)

    async with listening(answering_whole(app)) as origin:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(origin.rsplit(":", 1)[1]))
        writer.write(b"GET /at-once HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        while not app.refused:  # noqa: ASYNC110 - the application is not to be disturbed
            await asyncio.sleep(0.001)
        said = await asyncio.wait_for(reader.read(), 20)
        writer.close()

    assert said.count(b"=") == 400 * 65536
