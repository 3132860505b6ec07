from email.parser import BytesParser
from email.policy import HTTP

from gateway.translate.multipart import Attached, write_form


def test_a_form_is_read_back_by_another_parser() -> None:
    data = bytes(range(256)) * 3 + b"\r\n--"
    fields = [("model", "glm-asr"), ("hotwords", "Größe"), ("hotwords", "zwei\r\nZeilen")]

    body, content_type = write_form(fields, Attached("file", "audio.wav", "audio/wav", data), boundary="b-1")

    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type + b"\r\n\r\n" + body)
    parts = [
        (part.get_param("name", header="content-disposition"), part.get_payload(decode=True))
        for part in message.iter_parts()
    ]
    assert [(name, text.encode()) for name, text in fields] + [("file", data)] == parts
