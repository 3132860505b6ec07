"""Compressed answers are unpacked as they arrive."""

import gzip
import zlib
from collections.abc import Callable

import httpx
import pytest

from gateway.upstream.packed import MAX_PIECE_BYTES, Unpacked
from gateway.upstream.wire import Piece, Sink

TEXT = "data: 你好\n\n".encode() * 100


class Pieces:
    """A body in pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces
        self.closed = False

    async def read(self) -> Piece:
        return (self._pieces.pop(0), True) if self._pieces else (b"", False)

    def pour_into(self, sink: Sink) -> None:
        """Leave everything to ``read``."""

    async def aclose(self) -> None:
        self.closed = True


async def unpacked(*pieces: bytes) -> list[bytes]:
    body = Unpacked(Pieces(list(pieces)))
    read = []
    while piece := (await body.read())[0]:
        read.append(piece)
    return read


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_text_is_the_same_however_the_network_cuts_it(pack: Callable[[bytes], bytes], size: int) -> None:
    packed = pack(TEXT)

    assert TEXT == b"".join(await unpacked(*(packed[at : at + size] for at in range(0, len(packed), size))))


async def test_event_is_there_as_soon_as_it_was_sent() -> None:
    """Whoever packs a stream flushes after each event."""
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    events = [b"data: 1\n\n", b"data: 2\n\n"]
    sent = [packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH) for event in events]

    assert events == await unpacked(*sent, packer.flush())


@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_gzip_may_have_any_number_of_members(size: int) -> None:
    """So does who packs each event by itself; zeros that fill up a block are nobody's."""
    packed = b"".join(gzip.compress(event) for event in (b"data: 1\n\n", b"", b"data: 2\n\n")) + bytes(30)

    read = await unpacked(*(packed[at : at + size] for at in range(0, len(packed), size)))

    assert b"data: 1\n\ndata: 2\n\n" == b"".join(read)


async def test_last_member_has_to_be_whole() -> None:
    with pytest.raises(httpx.DecodingError):
        await unpacked(gzip.compress(TEXT) + gzip.compress(TEXT)[:-9])


async def test_little_does_not_become_much_at_once() -> None:
    read = await unpacked(gzip.compress(b"\0" * 10 * MAX_PIECE_BYTES))

    assert MAX_PIECE_BYTES == max(map(len, read))


async def test_nothing_is_nothing() -> None:
    """An empty body has no head of gzip's either."""
    assert [] == await unpacked()


@pytest.mark.parametrize("packed", [b"nothing of the kind", gzip.compress(TEXT)[:-9]], ids=["plain", "cut"])
async def test_what_cannot_be_unpacked_is_an_error(packed: bytes) -> None:
    with pytest.raises(httpx.DecodingError):
        await unpacked(packed)


async def test_body_is_let_go_of() -> None:
    body = Pieces([])

    await Unpacked(body).aclose()

    assert body.closed
