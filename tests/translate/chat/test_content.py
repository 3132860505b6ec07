"""Pictures, videos, documents and speech: what each model takes, in the form that it takes."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from gateway.errors import InvalidRequest

Sent = Callable[..., dict[str, Any]]

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(60)).decode()
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(60)).decode()
GIF = base64.b64encode(b"GIF89a" + bytes(60)).decode()
LINK = "https://example.com/a.png"
TEXT = {"type": "text", "text": "What is this?"}


def picture(url: str, **extra: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **extra}}


def video(url: str = "https://example.com/a.mp4") -> dict[str, Any]:
    return {"type": "video_url", "video_url": {"url": url}}


def document(**file: Any) -> dict[str, Any]:
    return {"type": "file", "file": file}


def speech(audio_format: str = "wav", data: str = "UklGRg==") -> dict[str, Any]:
    return {"type": "input_audio", "input_audio": {"data": data, "format": audio_format}}


FILE_URL = {"type": "file_url", "file_url": {"url": "https://example.com/a.pdf"}}


def in_lines(data: str) -> str:
    return "".join(f"{data[at : at + 4]}\r\n" for at in range(0, len(data), 4))


@pytest.mark.parametrize(
    ("model", "part", "expected"),
    [
        pytest.param("glm-4.6v", picture(LINK), picture(LINK), id="picture by URL"),
        pytest.param("glm-4.6v", picture(LINK, detail="high"), picture(LINK), id="detail is dropped"),
        pytest.param(
            "glm-4.6v", picture("HTTPS://example.com/A"), picture("HTTPS://example.com/A"), id="upper case"
        ),
        pytest.param(
            "glm-4.6v", picture(f"data:image/png;base64,{PNG}"), picture(PNG), id="data URI becomes bare"
        ),
        pytest.param("glm-4.6v", picture(f"data:image/jpeg;base64,{JPEG}"), picture(JPEG), id="jpeg"),
        pytest.param("glm-4.6v", picture(f"DATA:image/png;BASE64,{PNG}"), picture(PNG), id="data URI in capitals"),
        pytest.param(
            "glm-4.6v", picture("data:image/png;base64," + in_lines(PNG)), picture(PNG), id="base64 in lines"
        ),
        pytest.param("glm-4.6v", picture(in_lines(PNG)), picture(PNG), id="bare base64 in lines"),
        pytest.param("glm-4.6v", picture(PNG), picture(PNG), id="bare base64"),
        pytest.param("glm-4v-flash", picture(LINK), picture(LINK), id="picture by URL only"),
        pytest.param("glm-4.6v", video(), video(), id="video"),
        pytest.param("glm-4.6v", FILE_URL, FILE_URL, id="document by URL"),
        pytest.param(
            "glm-4.6v", document(file_url="https://example.com/a.pdf"), FILE_URL, id="document by URL, other form"
        ),
        pytest.param("glm-4.6v", document(file_id="file-1"), document(file_id="file-1"), id="document by id"),
        pytest.param(
            "glm-4.6v",
            document(file_data="data:application/pdf;base64,JVBERi0=", filename="a.pdf"),
            document(file_data="data:application/pdf;base64,JVBERi0=", filename="a.pdf"),
            id="document itself",
        ),
        pytest.param("glm-4-voice", speech(), speech(), id="speech"),
        pytest.param(
            "glm-4-voice", speech(data="data:audio/wav;base64,UklGRg=="), speech(), id="speech, data URI"
        ),
    ],
)
def test_part_is_sent_as_the_model_takes_it(
    sent: Sent, model: str, part: dict[str, Any], expected: dict[str, Any]
) -> None:
    """A part keeps its meaning and loses what GLM does not allow."""
    body = sent(model=model, messages=[{"role": "user", "content": [TEXT, part]}])

    assert body["messages"][0]["content"] == [TEXT, {**expected}]


@pytest.mark.parametrize(
    ("model", "part", "param"),
    [
        pytest.param("glm-4.7", picture(LINK), "", id="picture to a text model"),
        pytest.param("glm-4.7", speech(), "", id="speech to a text model"),
        pytest.param("glm-4v-flash", video(), "", id="video to a model of pictures"),
        pytest.param("glm-4.1v-thinking-flash", FILE_URL, "", id="document to a model of pictures"),
        pytest.param(
            "glm-4v-flash", picture(f"data:image/png;base64,{PNG}"), ".image_url", id="base64 where URLs only"
        ),
        pytest.param("glm-4.6v", picture(f"data:image/gif;base64,{GIF}"), ".image_url", id="gif"),
        pytest.param("glm-4.6v", picture("data:image/svg+xml,<svg/>"), ".image_url", id="data URI without base64"),
        pytest.param(
            "glm-4.6v", picture(f"data:image/png,{PNG}"), ".image_url", id="data URI that hides its base64"
        ),
        pytest.param("glm-4.6v", picture(""), ".image_url", id="empty"),
        pytest.param("glm-4.6v", picture("ftp://example.com/a"), ".image_url", id="other scheme"),
        pytest.param("glm-4.6v", picture("你好"), ".image_url", id="no base64"),
        pytest.param("glm-4.6v", picture("data:image/png;base64," + PNG * 80_000), ".image_url", id="too large"),
        pytest.param("glm-4.6v", video("data:video/mp4;base64,AAAA"), ".video_url", id="video as data"),
        pytest.param("glm-4.6v", document(), ".file", id="document of nothing"),
        pytest.param("glm-4.6v", document(file_id="f", file_data="d"), ".file", id="document of two things"),
        pytest.param("glm-4.6v", document(file_url="file:///etc/passwd"), ".file", id="local file"),
        pytest.param("glm-4-voice", speech("flac"), ".input_audio.data", id="what is not what it says it is"),
        pytest.param("glm-4.7", speech(), "", id="speech to a model that cannot hear"),
        pytest.param("glm-4.6v", speech(), "", id="speech to one that only sees"),
    ],
)
def test_part_is_refused_by_its_path(sent: Sent, model: str, part: dict[str, Any], param: str) -> None:
    """What a model cannot take is a 400 that names the part and says nothing of what is in it."""
    with pytest.raises(InvalidRequest) as refusal:
        sent(model=model, messages=[{"role": "user", "content": [TEXT, part]}])

    assert refusal.value.param == f"messages[0].content[1]{param}"
    assert "example.com" not in refusal.value.message
    assert TEXT["text"] not in refusal.value.message


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        pytest.param("glm-4v-flash", [picture(LINK)] * 2, id="two pictures where one is the limit"),
        pytest.param("glm-4.6v", [picture(LINK)] * 51, id="51 pictures"),
        pytest.param("glm-4.6v", [FILE_URL] * 51, id="51 documents"),
        pytest.param("glm-4.6v", [picture(LINK), FILE_URL], id="a picture beside a document"),
        pytest.param("glm-4.6v", [video(), document(file_id="f")], id="a video beside a document"),
    ],
)
def test_conversation_is_refused_when_it_holds_too_much(sent: Sent, model: str, parts: list[Any]) -> None:
    """Counts are over the whole conversation."""
    turns = [{"role": "user", "content": [TEXT, part]} for part in parts]

    with pytest.raises(InvalidRequest) as refusal:
        sent(model=model, messages=turns)

    assert refusal.value.param == "messages"


def test_conversation_passes_when_it_is_at_the_limit(sent: Sent) -> None:
    """Fifty pictures are not one too many."""
    turns = [{"role": "user", "content": [picture(LINK)]}] * 50

    assert len(sent(model="glm-4.6v", messages=turns)["messages"]) == 50
