"""HTTP/1.1 as uvicorn reads it, and requests that ask for another protocol, whose bodies it loses."""

import asyncio
from typing import cast

from httptools import HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle


class UpgradableHttp(HttpToolsProtocol):
    """
    One connection, which becomes a WebSocket's where a request opens one.

    Other requests that ask for another protocol are read as if they did not, as RFC 9110, 7.8, allows. Java's
    HttpClient asks for HTTP/2 with its first.
    """

    def _should_upgrade(self) -> bool:
        """Have uvicorn begin nothing for such a request; the parser stops behind its head."""
        return True

    def take_upgrade(self, rest: memoryview) -> bool:
        """
        Begin with a request that asks for another protocol, behind whose head is ``rest``.

        Tells whether that is still HTTP, and to be read.
        """
        if self._opens_socket():
            self.handle_websocket_upgrade()
            self._pass_on(bytes(rest))
        elif self.scope["method"] == "CONNECT":
            self.send_400_response("")
        else:
            self._read_head_anew()
            return True
        return False

    def _opens_socket(self) -> bool:
        """Whether this is the handshake of a WebSocket, which has no body, and all before it is answered."""
        said = dict(self.headers)
        cycle: RequestResponseCycle | None = self.cycle
        return (
            self._should_upgrade_to_ws()
            and (cycle is None or cycle.response_complete)
            and said.get(b"upgrade", b"").lower() == b"websocket"
            and said.get(b"content-length", b"0") == b"0"
            and b"transfer-encoding" not in said
        )

    def _pass_on(self, rest: bytes) -> None:
        """Give a WebSocket what came with its handshake: some clients do not wait until they may speak."""
        protocol = self.transport.get_protocol() if rest and not self.transport.is_closing() else self
        if protocol is not self:
            cast("asyncio.Protocol", protocol).data_received(rest)

    def _read_head_anew(self) -> None:
        first = f"{self.scope['method']} %b HTTP/{self.scope['http_version']}\r\n".encode() % self.url
        lines = [b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self.parser.feed_data(b"".join((first, *lines, b"\r\n")))
