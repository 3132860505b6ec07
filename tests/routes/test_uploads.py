"""Forms at their edges: in pieces of any size, in any order, torn, too large, and of no kind at all."""

import asyncio
import io
import itertools
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import InvalidRequest, PayloadTooLarge, UnsupportedMediaType
from gateway.routes.recording import SpooledRecording
from gateway.routes.uploads import read_upload
from gateway.translate.transcriptions.upload import Upload
from tests.forms import FORM_TYPE, form

SOUND = b"RIFF\r\n--" + bytes(range(256)) * 20 + b"\r\n------x7"


FORM = form(
    ('name="file"; filename="upload"\r\nContent-Type: text/html', SOUND),
    ('name="model"', b"whisper-1"),
    ('name="timestamp_granularities[]"', b"segment"),
    ('name="timestamp_granularities[]"', b"word"),
    ('name="chunking_strategy[type]"', b"server_vad"),
    ('name="prompt"', "Grüße".encode()),
)


class Sent:
    """A caller that sends these pieces."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = list(pieces)
        self.recordings: list[SpooledRecording] = []

    async def receive(self) -> Any:
        piece = self._pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(self._pieces)}

    def make(self, param: str) -> SpooledRecording:
        self.recordings.append(SpooledRecording(max_seconds=60, max_work_seconds=10, param=param))
        return self.recordings[-1]

    async def read_json(self, _scope: Any, _receive: Any) -> bytes:
        return b"".join(self._pieces)

    def close(self) -> None:
        for recording in self.recordings:
            recording.close()


async def upload(
    pieces: Sequence[bytes],
    *,
    content_type: str = FORM_TYPE,
    max_bytes: int = 100_000,
    **headers: str,
) -> tuple[Upload, bytes]:
    """Read an upload; give it and what the recording holds."""
    sent = Sent(pieces)
    given_headers = {"content-type": content_type} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    scope: Any = {"headers": [(name.encode(), value.encode()) for name, value in given_headers.items()]}
    try:
        read = await read_upload(
            scope, sent.receive, make=sent.make, max_bytes=max_bytes, read_json=sent.read_json
        )
        for recording in sent.recordings:
            recording.file.seek(0)
        return read, b"".join(recording.file.read() for recording in sent.recordings)
    finally:
        sent.close()


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, len(FORM)), max_size=12))
async def test_a_form_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    """The network may cut anywhere, even inside the line between two fields."""
    places = [0, *sorted(cuts), len(FORM)]
    pieces = [FORM[a:b] for a, b in itertools.pairwise(places)]

    read, sound = await upload(pieces)

    assert SOUND == sound
    assert {
        "model": "whisper-1",
        "timestamp_granularities": ["segment", "word"],
        "chunking_strategy": {"type": "server_vad"},
        "prompt": "Grüße",
    } == read.fields


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, len(FORM)), more=st.binary(max_size=30), gone=st.integers(0, 40))
async def test_a_damaged_form_is_read_or_is_the_callers_fault(at: int, more: bytes, gone: int) -> None:
    damaged = FORM[:at] + more + FORM[at + gone :]

    with suppress(InvalidRequest, PayloadTooLarge):
        await upload([damaged])


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (FORM[:-20], InvalidRequest),
        (FORM[:3000], InvalidRequest),
        (b"", InvalidRequest),
        (b"no form at all", InvalidRequest),
        (form(*[(f'name="f{n}"', b"x") for n in range(1_100)]), PayloadTooLarge),
        (form(('name="file"', b"a"), ('name="file"', b"b")), InvalidRequest),
        (form(('name="prompt"', b"\xff\xfe")), InvalidRequest),
    ],
    ids=["torn end", "torn file", "empty", "text", "many fields", "two files", "not UTF-8"],
)
async def test_what_is_no_form_is_refused(body: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        await upload([body])


async def test_text_that_is_none_is_told_by_its_field() -> None:
    with pytest.raises(InvalidRequest) as refused:
        await upload([form(('name="prompt"', b"\xff\xfe"))])

    assert "prompt" == refused.value.param


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "big5", "shift-jis", "latin-1"])
async def test_the_name_of_a_file_may_be_in_any_encoding(encoding: str) -> None:
    """On Windows curl writes it in that of the system, and nobody reads it here."""
    name = "Grüße" if encoding == "latin-1" else "一"
    body = FORM.replace(b"upload", name.encode(encoding) + b".wav")
    body = body.replace(b"prompt", "名前".encode())

    read, sound = await upload([body])

    assert sound == SOUND
    assert read.fields["名前"] == "Grüße"


async def test_too_much_is_refused_before_it_is_read_where_that_was_declared() -> None:
    with pytest.raises(PayloadTooLarge):
        await upload([], content_length="10000000000")
    with pytest.raises(PayloadTooLarge):
        await upload([FORM] * 30)
    with pytest.raises(PayloadTooLarge):
        await upload([form(('name="prompt"', b"x" * 1_100_000))], max_bytes=10_000_000)


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "audio/wav"])
async def test_other_bodies_are_refused_as_such(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        await upload([FORM], content_type=content_type)


async def test_a_form_needs_its_boundary_and_no_compression() -> None:
    with pytest.raises(InvalidRequest, match="boundary"):
        await upload([FORM], content_type="multipart/form-data")
    with pytest.raises(UnsupportedMediaType):
        await upload([FORM], content_encoding="gzip")


async def test_a_file_larger_than_what_is_kept_in_memory_is_whole() -> None:
    sound = bytes(range(256)) * 20_000
    body = form(('name="file"; filename="a.wav"', sound))

    _, found = await upload([body[at : at + 65_536] for at in range(0, len(body), 65_536)], max_bytes=10_000_000)

    assert sound == found


async def test_recording_that_is_being_written_is_closed_after_that() -> None:
    """Its caller may leave meanwhile; the file must not be taken from under the thread that writes."""

    class Slow(io.BytesIO):
        entered, leave = threading.Event(), threading.Event()

        def write(self, data: Any) -> int:
            self.entered.set()
            self.leave.wait(10)
            return super().write(data)

    sent, slow = Sent([FORM]), Slow()

    def make(param: str) -> SpooledRecording:
        recording = sent.make(param)
        recording.file.close()
        recording.file = slow
        return recording

    scope: Any = {"headers": [(b"content-type", FORM_TYPE.encode())]}
    reading = asyncio.get_running_loop().create_task(
        read_upload(scope, sent.receive, make=make, max_bytes=100_000, read_json=sent.read_json)
    )
    await asyncio.to_thread(slow.entered.wait, 10)
    reading.cancel()
    await asyncio.wait([reading])

    sent.close()

    assert not slow.closed
    slow.leave.set()
    async with asyncio.timeout(10):
        while not slow.closed:  # noqa: ASYNC110 - a thread closes it, and tells nobody
            await asyncio.sleep(0.001)
