"""The two ends of measured calls: clients that speak and GLMs that do, each at moments of its own."""

import asyncio
import base64
import hashlib
import json
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import cast

from .processes import BenchError
from .wire import KEY

FRAME_SECONDS = 0.1
DELTA_SECONDS = 0.05
FRAME_BYTES = 4_800
GLM_FRAME_CHARACTERS = 4_267
"""Base64 of as much at 16 kHz; frames that are late come together."""
DELTA_CHARACTERS = 3_200
STAMP_CHARACTERS = 20
SMALL_BYTES = 2_000
"""Less than any message with sound in it."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_DELTA = b'"delta":"'


def text(message: object) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


def frame(payload: bytes, *, masked: bool) -> bytes:
    """Return a WebSocket text message; its mask is zero, which changes nothing."""
    bit = 0x80 if masked else 0
    if len(payload) < 126:
        head = bytes((0x81, bit | len(payload)))
    else:
        head = bytes((0x81, bit | 126)) + len(payload).to_bytes(2, "big")
    return head + (bytes(4) if masked else b"") + payload


class Pace:
    """
    The moments at which one end speaks: its own within the interval, as people do not speak in step.

    ``late`` gets how late each was, in seconds: what the load itself is to blame for.
    """

    def __init__(self, interval_seconds: float, *, phase: float, late: deque[float]) -> None:
        self._interval_seconds = interval_seconds
        self._phase = phase
        self._late = late
        self._due = 0.0

    def begin(self, speak: Callable[[], None]) -> None:
        """Have ``speak`` called at the first of its moments."""
        whole = asyncio.get_running_loop().time() // self._interval_seconds + 1
        self._due = (whole + self._phase) * self._interval_seconds
        asyncio.get_running_loop().call_at(self._due, speak)

    def go_on(self, speak: Callable[[], None]) -> None:
        """Have ``speak``, which is being called, called at the next of its moments."""
        self._late.append(time.monotonic() - self._due)
        self._due += self._interval_seconds
        asyncio.get_running_loop().call_at(self._due, speak)


class Socket(asyncio.Protocol, ABC):
    """One end of a WebSocket. Knows messages of less than 64 KiB, and answers pings."""

    def __init__(self, *, masks: bool) -> None:
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._masks = masks
        self._received = bytearray()
        self.closed = False
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self.gone.set_result(None)
        if not self.open.done():
            self.open.set_exception(exc or BenchError("a call was refused"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self.open.done():
            head, blank, rest = bytes(self._received).partition(b"\r\n\r\n")
            if not blank:
                return
            self._received = bytearray(rest)
            self.shake(head)
        self._read()

    @abstractmethod
    def shake(self, head: bytes) -> None:
        """Complete the handshake."""

    @abstractmethod
    def take(self, message: bytes) -> None:
        """Take a text message; one with sound in it is still masked."""

    def send(self, payload: bytes) -> None:
        self.transport.write(frame(payload, masked=self._masks))

    def _read(self) -> None:
        received, at = self._received, 0
        while len(received) - at >= 2:
            size, start = received[at + 1] & 0x7F, at + 2
            if size == 126:
                if len(received) - at < 4:
                    break
                size, start = int.from_bytes(received[start : start + 2], "big"), start + 2
            mask = b""
            if received[at + 1] & 0x80:
                mask, start = bytes(received[start : start + 4]), start + 4
            if len(received) < start + size:
                break
            payload = bytes(received[start : start + size])
            if mask and size < SMALL_BYTES:
                payload = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
            kind = received[at] & 0x0F
            at = start + size
            if kind == 1:
                self.take(payload)
            elif kind == 9:
                self.transport.write(b"\x8a" + frame(payload, masked=self._masks)[1:])
        del received[:at]


class Glm(Socket):
    """GLM's end: confirms, and once it is asked speaks until the connection ends."""

    def __init__(self, pace: Pace) -> None:
        super().__init__(masks=False)
        self.frames = 0.0
        self._pace = pace

    def shake(self, head: bytes) -> None:
        key = next(
            line.partition(b":")[2].strip()
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"sec-websocket-key:")
        )
        accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
        self.transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept
        )
        self.open.set_result(None)
        self.send(text({"type": "session.created", "session": {}}))

    def take(self, message: bytes) -> None:
        if len(message) >= SMALL_BYTES:
            self.frames += len(message) / GLM_FRAME_CHARACTERS
            return
        kind = json.loads(message)["type"]
        if kind == "session.update":
            self.send(text({"type": "session.updated", "session": {}}))
        elif kind == "response.create":
            self.send(text({"type": "response.created", "response": {"id": "r", "status": "in_progress"}}))
            self._pace.begin(self._speak)

    def _speak(self) -> None:
        if self.closed:
            return
        self._pace.go_on(self._speak)
        stamp = f"{time.monotonic_ns():0{STAMP_CHARACTERS}d}"
        place = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
        delta = stamp + "A" * (DELTA_CHARACTERS - STAMP_CHARACTERS)
        self.send(text({"type": "response.audio.delta", "event_id": "e", **place, "delta": delta}))


class Client(Socket):
    """A client that speaks all the time; ``seen`` gets when each piece of GLM's voice was sent, and its delay."""

    def __init__(self, seen: deque[tuple[int, int]], pace: Pace, *, path: str, port: int) -> None:
        super().__init__(masks=True)
        self._seen = seen
        self._pace = pace
        self._hello = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Authorization: Bearer {KEY}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        ).encode()
        audio = base64.b64encode(bytes(FRAME_BYTES)).decode()
        self._frame = frame(text({"type": "input_audio_buffer.append", "audio": audio}), masked=True)
        self.frames = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.write(self._hello)

    def shake(self, head: bytes) -> None:
        if head.startswith(b"HTTP/1.1 101 "):
            self.open.set_result(None)
        else:
            self.open.set_exception(BenchError(f"a call was refused: {head[:60]!r}"))

    def take(self, message: bytes) -> None:
        at = message.find(_DELTA)
        if at > 0 and len(message) >= SMALL_BYTES:
            start = at + len(_DELTA)
            sent_at = int(message[start : start + STAMP_CHARACTERS])
            self._seen.append((sent_at, time.monotonic_ns() - sent_at))

    def speak(self) -> None:
        """Begin to speak, and have GLM do so."""
        self.send(text({"type": "response.create"}))
        self._pace.begin(self._say)

    def _say(self) -> None:
        if self.closed:
            return
        self._pace.go_on(self._say)
        self.transport.write(self._frame)
        self.frames += 1
