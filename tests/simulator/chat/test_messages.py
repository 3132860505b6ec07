"""What messages and their parts may hold, by role and family."""

import base64
import io
import wave
from typing import Any

import pytest

from gateway.simulator.chat.messages import check_messages
from gateway.simulator.models import CHAT_MODELS
from gateway.simulator.refusals import Refusal

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
    + (3).to_bytes(4, "big")
    + (2).to_bytes(4, "big")
    + b"\x08\x02\x00\x00\x00"
)
USER = {"role": "user", "content": "hello"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TEXT = {"type": "text", "text": "look"}
PAGE = {"type": "file_url", "file_url": {"url": "https://example.com/a.pdf"}}
FILM = {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}}


def _wav() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(16000)
        recording.writeframes(bytes(3200))
    return file.getvalue()


def image(url: Any = None, **extra: Any) -> dict[str, Any]:
    """Make an image part, by default a good one in bare base64."""
    return {"type": "image_url", "image_url": {"url": url or base64.b64encode(PNG).decode()} | extra}


def sound(content: bytes, kind: str) -> dict[str, Any]:
    """Make a sound part."""
    data = base64.b64encode(content).decode()
    return {"type": "input_audio", "input_audio": {"data": data, "format": kind}}


def refused(model: str, *messages: Any) -> str | None:
    """Tell the code messages are refused with; None when they are taken."""
    try:
        check_messages("messages", list(messages), CHAT_MODELS[model])
    except Refusal as refusal:
        return refusal.code.code
    return None


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([USER], id="user"),
        pytest.param([{"role": "system", "content": "be brief"}, USER], id="system first"),
        pytest.param([USER, {"role": "assistant", "content": "hi"}, USER], id="turns"),
        pytest.param(
            [
                USER,
                {"role": "assistant", "tool_calls": [CALL]},
                {"role": "tool", "content": "1", "tool_call_id": "call_1"},
            ],
            id="calls without content",
        ),
        pytest.param(
            [USER, {"role": "assistant", "content": None, "tool_calls": [CALL]}, {"role": "tool", "content": ""}],
            id="calls with null content, empty result",
        ),
    ],
)
def test_conversation_is_taken_when_roles_and_contents_are_right(messages: list[Any]) -> None:
    """Every documented role and form is taken by a text model."""
    assert refused("glm-4.7", *messages) is None


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        pytest.param([], "1214", id="none"),
        pytest.param(["hello"], "1214", id="not objects"),
        pytest.param([{"role": "system", "content": "s"}], "1214", id="only system"),
        pytest.param([{"role": "assistant", "content": "a"}], "1214", id="only assistant"),
        pytest.param([{"role": "developer", "content": "d"}, USER], "1214", id="developer"),
        pytest.param([USER, {"role": "function", "content": "f"}], "1214", id="function"),
        pytest.param([{"content": "no role"}], "1214", id="no role"),
        pytest.param([{"role": "user"}], "1213", id="no content"),
        pytest.param([{"role": "user", "content": ""}], "1213", id="empty content"),
        pytest.param([{"role": "user", "content": 5}], "1214", id="content is a number"),
        pytest.param([{"role": "user", "content": [TEXT]}], "1214", id="parts on a text model"),
        pytest.param([{"role": "user", "content": [image()]}], "1214", id="picture on a text model"),
        pytest.param([USER, {"role": "assistant", "content": None}], "1213", id="assistant without anything"),
        pytest.param([USER, {"role": "tool", "tool_call_id": "call_1"}], "1213", id="result without content"),
        pytest.param([USER, {"role": "assistant", "tool_calls": {}}], "1214", id="calls are not a list"),
        pytest.param(
            [USER, {"role": "assistant", "tool_calls": [CALL | {"type": "custom"}]}], "1214", id="call type"
        ),
        pytest.param(
            [USER, {"role": "assistant", "tool_calls": [CALL | {"function": {"name": "f", "arguments": {}}}]}],
            "1214",
            id="arguments are an object",
        ),
    ],
)
def test_conversation_is_refused_when_a_message_is_not_as_documented(messages: list[Any], code: str) -> None:
    """Each mistake has the platform's code."""
    assert refused("glm-4.7", *messages) == code


def test_wording_is_the_platforms_when_a_role_is_unknown() -> None:
    """The well-known sentence about roles is said in both languages."""
    with pytest.raises(Refusal) as refusal:
        check_messages("messages", [{"role": "developer", "content": "d"}], CHAT_MODELS["glm-4.7"])

    body = refusal.value.body("en", now=0.0)
    assert body.error.message == "Incorrect role information"


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        pytest.param("glm-4.6v", [TEXT, image()], id="bare base64"),
        pytest.param(
            "glm-4.6v", [image("data:image/png;base64," + base64.b64encode(PNG).decode())], id="data URI"
        ),
        pytest.param("glm-4.6v", [image("https://example.com/a.png")], id="address"),
        pytest.param("glm-4.6v", [image("https://example.com/a.png")] * 50, id="50 pictures"),
        pytest.param("glm-4.6v", [PAGE] * 50, id="50 documents"),
        pytest.param("glm-4.6v", [FILM, TEXT], id="video"),
        pytest.param("glm-4.6v", [PAGE, TEXT], id="document"),
        pytest.param("glm-4.6v", [{"type": "file", "file": {"file_id": "1", "filename": "a"}}], id="file"),
        pytest.param("glm-4v-flash", [image("https://example.com/a.png")], id="one address"),
        pytest.param("glm-4-voice", [TEXT, sound(_wav(), "wav")], id="wav"),
        pytest.param("glm-4-voice", [sound(b"ID3" + bytes(20), "mp3")], id="mp3"),
    ],
)
def test_parts_are_taken_when_the_model_knows_them(model: str, parts: list[Any]) -> None:
    """Every kind of part is taken by the models that have it."""
    assert refused(model, {"role": "user", "content": parts}) is None


