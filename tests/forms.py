"""Multipart forms: read with a parser that is not the gateway's, and written as SDKs write them."""

from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from tests.fakes import Call

BOUNDARY = "----x7f"
FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def form_of(call: Call) -> dict[str, Any]:
    """Read what the gateway sent with a parser that is not its own: texts by name, in lists, and the file."""
    head = f"Content-Type: {call.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + call.raw)
    form: dict[str, Any] = {}
    for part in message.iter_parts():
        data: Any = part.get_payload(decode=True)
        name = str(part.get_param("name", header="content-disposition"))
        file = (part.get_filename(), part.get_content_type(), data)
        form.setdefault(name, []).append(file if name == "file" else data.decode())
    return form


def form(*parts: tuple[str, bytes]) -> bytes:
    """Return a form of these parts, each by what stands in the head after ``form-data``, and what it holds."""
    written = [
        b"--%b\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % (BOUNDARY.encode(), head.encode(), data)
        for head, data in parts
    ]
    return b"".join(written) + b"--%b--\r\n" % BOUNDARY.encode()
