"""
HTTP/1.1 as uvicorn reads it, with bounds that it lacks: how large a head is, how late it comes, how many wait.

Also gives what never reaches the application, such as a head that cannot be parsed, the body of every error.
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import chain
from typing import ClassVar

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from gateway.errors import GatewayError, HeadersTooLarge, InvalidRequest
from gateway.server.flow import MAX_WAITING_REQUESTS, PIECE_BYTES, BoundedFlow
from gateway.server.upgrades import UpgradableHttp
from gateway.translate.errors import to_openai

Headers = Sequence[tuple[bytes, bytes]]
Refuse = Callable[[GatewayError], Headers]
"""Told of what the application will never see; gives headers for the answer."""


def refuse_unnoticed(_error: GatewayError) -> Headers:
    """Add no headers."""
    return ()


class BoundedHttp(UpgradableHttp):
    """
    One connection.

    A head larger than ``max_header_bytes`` is refused before it is whole, and so is as much that stands between
    or behind the chunks of a body; no header that comes there is taken for one of the head. A connection on which
    a head takes longer than ``head_seconds`` is closed. ``refuse`` is told of every refusal.
    """

    max_header_bytes: ClassVar[int] = 64 * 1024
    head_seconds: ClassVar[float] = 60.0
    refuse: ClassVar[Refuse] = staticmethod(refuse_unnoticed)
    _head_timer: asyncio.TimerHandle | None = None
    _received_bytes = 0
    _reading_head = False
    _head_bytes = 0
    _head_bytes_at_most = 0
    _heads_begun = 0
    _refusal: GatewayError | None = None
    _refused = False
    _body_came = False
    _bytes_beside_body = 0
    _unread: bytes = b""
    _is_kept = False
    _first: RequestResponseCycle | None = None  # that is being answered while others wait

    @classmethod
    def of(cls, *, max_header_bytes: int, refuse: Refuse = refuse_unnoticed) -> type["BoundedHttp"]:
        """Return the protocol with a limit of its own; the address counts as part of the head."""
        return type("BoundedHttp", (cls,), {"max_header_bytes": max_header_bytes, "refuse": staticmethod(refuse)})

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head, but not for ever."""
        super().connection_made(transport)
        self.flow = BoundedFlow(transport, waiting=self.pipeline)
        self._head_timer = self.loop.call_later(self.head_seconds, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting, and tell whoever answers; uvicorn tells only of the request that came last."""
        self._stop_timer()
        self._unset_keepalive_if_required()  # uvicorn leaves it to fire where the connection was reset.
        if self._first is not None:
            self._first.disconnected = True
            self._first.message_event.set()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin to count a head, in the piece of data that was received last."""
        self._reading_head = True
        self._head_bytes, self._head_bytes_at_most = 0, self._received_bytes
        self._heads_begun += 1
        super().on_message_begin()

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head that is still being read is too large already."""
        if self._refused:
            return
        cycle: RequestResponseCycle | None = self.cycle
        was_reading_head = self._reading_head
        was_idle = not was_reading_head and (cycle is None or not cycle.more_body)
        self._heads_begun = 0
        self._received_bytes = len(data)
        self._head_bytes_at_most += self._received_bytes
        self._unset_keepalive_if_required()
        self._body_came = False
        self._read(self._unread + data if self._unread else data)
        if self._reading_head:
            if self._head_timer is None:  # Most heads come whole and need no timer.
                self._head_timer = self.loop.call_later(self.head_seconds, self.transport.close)
        elif cycle is not None and not was_reading_head and not self._heads_begun:
            self._look_at_rest(cycle)
        # Otherwise it came together with another request, and how much of it is head is not known.
        is_all_head = self._heads_begun == was_idle
        if is_all_head and self._reading_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > self.max_header_bytes:
                self._refusal = self._too_large()
                self.send_400_response("")

    def on_headers_complete(self) -> None:
        """Hand the request to the application; raising here makes uvicorn call ``send_400_response``."""
        self._reading_head = False
        self._stop_timer()
        # Nearly every request is smaller as a whole, so that its headers need not be counted.
        if self._head_bytes_at_most > self.max_header_bytes and self._count_head() > self.max_header_bytes:
            self._refusal = self._too_large()
            raise self._refusal
        before: RequestResponseCycle | None = self.cycle
        super().on_headers_complete()
        cycle: RequestResponseCycle = self.cycle
        if cycle is before:
            return  # It is read anew.
        self.headers = []  # Trailers come into it; the request has the list that was there.
        self._bytes_beside_body = 0
        if self.expect_100_continue:
            # Who is refused before it sent the body may send it all the same, or another request in its place.
            self._is_kept, cycle.keep_alive = cycle.keep_alive, False
        if before is not None and self.pipeline:
            self._first = self._first or before
            before.on_response = cycle.on_response = self._go_on
            self.flow.resume_reading()  # Otherwise nobody notices that the caller leaves.

    def on_body(self, body: bytes) -> None:
        """Hand on a part of a body, unless it was answered before."""
        self._body_came = True
        cycle: RequestResponseCycle = self.cycle
        if cycle.response_complete:
            return
        if self.expect_100_continue and not cycle.response_started:
            cycle.keep_alive = self._is_kept
        cycle.body += body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def send_400_response(self, msg: str) -> None:
        """Answer what the application will never see, and close; ``msg`` is uvicorn's, and says too little."""
        del msg
        self._refused = True
        error = self._refusal or InvalidRequest(
            "This is not a valid HTTP/1.1 request; check the request line, the headers and their lengths."
        )
        headers = type(self).refuse(error)
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete or (cycle.more_body and not cycle.response_started):
            self._write_refusal(error, headers)
        elif cycle.more_body:
            self.transport.close()  # Its own answer has begun, and cannot end well.
        else:
            self._stop_timer()
            cycle.keep_alive = False  # What came before it is answered first; then the connection closes.

    def _go_on(self) -> None:
        """Begin with the next request, if one waits, and read on where reading was left for too many of them."""
        self._first = self.pipeline[-1][0] if self.pipeline else None
        self.on_response_complete()
        if self._unread and not self.transport.is_closing():
            self._read(self._unread)

    def _look_at_rest(self, cycle: RequestResponseCycle) -> None:
        """Bound what came though no head was being read: more of a body, its trailers, empty lines."""
        if cycle.response_complete and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        self._bytes_beside_body = 0 if self._body_came else self._bytes_beside_body + self._received_bytes
        if self._bytes_beside_body > self.max_header_bytes:
            self._refusal = self._too_large("What stands beside the body of this request takes")
            self.send_400_response("")

    def _read(self, data: bytes) -> None:
        """Read what came, up to a WebSocket, or until too many requests wait."""
        rest: bytes | memoryview = data if len(data) <= PIECE_BYTES else memoryview(data)
        self._unread = b""
        try:
            while rest:
                if len(self.pipeline) >= MAX_WAITING_REQUESTS:
                    self._unread = bytes(rest)
                    return
                try:
                    self.parser.feed_data(rest[:PIECE_BYTES])
                    rest = rest[PIECE_BYTES:]
                except HttpParserUpgrade as upgrade:
                    rest = memoryview(rest)[upgrade.args[0] :]
                    if not self.take_upgrade(rest):
                        return
        except HttpParserError:
            self.send_400_response("")

    def _write_refusal(self, error: GatewayError, headers: Headers) -> None:
        body = to_openai(error)
        lines = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
            *headers,
        ]
        head = b"".join(b"%b: %b\r\n" % line for line in lines)
        self.transport.write(b"%b%b\r\n%b" % (STATUS_LINE[error.status], head, body))
        self.transport.close()

    def _count_head(self) -> int:
        return len(self.url) + sum(map(len, chain.from_iterable(self.headers)))

    def _too_large(self, what: str = "The address and headers of this request take") -> HeadersTooLarge:
        return HeadersTooLarge(f"{what} more than {self.max_header_bytes} bytes; send fewer or shorter headers.")

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
