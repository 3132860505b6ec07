"""HTTP as bytes on sockets: cheap enough for hundreds of callers, and hung up whenever one likes."""

import asyncio
import re
from contextlib import suppress

import msgspec

ANSWER_SECONDS = 2.0
HOST = "127.0.0.1"

STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")
CODE = re.compile(rb'"code": ?"([^"]+)"')
DONE = b"data: [DONE]"


class Answer:
    """What came of a request so far."""

    def __init__(self) -> None:
        self.received = bytearray()

    @property
    def status(self) -> int:
        """The HTTP status, 0 while there is none."""
        found = STATUS.match(self.received)
        return int(found[1]) if found else 0

    @property
    def code(self) -> str:
        """The code of the error that it is, or ends with; empty for none."""
        found = CODE.findall(self.received)
        return found[-1].decode() if found else ""

    @property
    def body(self) -> bytes:
        """What follows the head."""
        return bytes(self.received.partition(b"\r\n\r\n")[2])


class Connection:
    """One request on a connection of its own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.answer = Answer()
        self._reader = reader
        self._writer = writer

    @classmethod
    async def send(cls, port: int, request: bytes) -> "Connection":
        """Connect and ask. Raises OSError."""
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(request)
        return cls(reader, writer)

    async def begun(self) -> None:
        """Wait for the first bytes. Raises OSError."""
        self.answer.received += await self._reader.read(65536)

    async def ended(self) -> None:
        """Read to the end. Raises OSError."""
        while data := await self._reader.read(65536):
            self.answer.received += data

    def hang_up(self) -> None:
        """Cut the connection."""
        self._writer.transport.abort()


async def get(port: int, path: str) -> bytes | None:
    """Return the body of a 200; None for anything else."""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(ANSWER_SECONDS):
            connection = await Connection.send(port, head("GET", path))
            try:
                await connection.ended()
            finally:
                connection.hang_up()
            if connection.answer.status == 200:
                return connection.answer.body
    return None


def chat(*, key: str, model: str, prompt: str, user_id: str, stream: bool) -> bytes:
    """Return a request for a chat completion."""
    body = msgspec.json.encode(
        {
            "model": model,
            "messages": [{"role": "user", "content": prompt}],
            "thinking": {"type": "disabled"},
            "user_id": user_id,
            "stream": stream,
        }
    )
    fields = f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head("POST", "/v1/chat/completions", fields) + body


def head(method: str, path: str, fields: str = "") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n{fields}\r\n".encode()
