"""Bodies: read within bounds of size, whatever their headers claim."""

import asyncio
from typing import Any

import pytest

from gateway.errors import PayloadTooLarge, UnsupportedMediaType
from gateway.routes.body import check_media_type, read_body
from gateway.routes.watch import CallerLeftError


def scope(**headers: str) -> Any:
    return {"headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]}


def pieces(*bodies: bytes, ends: bool = True) -> Any:
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": one, "more_body": not ends or number < len(bodies)}
        for number, one in enumerate(bodies, 1)
    ]

    async def receive() -> dict[str, Any]:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    return receive


@pytest.mark.parametrize("parts", [(b"",), (b"abc",), (b"a", b"", b"bc")])
async def test_body_is_read_whole(parts: tuple[bytes, ...]) -> None:
    assert b"".join(parts) == await read_body(scope(), pieces(*parts), max_bytes=3)


async def test_body_is_refused_unread_when_its_declared_length_is_too_large() -> None:
    with pytest.raises(PayloadTooLarge, match="more than the 3 bytes"):
        await read_body(scope(content_length="4"), pieces(), max_bytes=3)


async def test_body_is_refused_when_it_grows_too_large() -> None:
    """A body in chunks declares no length."""
    with pytest.raises(PayloadTooLarge):
        await read_body(scope(), pieces(b"ab", b"cd", ends=False), max_bytes=3)


@pytest.mark.parametrize("length", ["", "-1", "x", "²"])
async def test_length_is_not_believed_when_it_is_no_number(length: str) -> None:
    assert b"abc" == await read_body(scope(content_length=length), pieces(b"abc"), max_bytes=3)


async def test_departure_is_noticed_inside_a_body() -> None:
    async def receive() -> Any:
        return {"type": "http.disconnect"}

    with pytest.raises(CallerLeftError):
        await read_body(scope(), receive, max_bytes=3)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content_type": "application/json"},
        {"content_type": "Application/JSON; charset=utf-8"},
        {"content_type": "application/vnd.api+json", "content_encoding": "identity"},
    ],
)
def test_json_is_taken(headers: dict[str, str]) -> None:
    check_media_type(scope(**headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": "text/plain"},
        {"content_type": ""},
        {"content_type": "multipart/form-data; boundary=x"},
        {"content_type": "application/json", "content_encoding": "gzip"},
    ],
)
def test_other_media_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(UnsupportedMediaType, match="Send the body"):
        check_media_type(scope(**headers))
