"""Stands between replicas and a Redis, and answers some calls of scripts itself, as a Redis in trouble does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.redis_server import RedisServer

SCRIPTS = (b"EVALSHA", b"EVAL")


class RedisProxy:
    """
    Passes everything on. Told to, it answers scripts itself, or runs them and loses what Redis answers, or passes
    on nothing of the connections that there are, as where a machine is gone without a word.

    ``calls`` counts the scripts that it did not pass on as it should.
    """

    def __init__(self, server: RedisServer) -> None:
        self.calls = 0
        self.port = 0
        self._server = server
        self._answer = b""
        self._scripts: tuple[bytes, ...] = ()
        self._loses = False
        self._lines = 0
        self._cut_up_to = 0

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"redis://127.0.0.1:{self.port}/0"

    def refuse(self, error: str, *, scripts: tuple[bytes, ...] = SCRIPTS) -> None:
        """Answer scripts with an error from now on."""
        self._answer, self._scripts, self._loses = f"-{error}\r\n".encode(), scripts, False

    def lose(self) -> None:
        """Have scripts run, and close the connection in place of an answer from now on."""
        self._scripts, self._loses = SCRIPTS, True

    def lead_to(self, server: RedisServer) -> None:
        """Pass on what is connected from now on to another server, as an address does after a failover."""
        self._server = server

    def cut_off(self) -> None:
        """Pass nothing on of what is connected by now, and keep it open."""
        self._cut_up_to = self._lines

    def obey(self) -> None:
        """Pass everything on again."""
        self._scripts = ()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Serve until the block ends."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._lines += 1
        line = self._lines
        ours, theirs = await asyncio.open_connection("127.0.0.1", self._server.port)
        try:
            async with asyncio.TaskGroup() as tasks:
                back = tasks.create_task(self._pump(line, ours, writer))
                with suppress(asyncio.IncompleteReadError, ConnectionError):
                    while self._pass_on(line, await read_command(reader), writer, theirs):
                        pass
                back.cancel()
        finally:
            theirs.close()
            writer.close()

    def _pass_on(
        self, line: int, command: list[bytes], writer: asyncio.StreamWriter, theirs: asyncio.StreamWriter
    ) -> bool:
        """Do what is to be done with a command; returns whether another may follow."""
        if line <= self._cut_up_to:
            return True
        if command[0] not in self._scripts:
            theirs.write(written(command))
            return True
        self.calls += 1
        if self._loses:
            theirs.write(written(command))
            return False
        writer.write(self._answer)
        return True

    async def _pump(self, line: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what comes, and its end."""
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if line > self._cut_up_to:
                    writer.write(data)
        writer.close()


async def read_command(reader: asyncio.StreamReader) -> list[bytes]:
    """Read a command as clients write it. Raises IncompleteReadError at the end."""
    parts = []
    for _ in range(await number(reader)):
        size = await number(reader)
        parts.append((await reader.readexactly(size + 2))[:-2])
    return parts


async def number(reader: asyncio.StreamReader) -> int:
    return int((await reader.readuntil(b"\r\n"))[1:])


def written(command: list[bytes]) -> bytes:
    return b"*%d\r\n" % len(command) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in command)
