"""Realtime calls: how late GLM's voice arrives, and what a message and an open call cost."""

import asyncio
import base64
import hashlib
import json
import time
from collections import deque
from collections.abc import Callable
from typing import cast

import uvloop
from msgspec import Struct
from msgspec.structs import replace

from .machine import processor_seconds, resident_bytes
from .processes import Bench, BenchError, Server, free_port
from .report import Row
from .wire import KEY, REALTIME_MODEL

CALLS = 200
WARM_UP_SECONDS = 2.0
SECONDS = 8.0
LIMIT_SECONDS = 60.0
FRAME_SECONDS = 0.1
DELTA_SECONDS = 0.05
FRAME_BYTES = 4_800
GLM_FRAME_CHARACTERS = 4_267
"""Base64 of as much at 16 kHz; frames that are late come together."""
LATE_SHARE = 0.1
DELTA_CHARACTERS = 3_200
STAMP_CHARACTERS = 20
UNHEARD_NANOSECONDS = 10**10
SMALL_BYTES = 2_000
"""Less than any message with sound in it."""

DELAY_P50 = Row(measure=f"{CALLS} calls, added delay of the voice p50", unit="ms, over direct")
DELAY_P99 = Row(
    measure=f"{CALLS} calls, added delay of the voice p99", unit="ms, over direct", bound="at most", target=20
)
PER_CORE = Row(measure="calls per core, by what they compute", unit="calls", bound="at least", target=200)
MESSAGE = Row(measure="a relayed message", unit="µs of computing")
MEMORY = Row(measure="an idle call's memory", unit="KB", bound="at most", target=200)
ROWS = (DELAY_P50, DELAY_P99, PER_CORE, MESSAGE, MEMORY)

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


class Socket(asyncio.Protocol):
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

    def shake(self, head: bytes) -> None:
        """Complete the handshake."""
        raise NotImplementedError

    def take(self, message: bytes) -> None:
        """Take a text message; one with sound in it is still masked."""
        raise NotImplementedError

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

    def __init__(self) -> None:
        super().__init__(masks=False)
        self.frames = 0.0
        self._due = 0.0

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
            self._due = asyncio.get_running_loop().time()
            self._speak()

    def _speak(self) -> None:
        if self.closed:
            return
        stamp = f"{time.monotonic_ns():0{STAMP_CHARACTERS}d}"
        place = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
        delta = stamp + "A" * (DELTA_CHARACTERS - STAMP_CHARACTERS)
        self.send(text({"type": "response.audio.delta", "event_id": "e", **place, "delta": delta}))
        self._due += DELTA_SECONDS
        asyncio.get_running_loop().call_at(self._due, self._speak)


class Client(Socket):
    """A client that speaks all the time; ``seen`` gets when each piece of GLM's voice was sent, and its delay."""

    def __init__(self, seen: deque[tuple[int, int]], *, path: str, port: int) -> None:
        super().__init__(masks=True)
        self._seen = seen
        self._hello = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Authorization: Bearer {KEY}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        ).encode()
        audio = base64.b64encode(bytes(FRAME_BYTES)).decode()
        self._frame = frame(text({"type": "input_audio_buffer.append", "audio": audio}), masked=True)
        self._due = 0.0
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
        self._due = asyncio.get_running_loop().time()
        self._say()

    def _say(self) -> None:
        if self.closed:
            return
        self.transport.write(self._frame)
        self.frames += 1
        self._due += FRAME_SECONDS
        asyncio.get_running_loop().call_at(self._due, self._say)


class Calls(Struct, frozen=True, kw_only=True):
    """How late the voice was, in seconds; what the server computed for a message, and held for an idle call."""

    p50_seconds: float
    p99_seconds: float
    processor_share: float | None
    messages_per_second: float
    idle_bytes: float | None


