"""
Server-sent events: written one by one, and read incrementally, bytes in and the data of whole events out.

Source: the WHATWG HTML standard, "Server-sent events". Holds no socket and no clock.
"""

from gateway.errors import UpstreamProtocolError

DONE = b"[DONE]"
COMMENT = b": ping\n\n"
MAX_EVENT_BYTES = 32 * 1024 * 1024

LF, CR = b"\n\r"
"""As numbers: whether bytes hold one is seen at once, while to look for bytes in bytes first fails as a number."""

ERROR_EVENT = b"error"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # may open a stream


def event(data: bytes) -> bytes:
    """Return an event without a name."""
    return b"data: %b\n\n" % data


END = event(DONE)
"""What ends a stream of chat's."""


class Decoder:
    """
    Cut a stream into events, whatever the network cut it into before.

    Lines may end in LF, CRLF or CR. Comments, ids and retry hints are dropped. The data of an event named
    ``error`` is wrapped as ``{"error": …}`` when it is not already, so that it reads like any other error.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._pending_bytes = 0
        self._ends_in_cr = False

    def feed(self, data: bytes) -> list[bytes]:
        """Return the data of every event that ``data`` completes; raise UpstreamProtocolError for one too long."""
        if CR in data or self._ends_in_cr:
            data = self._with_line_feeds(data)
        if LF not in data:
            if data:
                self._keep(data)
            return []
        if self._pieces:
            data = b"".join([*self._pieces, data])
            self._pieces.clear()
            self._pending_bytes = 0
        head, blank_line, tail = data.rpartition(b"\n\n")
        if tail:
            self._keep(tail)
        if not blank_line:
            return []
        if head.startswith(b"data: ") and LF not in head:  # One event, as they come when they are paced.
            return [head[6:]] if len(head) > 6 else []
        return [payload for block in head.split(b"\n\n") if (payload := read_block(block))]

    def finish(self) -> list[bytes]:
        """Return the data of a last event that lacks its blank line."""
        return self.feed(b"\n\n")

    def _keep(self, data: bytes) -> None:
        self._pieces.append(data)
        self._pending_bytes += len(data)
        if self._pending_bytes > MAX_EVENT_BYTES:
            raise UpstreamProtocolError("GLM sent an event of more than 32 MB.")

    def _with_line_feeds(self, data: bytes) -> bytes:
        if self._ends_in_cr and data:
            # The CR was passed on as LF already; an LF that follows belongs to the same line end.
            data = data.removeprefix(b"\n")
            self._ends_in_cr = False
        if data.endswith(b"\r"):
            self._ends_in_cr = True
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def read_block(block: bytes) -> bytes:
    """Return the data of one event, empty when it has none."""
    if block.startswith(b"data: ") and LF not in block:
        return block[6:]
    lines = [line.partition(b":") for line in block.removeprefix(BYTE_ORDER_MARK).split(b"\n")]
    payload = b"\n".join(value.removeprefix(b" ") for name, _, value in lines if name == b"data")
    if not payload:
        return b""
    names = [value.strip() for name, _, value in lines if name == b"event"]
    if names and names[-1] == ERROR_EVENT and b'"error"' not in payload:
        return b'{"error":%b}' % payload
    return payload
