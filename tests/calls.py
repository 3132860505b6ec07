"""
GLM-Realtime on a real socket, played by a test, in shapes that Zhipu's page and the recordings of users have.

Knows nothing of the gateway and nothing of its simulator.
"""

import asyncio
import base64
import itertools
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

Event = dict[str, Any]
Answer = Callable[["GlmCall"], Awaitable[None]]

VOICE = base64.b64encode(bytes(range(240)) * 20).decode()
"""100 ms of 24 kHz mono s16le."""
SMALL_BYTES = 16 * 1024


class GlmCall:
    """
    One connection to GLM. ``heard`` has all events that came but the frames of audio, which ``audio`` has joined.

    Updates are confirmed and commits taken by themselves; an account that is ``poor`` is told so instead, and hung
    up on. ``answers`` say what a response is; those that are not there are left to the test.
    """

    def __init__(self, connection: ServerConnection, *, authorization: str, poor: bool) -> None:
        self.authorization = authorization
        self._poor = poor
        self.heard: list[Event] = []
        self.audio = b""
        self.frames = 0
        self.gone = asyncio.Event()
        self._connection = connection
        self._ids = itertools.count(1)
        self._news = asyncio.Condition()

    async def say(self, **event: Any) -> None:
        """Send an event."""
        await self._connection.send(
            json.dumps({"event_id": f"event{next(self._ids)}", **event}, ensure_ascii=False)
        )

    async def hang_up(self, code: int = 1000) -> None:
        """Close the connection."""
        await self._connection.close(code)

    def say_goodbye_and_stay(self) -> None:
        """Send what closes a connection, and leave it open: it is to be cut."""
        self.stop_reading()
        self._connection.transport.write(b"\x88\x02" + (1000).to_bytes(2, "big"))

    async def catch_up(self) -> None:
        """Wait until what was sent by now has come, but for the sixteen messages that may wait to be taken."""
        await (await self._connection.ping())

    def stop_reading(self) -> None:
        """Take nothing more of what is sent, and keep no room for it."""
        transport = self._connection.transport
        transport.pause_reading()
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BYTES)

    def cut(self) -> None:
        """Drop the connection."""
        self._connection.transport.abort()

    async def expect(self, kind: str, *, count: int = 1) -> Event:
        """Wait until so many events of a type have come; gives the last of them."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.of(kind)) >= count)
        return self.of(kind)[count - 1]

    async def expect_audio(self, *, seconds: float) -> None:
        """Wait until so much of the user's voice has come."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.audio) >= seconds * 32_000)

    def of(self, kind: str) -> list[Event]:
        """Give the events of a type that have come."""
        return [event for event in self.heard if event["type"] == kind]

    async def take(self, event: Event) -> None:
        """Take an event, and do what GLM does at once."""
        async with self._news:
            if event["type"] == "input_audio_buffer.append":
                self.audio += base64.b64decode(event["audio"])
                self.frames += 1
            else:
                self.heard.append(event)
            self._news.notify_all()
        if event["type"] == "session.update" and self._poor:
            await self.say(type="error", error={"code": "1113", "message": "余额不足"})
            await self.hang_up()
        elif event["type"] == "session.update":
            await self.say(type="heartbeat")
            await self.say(type="session.updated", session=event["session"])
        if event["type"] == "input_audio_buffer.commit":
            await self.say(type="input_audio_buffer.committed", item_id=f"item{next(self._ids)}")


async def speak(call: GlmCall, *, text: str = "Hello there.", pieces: int = 2) -> None:
    """Answer with voice and text, in the order of the page's client VAD diagram."""
    number = next(call._ids)
    ids: Event = {"response_id": f"resp{number}", "output_index": 0}
    item = {"id": f"item{number}", "object": "realtime.item", "type": "message", "role": "assistant"}
    where = {**ids, "item_id": item["id"], "content_index": 0}
    await call.say(
        type="response.created",
        response={"object": "realtime.response", "id": ids["response_id"], "status": "in_progress"},
    )
    limit = {"name": "requests", "limit": 5, "remaining": 4, "reset_seconds": 1.0}
    await call.say(type="rate_limits.updated", rate_limits=[limit])
    await call.say(
        type="response.output_item.added", **ids, item={**item, "content": [{}], "status": "in_progress"}
    )
    await call.say(type="conversation.item.created", item={**item, "content": [{}], "status": "in_progress"})
    await call.say(type="response.content_part.added", **where, part={"type": "audio"})
    words = text.split(" ")
    for word in words:
        await call.say(type="response.text.delta", **where, delta=word if word == words[-1] else f"{word} ")
    for word in words:
        delta = word if word == words[-1] else f"{word} "
        await call.say(type="response.audio_transcript.delta", **where, delta=delta)
    for _ in range(pieces):
        await call.say(type="response.audio.delta", **where, delta=VOICE)
    await call.say(type="response.text.done", **where, text=text)
    await call.say(type="response.audio_transcript.done", **where, transcript=text)
    await call.say(type="response.audio.done", **where)
    await call.say(type="response.content_part.done", **where, part={"type": "audio"})
    await call.say(type="response.output_item.done", **ids, item={**item, "content": [{}], "status": "completed"})
    await finish(call, ids["response_id"])


