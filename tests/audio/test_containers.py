from io import BytesIO

import pytest

from gateway.audio import sniff
from gateway.audio.containers import find_start
from tests.recordings import CONTAINERS, packed, tone

EXPECTED = {
    "mpga": "mp3", "opus": "ogg", "m4a": "mp4", "mov": "mp4", "mkv": "webm", "ts": "mpegts",
    "float.wav": "wav", "mulaw.wav": "wav",
}  # fmt: skip


def id3(*, size: int, footer: bool = False) -> bytes:
    digits = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x04\x00" + (b"\x10" if footer else b"\x00") + digits + bytes(size + 10 * footer)


@pytest.mark.parametrize("kind", CONTAINERS)
def test_every_container_is_known_by_its_first_bytes(kind: str) -> None:
    assert EXPECTED.get(kind, kind) == find_start(BytesIO(packed(tone(), kind)))[1]


@pytest.mark.parametrize(
    "head",
    [b"", b"RIFF", b"RIFF\0\0\0\0WEBP", b"FORM\0\0\0\0ILBM", b"#EXTM3U\n", b"ffconcat version 1.0\n", b"%PDF-1.7",
     b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"Example data", b"\xff\xff\xff\xff", b"G" * 10, bytes(4096)],
)  # fmt: skip
def test_what_is_no_audio_is_not_taken_for_it(head: bytes) -> None:
    assert sniff(head) is None


def test_padding_before_the_first_frame_is_looked_through() -> None:
    assert sniff(bytes(100) + packed(tone(), "aac")) == "aac"


@pytest.mark.parametrize(("size", "footer"), [(0, False), (257, False), (300_000, True)])
def test_tags_of_id3_are_skipped_however_large_their_pictures(size: int, footer: bool) -> None:  # noqa: FBT001
    tag = id3(size=size, footer=footer)

    assert (len(tag), "flac") == find_start(BytesIO(tag + packed(tone(), "flac")))


def test_tags_without_end_are_no_audio() -> None:
    assert find_start(BytesIO(id3(size=0) * 100))[1] is None
