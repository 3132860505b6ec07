"""What a client has sent and nobody has dealt with yet."""

import asyncio
from contextlib import suppress
from typing import Final

MAX_WAITING_BYTES: Final = 512 * 1024
"""Some 8 s of speech. Who is further ahead than that has to wait, and leaves unseen as long as it does."""
LEAVING_SECONDS: Final = 0.05
"""How long what a client has sent last may still be dealt with once it has left."""


class Inbox:
    """Keeps what a client sends while the session waits for GLM, so that it is noticed when the client leaves."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._waiting_bytes = 0
        self._room = asyncio.Event()
        self.is_empty = True

    async def put(self, message: str | bytes) -> None:
        """Keep a message, and wait until there is room for another."""
        self.is_empty = False
        self._waiting_bytes += len(message)
        self._messages.put_nowait(message)
        while self._waiting_bytes > MAX_WAITING_BYTES:
            self._room.clear()
            await self._room.wait()

    async def next(self) -> str | bytes:
        """Return the oldest message, waiting for one if need be; ``done`` follows."""
        return await self._messages.get()

    def done(self, message: str | bytes) -> None:
        """Take it that a message has been dealt with."""
        self._messages.task_done()
        self._waiting_bytes -= len(message)
        self.is_empty = self._waiting_bytes == 0 and self._messages.empty()
        self._room.set()

    async def settle(self) -> None:
        """Wait a moment for what is left to be dealt with."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVING_SECONDS):
                await self._messages.join()