async def call_functions(call: GlmCall, *calls: tuple[str, str]) -> None:
    """Answer with calls of functions, which GLM announces as a message."""
    number = next(call._ids)
    ids: Event = {"response_id": f"resp{number}", "output_index": 0}
    item = {"id": f"item{number}", "object": "realtime.item", "type": "message", "role": "assistant"}
    where = {**ids, "item_id": item["id"], "content_index": 0}
    await call.say(
        type="response.created",
        response={"object": "realtime.response", "id": ids["response_id"], "status": "in_progress"},
    )
    await call.say(type="conversation.item.created", item={**item, "content": [{}], "status": "in_progress"})
    await call.say(
        type="response.output_item.added", **ids, item={**item, "content": [{}], "status": "in_progress"}
    )
    await call.say(type="response.content_part.added", **where, part={"type": "audio"})
    for name, arguments in calls:
        await call.say(type="response.function_call_arguments.done", **ids, name=name, arguments=arguments)
    await call.say(type="response.content_part.done", **where, part={"type": "audio"})
    await call.say(type="response.output_item.done", **ids, item={**item, "content": [{}], "status": "completed"})
    await finish(call, ids["response_id"])


async def finish(call: GlmCall, response_id: str) -> None:
    """End a response, with what it cost."""
    usage = {
        "total_tokens": 788,
        "input_tokens": 750,
        "output_tokens": 38,
        "input_token_details": {"text_tokens": 350, "audio_tokens": 400},
        "output_token_details": {"text_tokens": 18, "audio_tokens": 20},
    }
    await call.say(
        type="response.done",
        response={"object": "realtime.response", "id": response_id, "status": "completed", "usage": usage},
    )


class GlmCalls:
    """
    GLM-Realtime. ``answers`` are what it says to each ``response.create`` in their order.

    ``refusal`` is the status and body with which handshakes are refused, None: they are not; ``refused_keys`` are
    whose, empty: everybody's. ``refused`` counts them. ``poor_keys`` are of accounts without balance. Handshakes
    wait while ``picks_up`` is clear; ``rings`` is set when one has come. The next ``drops`` of them are cut.
    """

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[GlmCall] = []
        self.answers: list[Answer] = []
        self.refusal: tuple[int, Event] | None = None
        self.refused_keys: set[str] = set()
        self.poor_keys: set[str] = set()
        self.refused = 0
        self.drops = 0
        self.picks_up = asyncio.Event()
        self.picks_up.set()
        self.rings = asyncio.Event()
        self._arrivals: asyncio.Queue[GlmCall] = asyncio.Queue()

    async def call(self) -> GlmCall:
        """Wait for the next connection."""
        return await self._arrivals.get()

    async def serve(self, connection: ServerConnection) -> None:
        authorization = connection.request.headers.get("authorization", "") if connection.request else ""
        poor = authorization.removeprefix("Bearer ") in self.poor_keys
        call = GlmCall(connection, authorization=authorization, poor=poor)
        self.calls.append(call)
        self._arrivals.put_nowait(call)
        try:
            await call.say(type="heartbeat")
            await call.say(type="session.created", session={"object": "realtime.session", "model": "glm-realtime"})
            async for message in connection:
                event = json.loads(message)
                await call.take(event)
                if event["type"] == "response.create" and self.answers:
                    await self.answers.pop(0)(call)
        except ConnectionClosed:
            pass
        finally:
            call.gone.set()

    async def pick_up(self, connection: ServerConnection, request: Request) -> Response | None:
        self.rings.set()
        await self.picks_up.wait()
        if self.drops:
            self.drops -= 1
            connection.transport.abort()
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.refusal is None or (self.refused_keys and key not in self.refused_keys):
            return None
        self.refused += 1
        status, body = self.refusal
        response = connection.respond(HTTPStatus(status), json.dumps(body))
        response.headers["content-type"] = "application/json"
        return response


async def rest(socket: ClientConnection) -> list[Event]:
    """Give all that a client is still told."""
    events: list[Event] = []
    try:
        while True:
            events.append(json.loads(await socket.recv()))
    except ConnectionClosed:
        return events


def connect_narrowly(origin: str) -> socket.socket:
    """Connect to a server, with little room for what it sends."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BYTES)
    narrow.connect(("127.0.0.1", int(origin.rpartition(":")[2])))
    return narrow


@asynccontextmanager
async def playing_calls() -> AsyncIterator[GlmCalls]:
    """Listen as GLM-Realtime on a free port."""
    glm = GlmCalls()
    async with serve(
        glm.serve, "127.0.0.1", 0, process_request=glm.pick_up, compression=None, max_size=None, close_timeout=0.2
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        glm.url = f"ws://127.0.0.1:{port}/api/paas/v4/realtime"
        yield glm
