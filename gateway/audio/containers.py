"""What a file is, by its first bytes: names and declared types are often wrong."""

from typing import BinaryIO, Literal

Container = Literal[
    "wav", "mp3", "flac", "ogg", "mp4", "webm", "aac", "aiff",
    "au", "caf", "amr", "asf", "avi", "flv", "mpeg", "mpegts",
]  # fmt: skip

HEAD_BYTES = 4096
"""How much of a file is looked at."""

ID3_HEADER_BYTES = 10
TS_PACKET_BYTES = 188

MAGIC: tuple[tuple[int, bytes, Container], ...] = (
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (0, b"\x1aE\xdf\xa3", "webm"),
    (0, b".snd", "au"),
    (0, b"caff", "caf"),
    (0, b"#!AMR", "amr"),
    (0, b"FLV\x01", "flv"),
    (0, b"\x00\x00\x01\xba", "mpeg"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (4, b"ftyp", "mp4"),
    (4, b"moov", "mp4"),
    (4, b"mdat", "mp4"),
    (4, b"wide", "mp4"),
    (4, b"free", "mp4"),
    (4, b"skip", "mp4"),
)
RIFF: dict[bytes, Container] = {b"WAVE": "wav", b"AVI ": "avi"}

DEMUXERS: dict[Container, str] = {"mp4": "mov", "webm": "matroska", "mpeg": "mpeg", "wav": "wav"}
"""FFmpeg's names of the readers, where they are not ours."""


def sniff(head: bytes) -> Container | None:
    """
    Return what begins with these bytes, None when it is nothing known.

    A tag of ID3 must have been skipped; webm stands for all of Matroska, mp4 for all of ISO's and Apple's files.
    """
    if head[:4] in (b"RIFF", b"RF64", b"RIFX"):
        return RIFF.get(head[8:12])
    if head[:4] == b"FORM":
        return "aiff" if head[8:12] in (b"AIFF", b"AIFC") else None
    for at, magic, container in MAGIC:
        if head.startswith(magic, at):
            return container
    if head[:1] == b"G" and head[TS_PACKET_BYTES : TS_PACKET_BYTES + 1] == b"G":
        return "mpegts"
    return sniff_frames(head)


def sniff_frames(head: bytes) -> Container | None:
    """Return what MPEG audio without a container is, even behind padding of zeros."""
    frames = head.lstrip(b"\0")
    if len(frames) < 4 or frames[0] != 0xFF or frames[1] & 0xE0 != 0xE0:
        return None
    version, layer = frames[1] >> 3 & 3, frames[1] >> 1 & 3
    if layer == 0:
        return "aac" if frames[1] & 0xF0 == 0xF0 else None
    bit_rate, sample_rate = frames[2] >> 4, frames[2] >> 2 & 3
    return None if version == 1 or bit_rate == 15 or sample_rate == 3 else "mp3"


def id3_bytes(head: bytes) -> int:
    """Return the length of the ID3v2 tag that a file begins with, 0 without one. It can hold large pictures."""
    if head[:3] != b"ID3" or len(head) < ID3_HEADER_BYTES or max(head[6:10]) > 0x7F:
        return 0
    size = 0
    for digit in head[6:10]:
        size = size << 7 | digit
    footer = ID3_HEADER_BYTES if head[5] & 0x10 else 0
    return ID3_HEADER_BYTES + size + footer


def find_start(source: BinaryIO) -> tuple[int, Container | None]:
    """Return where the audio of a file begins, behind tags of ID3, and what it is."""
    start = 0
    for _ in range(4):
        source.seek(start)
        head = source.read(HEAD_BYTES)
        tag_bytes = id3_bytes(head)
        if not tag_bytes:
            return start, sniff(head)
        start += tag_bytes
    return start, None
