"""WebSockets as uvicorn speaks them, whose refusals have the body of every error, and are told of like others."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ClassVar

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.http11 import MAX_LINE_LENGTH, MAX_NUM_HEADERS, Response
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import StatusLike

from gateway.errors import GatewayError, HeadersTooLarge, InvalidRequest, MethodNotAllowed
from gateway.server.http import Headers, Refuse, refuse_unnoticed
from gateway.server.lifecycle import SOCKET_AT_ONCE
from gateway.translate.errors import to_openai


class PlainSocket(WebSocketsSansIOProtocol):
    """
    One connection.

    A handshake that is none is answered as any bad request; ``refuse`` is told of it. Text that is not UTF-8 ends
    the connection with 1007, which is the client's fault and nothing to log.
    """

    refuse: ClassVar[Refuse] = staticmethod(refuse_unnoticed)

    @classmethod
    def of(cls, *, refuse: Refuse) -> type["PlainSocket"]:
        """Return the protocol that tells of refusals."""
        return type("PlainSocket", (cls,), {"refuse": staticmethod(refuse)})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = _Handshake(
            extensions=self.conn.available_extensions,
            max_size=self.config.ws_max_size,
            logger=self.conn.logger,
            refuse=type(self).refuse,
        )
        self._take: Callable[[str | bytes], bool] | None = None

    async def run_asgi(self) -> None:
        """Run the application, which may send and be told of messages without a task that wakes up for each."""
        extensions = self.scope["extensions"]
        extensions[SOCKET_AT_ONCE] = {
            "is_ready": self._is_ready,
            "write": self._write,
            "pour_into": self._pour_into,
        }
        try:
            await super().run_asgi()
        finally:
            del extensions[SOCKET_AT_ONCE]  # This knows the scope; each would keep the other.

    def data_received(self, data: bytes) -> None:
        """Take what came; a handshake that cannot be read is answered too, where uvicorn would wait for ever."""
        super().data_received(data)
        if not self.handshake_initiated and self.conn.handshake_exc is not None:
            self._refuse_unread()

    def handle_cont(self, event: Frame) -> None:
        """Put a message together as it comes: of its frames there may be any number, of one byte or of none."""
        begun: Any = self.frames[0]
        if not isinstance(begun, bytearray):
            begun = bytearray(begun)
            self.frames = [begun]
        begun += event.data
        if event.fin:
            self.send_receive_event_to_app()

    def handle_ping(self) -> None:
        """Answer; who does not read the answers is not asked on for more."""
        if not self.handshake_complete:
            self.conn.data_to_send()  # Nothing may stand before the answer to the handshake.
            return
        super().handle_ping()
        if not self.writable.is_set() and not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def handle_close(self, event: Frame) -> None:
        """Agree; who closes before the handshake is answered has left."""
        super().handle_close(event)
        if not self.handshake_complete:
            self.disconnected = True

    def handle_parser_exception(self) -> None:
        """End the connection with the close code for it, or with an error where no handshake has been answered."""
        if self.conn.close_sent is not None:
            super().handle_parser_exception()
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": CloseCode.ABNORMAL_CLOSURE})
        self.close_sent = self.handshake_complete = self.disconnected = True
        self.conn.data_to_send()
        self._refuse_unread()

    def resume_writing(self) -> None:
        """Go on, and read on, unless the application is behind."""
        super().resume_writing()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self.transport.resume_reading()

    def _refuse_unread(self) -> None:
        answer = b"".join(self.conn.data_to_send())  # none for what websockets does not take for HTTP
        if not answer:
            answer = self.conn.reject(HTTPStatus.BAD_REQUEST, "unreadable").serialize()
        self.transport.write(answer)
        self.transport.close()

    def send_receive_event_to_app(self) -> None:
        """
        Hand over a message, unless its text cannot be read.

        Reading stops once the application is a message behind. uvicorn stops it for every message, which is two
        system calls for each.
        """
        data = b"".join(self.frames)
        self.frames = []
        if self.close_sent:
            return
        message: str | bytes = data
        if self.curr_msg_data_type == "text":
            try:
                message = data.decode()
            except UnicodeDecodeError:
                self.conn.fail(CloseCode.INVALID_DATA, "text is not UTF-8")
                self.handle_parser_exception()
                return
        if self._take is not None and self.queue.empty() and self._take(message):
            return
        event: Any = {"type": "websocket.receive", self.curr_msg_data_type: message}
        self.queue.put_nowait(event)
        if self.queue.qsize() > 1 and not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def _pour_into(self, take: Callable[[str | bytes], bool] | None) -> None:
        self._take = take

    def _is_ready(self) -> bool:
        return self.writable.is_set()

    def _write(self, data: bytes) -> None:
        if self.close_sent or self.transport.is_closing() or self.conn.state is not State.OPEN:
            return  # Whoever receives is told.
        self.conn.send_text(data)
        self.transport.write(b"".join(self.conn.data_to_send()))


class _Handshake(ServerProtocol):
    def __init__(self, *, refuse: Refuse, **settings: Any) -> None:
        super().__init__(**settings)
        self._refuse = refuse

    def reject(self, status: StatusLike, text: str) -> Response:
        """Return the answer to what is not a WebSocket handshake, and to an application that gives none."""
        response = super().reject(status, text)
        if not text or response.status_code >= 500:
            return response  # uvicorn's own, as the application failed or said nothing.
        error = _error_of(response.status_code)
        response.status_code, response.reason_phrase = error.status, HTTPStatus(error.status).phrase
        response.body = to_openai(error)
        del response.headers["Content-Length"], response.headers["Content-Type"]
        lines: Headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(response.body)),
            *self._refuse(error),
        ]
        for name, value in lines:
            response.headers[name.decode()] = value.decode()
        return response


def _error_of(status: int) -> GatewayError:
    if status == MethodNotAllowed.status:
        return MethodNotAllowed("A WebSocket is opened with GET.")
    if status in (HTTPStatus.REQUEST_URI_TOO_LONG, HeadersTooLarge.status):
        return HeadersTooLarge(
            f"The address of a WebSocket, and each of its headers, may take {MAX_LINE_LENGTH} bytes, "
            f"and there may be {MAX_NUM_HEADERS} headers; send fewer or shorter ones."
        )
    return InvalidRequest(
        "This is not a valid WebSocket handshake: it needs 'Upgrade: websocket', 'Connection: Upgrade', "
        "'Sec-WebSocket-Version: 13' and a 'Sec-WebSocket-Key' of 16 bytes in base64. Let a WebSocket library "
        "write it."
    )
