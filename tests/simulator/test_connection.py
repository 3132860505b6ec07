"""Requests read whole, replies carried out, departures noticed."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from gateway.simulator.connection import (
    Cut,
    Reply,
    Request,
    Step,
    Wait,
    deliver,
    read_request,
    unless_client_leaves,
)

Message = MutableMapping[str, Any]


class Client:
    """The other end of a connection: what it sends, and what it was sent."""

    def __init__(self, *messages: Message) -> None:
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.received: list[Message] = []
        for message in messages:
            self.incoming.put_nowait(message)

    async def receive(self) -> Message:
        """Give the next message of the client."""
        return await self.incoming.get()

    async def send(self, message: Message) -> None:
        """Take a message of the server."""
        self.received.append(message)

    @property
    def bodies(self) -> list[tuple[bytes, bool]]:
        """What was sent after the start, and whether more was to come."""
        return [(message["body"], message["more_body"]) for message in self.received[1:]]


SCOPE = {"method": "POST", "path": "/p", "query_string": b"a=1", "headers": [(b"accept-language", b"en-US,en")]}


async def test_request_is_read_whole_when_it_comes_in_pieces() -> None:
    """Pieces are joined before anything is looked at."""
    client = Client(
        {"type": "http.request", "body": b"ab", "more_body": True}, {"type": "http.request", "body": b"c"}
    )

    request = await read_request(SCOPE, client.receive)

    assert request == Request(
        method="POST", path="/p", query="a=1", headers={"accept-language": "en-US,en"}, body=b"abc"
    )


async def test_nothing_is_read_when_the_client_leaves_early() -> None:
    """Half a request is none."""
    client = Client({"type": "http.request", "body": b"ab", "more_body": True}, {"type": "http.disconnect"})

    assert await read_request(SCOPE, client.receive) is None


@pytest.mark.parametrize(
    ("headers", "language"),
    [({}, "zh"), ({"accept-language": "en-US,en"}, "en"), ({"accept-language": "de"}, "zh")],
)
def test_language_is_chinese_unless_english_is_asked_for(headers: dict[str, str], language: str) -> None:
    """As on the platform."""
    assert Request(method="GET", path="/", query="", headers=headers, body=b"").language == language


@pytest.mark.parametrize(
    ("steps", "bodies"),
    [
        pytest.param([b"a"], [(b"a", False)], id="whole"),
        pytest.param([b"a", b"b"], [(b"a", True), (b"b", False)], id="chunks: the last one says so"),
        pytest.param([], [(b"", False)], id="nothing"),
        pytest.param([b"a", Wait(0)], [(b"a", True), (b"", False)], id="ends with a wait"),
        pytest.param([Wait(0), b"a"], [(b"a", False)], id="begins with a wait"),
    ],
)
async def test_reply_is_sent_step_by_step(steps: list[Step], bodies: list[Any]) -> None:
    """No write is added after the last byte, so that nothing can come between it and the end."""
    client = Client()

    await deliver(Reply(steps=steps), client.send)

    assert client.received[0]["type"] == "http.response.start"
    assert client.bodies == bodies


async def test_length_is_told_when_it_is_known() -> None:
    """Whole bodies have a length, streams none."""
    client = Client()

    await deliver(Reply.whole(b"four"), client.send)

    assert (b"content-length", b"4") in client.received[0]["headers"]


async def test_server_that_cannot_cut_gets_an_error() -> None:
    """Without a transport to drop, raising makes any server close the connection."""
    client = Client()

    with pytest.raises(ConnectionAbortedError):
        await deliver(Reply(steps=[b"a", Cut()]), client.send)


async def test_work_is_stopped_when_the_client_leaves() -> None:
    """A wait without end ends, and its cleanup runs before we return."""
    client = Client({"type": "http.disconnect"})
    ended = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    assert not await unless_client_leaves(work(), client.receive)
    assert ended == [True]


async def test_work_is_finished_when_the_client_stays() -> None:
    """Nothing is left waiting for a departure."""
    client = Client()

    assert await unless_client_leaves(asyncio.sleep(0), client.receive)
    assert len(asyncio.all_tasks()) == 1
