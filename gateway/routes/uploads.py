"""Uploads: forms with a file in them, streamed to disk and never whole in memory, or the same as JSON."""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar.types import Receive, Scope
from msgspec import Struct
from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from gateway.errors import InvalidRequest, PayloadTooLarge, UnsupportedMediaType
from gateway.routes.azure import deployment_of
from gateway.routes.body import check_encoding, check_length, piece_of, too_large
from gateway.routes.recording import SpooledRecording
from gateway.translate.transcriptions.upload import Upload, fields_of

FILE = "file"
MODEL = "model"
FORM = "multipart/form-data"
MAX_FIELDS = 1_000
MAX_TEXT_BYTES = 1024 * 1024
"""How much all fields but the file may hold together."""

MAX_SHOWN_CHARACTERS = 64

WRITE_BYTES = 512 * 1024
"""How much is gathered before a thread writes it."""

ReadJson = Callable[[Scope, Receive], Awaitable[bytes]]
MakeRecording = Callable[[str], SpooledRecording]


class UploadLimits(Struct, frozen=True, kw_only=True):
    """The largest upload, the longest recording, and how much of the processor's time one may take."""

    max_bytes: int
    max_seconds: float
    max_work_seconds: float


async def read_upload(
    scope: Scope, receive: Receive, *, make: MakeRecording, max_bytes: int, read_json: ReadJson
) -> Upload:
    """
    Return what a caller uploads; ``make`` makes the recording to fill, by the name of its field.

    Raises UnsupportedMediaType, PayloadTooLarge, InvalidRequest, BodyTooSlow, NoRoom or CallerLeftError.
    """
    headers = dict(scope["headers"])
    kind, options = parse_options_header(headers.get(b"content-type", b"").decode("latin-1"))
    if kind == "application/json" or kind.endswith("+json"):
        return await read_json_upload(await read_json(scope, receive), make=make)
    if kind != FORM:
        raise UnsupportedMediaType(
            "Send the recording as a multipart form, with the header 'Content-Type: multipart/form-data'."
        )
    check_encoding(headers.get(b"content-encoding", b""))
    check_length(headers.get(b"content-length", b""), max_bytes=max_bytes)
    form = FormReader(make=make, max_bytes=max_bytes, named=deployment_of(scope))
    return await form.read(receive, boundary=options.get("boundary", ""))


class FormReader:
    """
    Reads one form: its file goes to disk, its fields into memory.

    ``named`` is the model that the address names, None where the form does.
    """

    def __init__(self, *, make: MakeRecording, max_bytes: int, named: str | None = None) -> None:
        self._named = named
        self._make = make
        self._max_bytes = max_bytes
        self._received_bytes = 0
        self._text_bytes = 0
        self._form: list[tuple[str, str]] = []
        self._recording: SpooledRecording | None = None
        self._name = ""
        self._text = bytearray()
        self._waiting = bytearray()

    async def read(self, receive: Receive, *, boundary: str) -> Upload:
        """Return the upload, once all of it is there."""
        if not boundary:
            raise InvalidRequest(
                "The header 'Content-Type' has no boundary. Let the HTTP library write it for the form."
            )
        try:
            # The name of a file may be in any encoding: curl on Windows writes it in that of the system.
            with PushMultipartParser(boundary, max_segment_count=MAX_FIELDS, header_charset="latin-1") as parser:
                more = True
                while more:
                    data, more = piece_of(await receive())
                    self._count(len(data))
                    if data:
                        for found in parser.parse(data):
                            self._take(found)
                    if len(self._waiting) >= WRITE_BYTES:
                        await self._write()
        except ParserLimitReached as error:
            raise PayloadTooLarge(f"The form is out of bounds: {error}. Send fewer fields.") from error
        except MultipartError as error:
            raise InvalidRequest("The body is not a whole multipart form. Send all of it, as declared.") from error
        await self._write()
        if self._named is not None:
            self._form = [*((name, value) for name, value in self._form if name != MODEL), (MODEL, self._named)]
        return Upload(fields=fields_of(self._form), is_form=True, recording=self._recording)

    def _count(self, size_bytes: int) -> None:
        self._received_bytes += size_bytes
        if self._received_bytes > self._max_bytes:
            raise too_large(self._max_bytes)

    def _take(self, found: MultipartSegment | bytes | bytearray | None) -> None:
        """Take the head of a field, a part of what it holds, or its end."""
        if isinstance(found, MultipartSegment):
            self._name = (found.name or "").encode("latin-1").decode(errors="replace")
            if self._name == FILE:
                self._begin_file()
        elif self._name == FILE:
            self._waiting += found or b""
        elif found is not None:
            self._take_text(found)
        else:
            self._form.append((self._name, self._decoded()))
            self._text.clear()

    def _begin_file(self) -> None:
        if self._recording is not None:
            raise InvalidRequest("There are several files. Send one recording.", param=FILE, code="invalid_value")
        self._recording = self._make(FILE)

    def _take_text(self, data: bytes | bytearray) -> None:
        self._text_bytes += len(data)
        if self._text_bytes > MAX_TEXT_BYTES:
            raise PayloadTooLarge(f"The fields beside the file have more than {MAX_TEXT_BYTES} bytes. Send less.")
        self._text += data

    def _decoded(self) -> str:
        try:
            return self._text.decode()
        except UnicodeDecodeError as error:
            name = self._name[:MAX_SHOWN_CHARACTERS]
            raise InvalidRequest(f"'{name}' is not text in UTF-8.", param=name, code="invalid_value") from error

    async def _write(self) -> None:
        if self._waiting and self._recording is not None:
            data, self._waiting = self._waiting, bytearray()
            await asyncio.to_thread(self._recording.write, data)


async def read_json_upload(body: bytes, *, make: MakeRecording) -> Upload:
    """Return an upload that came as JSON; raise InvalidRequest for what is malformed."""
    try:
        fields = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(
            "The body is not a JSON object. Send one with 'input_audio', or a multipart form with a file."
        ) from error
    field = "file_base64" if fields.get("input_audio") is None else "input_audio"
    sound = fields.pop(field, None)
    if field == "input_audio":
        sound = data_of(sound)
    if sound is None:
        return Upload(fields=fields, is_form=False, recording=None)
    recording = make(field)
    await asyncio.to_thread(lambda: recording.write(decode_base64(sound, field)))
    return Upload(fields=fields, is_form=False, recording=recording, field=field)


def data_of(input_audio: Any) -> Any:
    """Return the base64 in an ``input_audio``; raise InvalidRequest where it has none."""
    if isinstance(input_audio, dict) and input_audio.get("data") is not None:
        return input_audio["data"]
    raise InvalidRequest(
        "'input_audio' has to be an object whose 'data' is the recording in base64.",
        param="input_audio",
        code="invalid_value",
    )


def decode_base64(data: Any, field: str) -> bytes:
    """Return the bytes of base64, which may stand in a data URL; raise InvalidRequest when it is none."""
    try:
        text = data.partition(",")[2] if data[:5].lower() == "data:" else data
        return base64.b64decode("".join(text.split()), validate=True)
    except (AttributeError, TypeError, ValueError, binascii.Error) as error:
        raise InvalidRequest(
            "The recording is not base64. Send the bytes of the file in base64.",
            param=field,
            code="invalid_base64",
        ) from error
