"""
Pictures and sound inside messages: what is taken, and what their headers tell. Fetches nothing.

Source: docs.bigmodel.cn, chat completion reference, content parts.
"""

import base64
import binascii
import ipaddress
from typing import Any, Literal
from urllib.parse import urlsplit

from msgspec import Struct

from gateway.simulator.models import ChatModel
from gateway.simulator.refusals import UNREADABLE_MEDIA, Refusal

_LARGEST_IMAGE_BYTES = 5 * 1024 * 1024
_LARGEST_SIDE = 6000
_PNG = b"\x89PNG\r\n\x1a\n"
_FRAME_HEADERS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # JPEG SOFn; the three others are no frames


class Picture(Struct, frozen=True):
    """What a picture's header says; sides in pixels."""

    kind: str
    width: int
    height: int


def check_image_url(path: str, url: Any, model: ChatModel) -> None:
    """Refuse a picture that is not a reachable address, nor base64 of a jpg or png the model takes."""
    if not isinstance(url, str) or not url:
        raise Refusal("1214", path)
    if is_address(url):
        check_url(path, url)
        return
    if not model.base64_images:
        raise Refusal("1210", f"{path}: base64 is not supported by {model.id}")
    content = decoded(url)
    picture = read_picture(content) if content is not None else None
    if content is None or picture is None:
        raise Refusal("1210", wording=UNREADABLE_MEDIA)
    if len(content) > _LARGEST_IMAGE_BYTES or max(picture.width, picture.height) > _LARGEST_SIDE:
        raise Refusal("1210", f"{path}: at most 5 MB and 6000 x 6000")


def check_url(path: str, url: Any) -> None:
    """Refuse what is not an http(s) address, or one the platform cannot reach from where it is."""
    if not isinstance(url, str) or not is_address(url):
        raise Refusal("1214", path)
    host = urlsplit(url).hostname or ""
    if host in {"", "localhost"} or host.endswith((".local", ".internal")) or _is_private(host):
        raise Refusal("1210", wording=UNREADABLE_MEDIA)


def check_audio(path: str, data: Any, *, kind: Any) -> None:
    """Refuse sound that is not bare base64 of a wav or mp3, as ``kind`` says."""
    if kind not in {"wav", "mp3"}:
        raise Refusal("1214", f"{path}.format")
    content = decoded(data) if isinstance(data, str) and not data.startswith("data:") else None
    if content is None or sound_kind(content) != kind:
        raise Refusal("1214", f"{path}.data")


def is_address(url: str) -> bool:
    """Tell an address from base64."""
    return url.startswith(("http://", "https://"))


def decoded(url: str) -> bytes | None:
    """Decode base64, bare or as a data URI; None when it is neither."""
    payload = url.partition(",")[2] if url.startswith("data:") else url
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        return None


def sound_kind(content: bytes) -> Literal["wav", "mp3"] | None:
    """Tell ``wav`` from ``mp3`` by the first bytes; None for anything else."""
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return "wav"
    if content[:3] == b"ID3" or (len(content) > 1 and content[0] == 0xFF and content[1] & 0xE0 == 0xE0):
        return "mp3"
    return None


def read_picture(content: bytes) -> Picture | None:
    """Read the header of a png or jpg; None when it is neither."""
    if content.startswith(_PNG) and len(content) >= 24:
        return Picture("png", int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big"))
    if content.startswith(b"\xff\xd8\xff"):
        return _read_jpeg(content)
    return None


def _read_jpeg(content: bytes) -> Picture | None:
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker in _FRAME_HEADERS:
            height, width = content[at + 5 : at + 7], content[at + 7 : at + 9]
            return Picture("jpeg", int.from_bytes(width, "big"), int.from_bytes(height, "big"))
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return None


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False
