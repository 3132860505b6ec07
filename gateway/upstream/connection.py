"""One HTTP/1.1 connection to GLM: httptools reads, asyncio carries. One exchange at a time; knows no pool."""

import asyncio
from typing import cast

import httptools
import httpx
from msgspec import Struct, field

from gateway.upstream.wire import Headers, Piece, Sink

HIGH_WATER_BYTES = 256 * 1024
"""An answer that is read more slowly than it arrives is held back beyond this."""

MAX_HEAD_BYTES = 64 * 1024


class StaleConnectionError(Exception):
    """Raised when the connection closes without a byte of an answer: it was about to when it was taken."""


class UnaskedAnswerError(Exception):
    """Raised to stop the parser at an answer to no request."""


class Answer(Struct, eq=False):
    """One answer as far as it has been parsed, but for its body. ``status`` 0: not told yet."""

    status: int = 0
    headers: Headers = field(default_factory=list)
    head_bytes: int = 0
    begun: bool = False
    head_complete: bool = False
    complete: bool = False
    reusable: bool = False

    def ends_with_connection(self) -> bool:
        """Tell whether the body has no length of its own, so that closing the connection is its proper end."""
        names = {name.lower() for name, _ in self.headers}
        return self.head_complete and names.isdisjoint({b"content-length", b"transfer-encoding"})


class AnswerParser:
    """
    Parses the answers that come over one connection, one after the other; httptools calls the ``on_`` methods.

    One for all, since parser and callbacks are a cycle: one for each answer would be garbage to be looked for.
    ``chunks`` are of the answer's body, and not taken yet; ``unread_bytes`` is how much came since the last were.
    """

    def __init__(self) -> None:
        self.answer = Answer()
        self.chunks: list[bytes] = []
        self.unread_bytes = 0
        self.on_body = self.chunks.append  # Called for every event of most streams, so not by way of a method.
        self._parser = httptools.HttpResponseParser(self)

    def begin(self) -> Answer:
        """Return the answer that what is fed from now on belongs to."""
        self.answer = Answer()
        self.chunks.clear()
        self.unread_bytes = 0
        return self.answer

    def take(self) -> bytes:
        """Return the part of the body that has arrived since the last time."""
        chunks = self.chunks
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        self.unread_bytes = 0
        return body

    def feed(self, data: bytes) -> None:
        """Parse on; raise RemoteProtocolError for what is not HTTP/1.1, or has an endless head."""
        answer = self.answer
        answer.begun = True
        self.unread_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            answer.reusable = False
            if answer.complete:
                return  # What came after the answer is nobody's; the answer itself is whole.
            raise httpx.RemoteProtocolError(f"Not HTTP/1.1: {error}") from error
        if not answer.head_complete:
            answer.head_bytes += len(data)
            if answer.head_bytes > MAX_HEAD_BYTES:
                raise httpx.RemoteProtocolError("The head of the answer is too large.")

    def close(self) -> None:
        """Let go of what calls this, as each keeps the other; nothing is fed any more."""
        del self._parser

    def on_message_begin(self) -> None:
        """Forget an interim answer; one that follows the whole answer was not asked for."""
        if self.answer.complete:
            raise UnaskedAnswerError
        self.answer.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self.answer.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Note the status; the head of an interim answer is not the one that is waited for."""
        answer = self.answer
        answer.status = self._parser.get_status_code()
        answer.head_complete = answer.status >= 200

    def on_message_complete(self) -> None:
        """Note that the answer is whole, unless it was an interim one."""
        answer = self.answer
        answer.complete = answer.head_complete
        answer.reusable = answer.complete and self._parser.should_keep_alive()


class Connection(asyncio.Protocol):
    """
    A connection that can carry one exchange after the other.

    ``closed`` turns true as soon as it cannot carry another. ``idle_since`` is a reading of the monotonic clock.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.closed = False
        self.idle_since = 0.0
        self._loop = loop
        self._parser = AnswerParser()
        self._error: Exception | None = None
        self._exchanging = False
        self._paused = False
        self._sink: Sink | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._timeout_seconds: float | None = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def exchange(self, message: bytes, *, read_timeout_seconds: float | None) -> tuple[int, Headers]:
        """
        Send a whole request; return the status and headers of its answer.

        Raises StaleConnectionError when nothing at all came back, and httpx's errors for everything else.
        """
        answer = self._parser.begin()
        self._exchanging = True
        self._timeout_seconds = read_timeout_seconds
        self._transport.write(message)
        while not answer.head_complete:
            await self._wait()
        return answer.status, answer.headers

    async def read(self) -> Piece:
        """Return everything of the body that has arrived, waiting for something, and whether there may be more."""
        parser = self._parser
        if not parser.chunks and not parser.answer.complete:
            await self._wait()
        self._resume()
        return parser.take(), not parser.answer.complete

    def pour_into(self, sink: Sink) -> None:
        """Give ``sink`` what arrives of this answer's body while ``read`` waits, until it wants that to return."""
        self._sink = sink

    def finish(self) -> bool:
        """End the exchange; tell whether the connection can carry another. If not, it is cut at once."""
        self._exchanging = False
        self._sink = None
        self._parser.chunks.clear()
        if self._parser.answer.reusable and not self.closed:
            self._resume()
            return True
        self._fail(httpx.ReadError("The answer was closed while it was read."))
        return False

    def abort(self) -> None:
        """Cut the connection."""
        self.closed = True
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport; the event loop calls this."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read on; bytes that nobody asked for end the connection. The event loop calls this."""
        if not self._exchanging:
            self.abort()
            return
        try:
            self._parser.feed(data)
        except httpx.RemoteProtocolError as error:
            self._fail(error)
            return
        if self._waiter is not None:
            if not self._waiter.done() and not self._poured():
                self._waiter.set_result(None)
        elif self._parser.unread_bytes > HIGH_WATER_BYTES and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits whether the answer was whole. The event loop calls this."""
        self.closed = True
        self._stop_timer()
        self._parser.close()
        answer = self._parser.answer
        if not self._exchanging or answer.complete:
            return
        if exc is None and answer.ends_with_connection():
            answer.complete = True
        elif self._error is None:
            lost = httpx.ReadError("The connection closed inside an answer.")
            self._error = lost if answer.begun else StaleConnectionError()
        self._wake()

    async def _wait(self) -> None:
        """Wait until something happens; raise what went wrong."""
        if self._error is None:
            self._waiter = self._loop.create_future()
            self._watch()
            try:
                await self._waiter
            except asyncio.CancelledError:
                self.abort()
                raise
            finally:
                self._waiter = None
        if self._error is not None:
            raise self._error

    def _resume(self) -> None:
        """Read on after an answer was held back."""
        if self._paused:
            self._paused = False
            self._transport.resume_reading()

    def _poured(self) -> bool:
        """Give the sink what has come; tell whether whoever waits may wait on."""
        # To wake up a task for it had been 40 % of what an event of a paced stream took in all.
        parser = self._parser
        if self._sink is None or parser.answer.complete:
            return False
        self._watch()
        return not parser.chunks or self._sink(parser.take())

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, error: Exception) -> None:
        self._error = error
        self.abort()
        self._wake()

    def _watch(self) -> None:
        # One timer a connection, moved only when it fires: setting one anew costs more than the read it guards.
        if self._timeout_seconds is None:
            return
        self._deadline = self._loop.time() + self._timeout_seconds
        if self._timer is not None and self._timer.when() > self._deadline:
            self._stop_timer()
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self._waiter is None:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._on_timer)
        else:
            self._fail(httpx.ReadTimeout(f"Nothing came for {self._timeout_seconds:g} s."))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
