"""What headers of pictures and sounds tell."""

import base64
import zlib

import pytest

from gateway.simulator.chat.media import Picture, decoded, read_picture, sound_kind


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\x00\x00\x00"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b"")


def _jpeg(width: int, height: int, *, frame: int = 0xC0) -> bytes:
    application = b"\xff\xe0\x00\x10JFIF\x00" + bytes(9)
    tables = b"\xff\xc4\x00\x04\x00\x00"
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return b"\xff\xd8" + application + tables + b"\xff" + bytes([frame]) + b"\x00\x0b\x08" + size + bytes(20)


@pytest.mark.parametrize(
    ("content", "picture"),
    [
        pytest.param(_png(640, 480), Picture("png", 640, 480), id="png"),
        pytest.param(_jpeg(1024, 768), Picture("jpeg", 1024, 768), id="jpeg"),
        pytest.param(_jpeg(10, 20, frame=0xC2), Picture("jpeg", 10, 20), id="progressive jpeg"),
        pytest.param(b"\xff\xd8\xff", None, id="jpeg without a frame"),
        pytest.param(b"\x89PNG\r\n\x1a\n", None, id="png without a header"),
        pytest.param(b"GIF89a" + bytes(20), None, id="gif"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_picture_is_read_from_its_header(content: bytes, picture: Picture | None) -> None:
    """Kind and sides come from the first bytes; what is neither png nor jpg is none."""
    assert read_picture(content) == picture


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_base64_is_decoded_bare_and_as_a_data_uri(prefix: str) -> None:
    """Both forms in use are read."""
    assert decoded(prefix + base64.b64encode(b"picture").decode()) == b"picture"


@pytest.mark.parametrize("text", ["not base64!", "data:image/png;base64,%%%", "abc", "é"])
def test_nothing_is_decoded_when_it_is_no_base64(text: str) -> None:
    """Anything else is none."""
    assert decoded(text) is None


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"RIFF\x00\x00\x00\x00WAVE", "wav"),
        (b"ID3\x04", "mp3"),
        (b"\xff\xfb\x90", "mp3"),
        (b"OggS", None),
        (b"", None),
    ],
)
def test_sound_is_told_by_its_first_bytes(content: bytes, kind: str | None) -> None:
    """Wav and mp3 are known."""
    assert sound_kind(content) == kind
