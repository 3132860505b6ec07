"""One WebSocket to GLM, as websockets speaks it: text in and out, and its end as one error of ours."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import Event, State

Take = Callable[[bytes], bool]
"""Deals with a message on the spot; False: it could not, and has done nothing."""

ABNORMAL_CLOSURE: Final = 1006
MAX_WAITING_MESSAGES: Final = 16


class UpstreamClosedError(Exception):
    """Raised when GLM's socket is closed; ``code`` is WebSocket's, 1006 when it broke."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class MessageConnection(ClientConnection):
    """
    websockets' connection, whose messages are offered to who waits for one, within the call that brings them.

    websockets itself queues frames and wakes a task for every message, which is most of what one costs.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._messages: deque[bytes] = deque()
        self._begun = bytearray()
        self._take: Take | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._is_held_back = False
        self._is_left = False

    async def next_message(self, take: Take | None = None) -> bytes:
        """Return the next message that ``take`` did not deal with meanwhile; raise UpstreamClosedError."""
        while not self._messages:
            if self.protocol.state is not State.OPEN:
                raise UpstreamClosedError(self.end_code)
            self._take, self._waiter = take, self.loop.create_future()
            try:
                await self._waiter
            finally:
                self._take = self._waiter = None
        message = self._messages.popleft()
        self._read_on()
        return message

    async def leave(self) -> None:
        """Close it, and take nothing more: what GLM still says must not hold back its goodbye."""
        self._is_left = True
        self._messages.clear()
        self._read_on()
        await self.close()

    @property
    def end_code(self) -> int:
        """The code with which GLM closed, 1006 when it did not."""
        told = self.protocol.close_rcvd
        return told.code if told is not None else ABNORMAL_CLOSURE

    @property
    def is_ready(self) -> bool:
        """Whether what is sent need not wait for what was sent before."""
        return not self.paused

    def put(self, data: bytes) -> None:
        """Send a text message at once; a connection that is closed sends nothing."""
        if self.protocol.state is State.OPEN and not self.transport.is_closing():
            self.protocol.send_text(data)
            self.send_data()

    def start_keepalive(self) -> None:
        """Begin to ping, unless GLM has hung up before it came to that: nobody would end it."""
        if self.protocol.state is State.OPEN:
            super().start_keepalive()

    def data_received(self, data: bytes) -> None:
        """Take what came, and notice the end: GLM's goodbye, or what no WebSocket sends."""
        super().data_received(data)
        if self.protocol.close_rcvd is not None or self.protocol.parser_exc is not None:
            # The answer is written. Who has ended it and stays must not keep a session waiting.
            self.transport.close()
            self._wake()

    def process_event(self, event: Event) -> None:
        """Take an event that websockets has read: put a message together."""
        if isinstance(event, Frame) and event.opcode in DATA_OPCODES:
            self._put_together(event)
        else:
            super().process_event(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits."""
        super().connection_lost(exc)
        self._wake()

    def _put_together(self, frame: Frame) -> None:
        if not frame.fin:
            self._begun += frame.data
            return
        data = bytes(frame.data)
        if self._begun:
            data = bytes(self._begun) + data
            self._begun.clear()
        self._offer(data)

    def _offer(self, message: bytes) -> None:
        if self._is_left:
            return
        waiter, take = self._waiter, self._take
        if take is not None and waiter is not None and not waiter.done() and take(message):
            return
        self._messages.append(message)
        if len(self._messages) >= MAX_WAITING_MESSAGES and not self._is_held_back:
            self._is_held_back = True
            self.transport.pause_reading()
        self._wake()

    def _read_on(self) -> None:
        if self._is_held_back and not self._messages:
            self._is_held_back = False
            self.transport.resume_reading()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class GlmSocket:
    """One open socket. A message that nobody takes holds back the next: no more than a few are kept."""

    def __init__(self, connection: MessageConnection) -> None:
        self._connection = connection

    @property
    def is_ready(self) -> bool:
        """Whether ``put`` may be called: what it is given waits for nothing before it."""
        return self._connection.is_ready

    def put(self, data: bytes) -> None:
        """Send a text message at once; a socket that is closed is noticed by whoever reads from it."""
        self._connection.put(data)

    async def send(self, data: bytes) -> None:
        """Send a text message, and wait until there is room for another; raise UpstreamClosedError."""
        try:
            await self._connection.send(data, text=True)
        except ConnectionClosed as error:
            raise UpstreamClosedError(self._connection.end_code) from error

    async def receive(self, take: Take | None = None) -> bytes:
        """
        Return the next message; raise UpstreamClosedError.

        ``take`` is offered each that comes meanwhile, within the call that brings it; this returns the first that
        it does not take.
        """
        return await self._connection.next_message(take)

    def cut(self) -> None:
        """Drop it; whoever sends or receives is told that it is closed."""
        self._connection.transport.abort()

    async def aclose(self) -> None:
        """Close it; GLM has two seconds to agree."""
        await self._connection.leave()
