"""A client of calls that does only what it is told, and sound to send."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from gateway.simulator import DEMO_KEY, Running
from gateway.simulator.speech import resample, speak, wav

Event = dict[str, Any]

PATIENCE_SECONDS = 60
JPEG = base64.b64encode(
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    b"\xff\xc0\x00\x11\x08\x00\x30\x00\x40\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xd9"
).decode()
"""A picture of 64 x 48 pixels, as far as its header goes."""

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Get the weather in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


class Phone:
    """One call. ``heard`` has every event that came."""

    def __init__(self, connection: ClientConnection) -> None:
        self.heard: list[Event] = []
        self.connection = connection

    async def send(self, kind: str, **fields: Any) -> None:
        await self.connection.send(json.dumps({"type": kind} | fields, ensure_ascii=False))

    async def update(self, **session: Any) -> Event:
        """Replace the session, by default one without VAD that takes PCM; gives the echo."""
        usual = {"input_audio_format": "pcm", "output_audio_format": "pcm", "voice": "tongtong"}
        await self.send("session.update", session=usual | {"beta_fields": {"chat_mode": "audio"}} | session)
        echo: Event = (await self.until("session.updated"))[-1]["session"]
        return echo

    async def type(self, text: str) -> None:
        """Write a message."""
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "object": "realtime.item", "role": "user", "content": content}
        await self.send("conversation.item.create", item=item)

    async def append(self, audio: bytes) -> None:
        await self.send("input_audio_buffer.append", audio=base64.b64encode(audio).decode())

    async def next(self) -> Event:
        async with asyncio.timeout(PATIENCE_SECONDS):
            event: Event = json.loads(await self.connection.recv())
        self.heard.append(event)
        return event

    async def until(self, kind: str) -> list[Event]:
        """Give the events up to the next of a type; there must be no error among them."""
        events = []
        while True:
            event = await self.next()
            events.append(event)
            if event["type"] == kind:
                return events
            assert event["type"] != "error", event

    async def error(self) -> Event:
        """Give the next error."""
        error: Event = (await self.until("error"))[-1]["error"]
        return error

    async def closed(self) -> int | None:
        """Wait for the end of the call; gives its code."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.connection.wait_closed()
        return self.connection.close_code


@asynccontextmanager
async def calling(zhipu: Running, *, key: str | None = DEMO_KEY, query: str = "") -> AsyncIterator[Phone]:
    """Begin a call, and take what it begins with."""
    headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
    async with connect(
        zhipu.realtime_url + query, additional_headers=headers, proxy=None, compression=None, close_timeout=1
    ) as connection:
        yield Phone(connection)


def speech(text: str, *, rate_hz: int = 16000) -> bytes:
    """Give a sentence as PCM."""
    sound, from_hz = speak(text)
    return resample(sound, from_hz=from_hz, to_hz=rate_hz)


def as_file(pcm: bytes, *, rate_hz: int = 16000) -> bytes:
    return wav(pcm, rate_hz=rate_hz)


def cut(pcm: bytes, size: int) -> Iterator[bytes]:
    """Give a sound in pieces of so many bytes."""
    for start in range(0, len(pcm), size):
        yield pcm[start : start + size]


def kinds(events: list[Event]) -> list[str]:
    """Name events in their order, repeated ones once, without those that have no place in it."""
    named: list[str] = []
    for event in events:
        if event["type"] != "heartbeat" and event["type"] not in named[-1:]:
            named.append(event["type"])
    return named


def told(events: list[Event], kind: str, name: str = "delta") -> str:
    """Join a field of all events of a type."""
    return "".join(event[name] for event in events if event["type"] == kind)
