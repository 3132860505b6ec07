"""Multipart forms, as Zhipu takes recordings. Writes only."""

from collections.abc import Iterable

from msgspec import Struct


class Attached(Struct, frozen=True):
    """A file of a form."""

    name: str
    filename: str
    content_type: str
    data: bytes


def write_form(fields: Iterable[tuple[str, str]], file: Attached, *, boundary: str) -> tuple[bytes, bytes]:
    """
    Return the body of a form and its content type; the file stands last.

    ``boundary`` is a line that nobody could have put into the fields or the file. Names are ours.
    """
    edge = f"--{boundary}\r\n"
    texts = "".join(
        f'{edge}Content-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in fields
    )
    head = (
        f'{edge}Content-Disposition: form-data; name="{file.name}"; filename="{file.filename}"\r\n'
        f"Content-Type: {file.content_type}\r\n\r\n"
    )
    body = b"".join([texts.encode(), head.encode(), file.data, f"\r\n--{boundary}--\r\n".encode()])
    return body, f"multipart/form-data; boundary={boundary}".encode()