@pytest.mark.parametrize(
    ("model", "parts", "code"),
    [
        pytest.param("glm-4.6v", [], "1213", id="no parts"),
        pytest.param("glm-4.6v", ["text"], "1214", id="not objects"),
        pytest.param("glm-4.6v", [{"type": "tool_use", "input": {}}], "1214", id="unknown type"),
        pytest.param("glm-4.6v", [TEXT | {"cache_control": {}}], "1214", id="more inside text"),
        pytest.param("glm-4.6v", [{"type": "text", "text": 5}], "1214", id="text is a number"),
        pytest.param("glm-4.6v", [image(detail="high")], "1214", id="detail inside image_url"),
        pytest.param(
            "glm-4.6v", [{"type": "image_url", "image_url": "https://e.org/a.png"}], "1214", id="bare url"
        ),
        pytest.param("glm-4.6v", [image() | {"cache_control": {}}], "1214", id="more beside image_url"),
        pytest.param("glm-4.6v", [image("not base64!")], "1210", id="neither address nor base64"),
        pytest.param("glm-4.6v", [image(base64.b64encode(b"GIF89a").decode())], "1210", id="gif"),
        pytest.param("glm-4.6v", [image("http://localhost/a.png")], "1210", id="localhost"),
        pytest.param("glm-4.6v", [image("http://127.0.0.1:9/a.png")], "1210", id="loopback"),
        pytest.param("glm-4.6v", [image("http://192.168.1.4/a.png")], "1210", id="private address"),
        pytest.param("glm-4.6v", [image("https://example.com/a.png")] * 51, "1210", id="51 pictures"),
        pytest.param("glm-4.6v", [PAGE] * 51, "1210", id="51 documents"),
        pytest.param("glm-4v-plus-0111", [image()] * 6, "1210", id="6 pictures on 4v-plus"),
        pytest.param("glm-4v-flash", [image()], "1210", id="base64 on 4v-flash"),
        pytest.param("glm-4v-flash", [image("https://e.org/a.png")] * 2, "1210", id="2 pictures on 4v-flash"),
        pytest.param("glm-4.6v", [PAGE, image()], "1215", id="document with picture"),
        pytest.param("glm-4.6v", [PAGE, FILM], "1215", id="document with video"),
        pytest.param("glm-4.1v-thinking-flash", [PAGE], "1214", id="document on 4.1v"),
        pytest.param(
            "glm-4.6v", [{"type": "file_url", "file_url": {"url": "JVBERi0="}}], "1214", id="document in base64"
        ),
        pytest.param(
            "glm-4.6v", [{"type": "file", "file": {"file_id": "1", "file_url": "u"}}], "1214", id="two sources"
        ),
        pytest.param(
            "glm-4.6v", [{"type": "file", "file": {"file_id": "1", "size": 1}}], "1214", id="more inside file"
        ),
        pytest.param("glm-4.6v", [sound(_wav(), "wav")], "1214", id="sound on a vision model"),
        pytest.param("glm-4-voice", [image()], "1214", id="picture on the voice model"),
        pytest.param("glm-4-voice", [sound(_wav(), "pcm16")], "1214", id="unknown sound format"),
        pytest.param("glm-4-voice", [sound(_wav(), "mp3")], "1214", id="wav called mp3"),
        pytest.param("glm-4-voice", [sound(b"OggS" + bytes(20), "wav")], "1214", id="ogg called wav"),
    ],
)
def test_parts_are_refused_when_they_are_not_as_documented(model: str, parts: list[Any], code: str) -> None:
    """Each mistake has the platform's code."""
    assert refused(model, {"role": "user", "content": parts}) == code


def test_picture_is_refused_when_it_is_too_large() -> None:
    """5 MB and 6000 pixels are the most."""
    wide = PNG.replace((3).to_bytes(4, "big"), (6001).to_bytes(4, "big"))
    heavy = PNG + bytes(5 * 1024 * 1024)

    codes = [
        refused("glm-4.6v", {"role": "user", "content": [image(base64.b64encode(content).decode())]})
        for content in (wide, heavy)
    ]

    assert codes == ["1210", "1210"]


def test_spoken_turn_needs_no_text_when_it_is_named_by_its_audio() -> None:
    """History of glm-4-voice goes back by the audio's id."""
    spoken = {"role": "assistant", "audio": {"id": "1"}}

    assert refused("glm-4-voice", USER, spoken, USER) is None
