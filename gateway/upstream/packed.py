"""Compressed answers: GLM is asked for none, but what stands before it may send them all the same."""

import zlib

import httpx

from gateway.upstream.wire import Body, Piece, Sink

PACKINGS = frozenset({b"gzip", b"x-gzip", b"deflate"})
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
MEMBER = b"\x1f"
"""What each member of gzip begins with."""

MAX_PIECE_BYTES = 256 * 1024
"""What is unpacked at a time, however much a few bytes would become."""


class Unpacked:
    """The body of an answer that comes in one of ``PACKINGS``, unpacked as it arrives."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._inflater = zlib.decompressobj(GZIP_OR_ZLIB)
        self._packed = b""
        self._begun = False

    async def read(self) -> Piece:
        """Return what can be unpacked of what has arrived; see the port. Raises DecodingError for what cannot."""
        while True:
            more = True
            while not self._packed and more:
                self._packed, more = await self._body.read()
            if not self._packed:
                return self._end()
            self._begun = True
            if self._inflater.eof and not self._begin_member():
                continue
            try:
                piece = self._inflater.decompress(self._packed, MAX_PIECE_BYTES)
            except zlib.error as error:
                raise httpx.DecodingError(f"Not packed as it says: {error}") from error
            self._packed = self._inflater.unconsumed_tail or self._inflater.unused_data
            if piece:
                return piece, True

    def pour_into(self, sink: Sink) -> None:
        """Leave everything to ``read``."""

    async def aclose(self) -> None:
        """Let go of it."""
        await self._body.aclose()

    def _begin_member(self) -> bool:
        """Begin with another member, as gzip may have any number; what else follows the last is dropped."""
        if not self._packed.startswith(MEMBER):
            self._packed = b""
            return False
        self._inflater = zlib.decompressobj(GZIP_OR_ZLIB)
        return True

    def _end(self) -> Piece:
        if self._begun and not self._inflater.eof:
            raise httpx.DecodingError("The answer ends before what is packed in it does.")
        return b"", False
