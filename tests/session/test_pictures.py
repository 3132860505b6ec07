"""Pictures made to fit."""

import io
import struct
import zlib

import av
import pytest

from gateway.errors import InvalidRequest
from gateway.session.pictures import jpeg_of


def png(width: int, height: int) -> bytes:
    """Give a picture that is darker on one side."""
    rows = b"".join(b"\0" + bytes(255 * x // width for x in range(width)) for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )


def seen(jpeg: bytes) -> av.VideoFrame:
    with av.open(io.BytesIO(jpeg), "r", format="jpeg_pipe") as container:
        return next(container.decode(video=0))


@pytest.mark.parametrize(
    ("size", "expected"),
    [((64, 48), (64, 48)), ((2000, 1000), (500, 250)), ((3, 1000), (2, 500)), ((1, 1), (2, 2))],
)
def test_picture_becomes_a_jpeg_that_fits(size: tuple[int, int], expected: tuple[int, int]) -> None:
    """What was dark is dark, and no side is longer than it may be."""
    frame = seen(jpeg_of(png(*size), max_side=500))

    assert expected == (frame.width, frame.height)
    if frame.width > 2:
        row = bytes(frame.planes[0])[: frame.width]
        assert row[0] < 40
        assert row[-1] > 215


@pytest.mark.parametrize("data", [b"", b"<svg/>", png(64, 64)[:40], b"GIF89a", b"\xff\xd8\xff\xd9"])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest, match="cannot be read"):
        jpeg_of(data, max_side=500)


def test_picture_of_a_small_file_and_a_giant_size_is_refused() -> None:
    """It would take gigabytes."""
    giant = png(1, 1).replace(struct.pack(">II", 1, 1), struct.pack(">II", 60_000, 60_000))
    with pytest.raises(InvalidRequest, match="cannot be read"):
        jpeg_of(giant, max_side=500)