def calls(bench: Bench) -> list[Row]:
    """Measure calls through the gateway, and straight to the stand-in."""
    port = free_port()
    direct = uvloop.run(_run(None, glm_port=port))
    limits = f"{REALTIME_MODEL}=9000/9000/9000/9000"
    with bench.calls_gateway(glm_port=port, limits=limits) as gateway:
        ours = uvloop.run(_run(gateway, glm_port=port))
    share = ours.processor_share
    note = "" if share is None else f"{share:.0%} of the core used"
    rows = [
        replace(row, gateway=mine * 1e3, reference=theirs * 1e3, result=(mine - theirs) * 1e3, note=note)
        for row, mine, theirs, note in (
            (DELAY_P50, ours.p50_seconds, direct.p50_seconds, ""),
            (DELAY_P99, ours.p99_seconds, direct.p99_seconds, note),
        )
    ]
    if share is None or ours.idle_bytes is None:
        return [*rows, *(replace(row, skipped="only Linux tells") for row in (PER_CORE, MESSAGE, MEMORY))]
    per_message = share / ours.messages_per_second * 1e6
    return [
        *rows,
        replace(PER_CORE, gateway=CALLS / share, result=CALLS / share),
        replace(MESSAGE, gateway=per_message, result=per_message),
        replace(MEMORY, gateway=ours.idle_bytes / 1024, result=ours.idle_bytes / 1024),
    ]


async def _run(server: Server | None, *, glm_port: int) -> Calls:
    loop = asyncio.get_running_loop()
    ends: list[Glm] = []

    def answer() -> Glm:
        ends.append(Glm())
        return ends[-1]

    seen: deque[tuple[int, int]] = deque()
    listening = await loop.create_server(answer, "127.0.0.1", glm_port, backlog=1024)
    port, path = (server.port, server.path) if server is not None else (glm_port, "/realtime")
    async with listening, asyncio.timeout(LIMIT_SECONDS):
        idle, clients = await _dial(lambda: Client(seen, path=path, port=port), port=port, server=server)
        for client in clients:
            client.speak()
            await asyncio.sleep(FRAME_SECONDS / CALLS)
        await asyncio.sleep(WARM_UP_SECONDS)
        measured = await _measure(seen, server=server)
        for client in clients:
            client.transport.abort()
        said, heard = sum(client.frames for client in clients), sum(end.frames for end in ends)
        if heard < (1 - LATE_SHARE) * said:
            raise BenchError(f"of {said} frames {heard:.0f} arrived")
        await asyncio.gather(*(end.gone for end in ends))
    return replace(measured, idle_bytes=idle)


async def _dial(
    make: Callable[[], Client], *, port: int, server: Server | None
) -> tuple[float | None, list[Client]]:
    """Open the calls; return what one holds, and their clients."""
    loop = asyncio.get_running_loop()
    before: int | None = None
    clients = []
    for number in range(CALLS):
        if number == CALLS // 4 and server is not None:  # What is made once is made by then.
            before = resident_bytes(server.process_id)
        _, client = await loop.create_connection(make, "127.0.0.1", port)
        await client.open
        clients.append(client)
    await asyncio.sleep(0.5)
    after = resident_bytes(server.process_id) if server is not None else None
    return (None if before is None or after is None else (after - before) / (CALLS * 3 // 4)), clients


async def _measure(seen: deque[tuple[int, int]], *, server: Server | None) -> Calls:
    from_ns, busy = time.monotonic_ns(), computed_seconds(server)
    await asyncio.sleep(SECONDS)
    until_ns, busy_then = time.monotonic_ns(), computed_seconds(server)
    late = sorted(delay for sent_at, delay in seen if from_ns <= sent_at < until_ns)
    # What has not come is later than all the rest.
    missing = round(CALLS * SECONDS / DELTA_SECONDS) - len(late)
    late += [UNHEARD_NANOSECONDS] * missing
    seconds = (until_ns - from_ns) / 1e9
    return Calls(
        p50_seconds=late[len(late) // 2] / 1e9,
        p99_seconds=late[len(late) * 99 // 100] / 1e9,
        processor_share=None if busy is None or busy_then is None else (busy_then - busy) / seconds,
        messages_per_second=(CALLS / FRAME_SECONDS) + (len(late) - missing) / seconds,
        idle_bytes=None,
    )


def computed_seconds(server: Server | None) -> float | None:
    return processor_seconds(server.process_id) if server is not None else None
