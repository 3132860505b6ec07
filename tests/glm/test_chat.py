"""Zhipu's chat vocabulary: only documented fields go out, and everything recorded comes in."""

import msgspec
import pytest

from gateway.glm import chat

# docs.bigmodel.cn, chat completion reference, OpenAPI of 2026-07
DOCUMENTED = (
    "model messages stream do_sample temperature top_p max_tokens stop request_id user_id thinking "
    "reasoning_effort response_format tools tool_choice tool_stream watermark_enabled"
)


def test_request_has_the_documented_fields_and_no_others() -> None:
    """A field that Zhipu does not document is answered with 1210 on some models, so none is ever sent."""
    assert {field.encode_name for field in msgspec.structs.fields(chat.ChatRequest)} == {*DOCUMENTED.split()}


def test_request_leaves_out_what_was_not_set() -> None:
    """An optional field has no default of ours."""
    request = chat.ChatRequest(model="glm-4.7", messages=[chat.Message(role="user", content="x")])

    assert msgspec.json.encode(request) == (b'{"model":"glm-4.7","messages":[{"role":"user","content":"x"}]}')


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (chat.TextPart(text="x"), b'{"type":"text","text":"x"}'),
        (chat.ImagePart(image_url=chat.Link(url="u")), b'{"type":"image_url","image_url":{"url":"u"}}'),
        (chat.VideoPart(video_url=chat.Link(url="u")), b'{"type":"video_url","video_url":{"url":"u"}}'),
        (chat.FileUrlPart(file_url=chat.Link(url="u")), b'{"type":"file_url","file_url":{"url":"u"}}'),
        (chat.FilePart(file=chat.FileContent(file_id="f")), b'{"type":"file","file":{"file_id":"f"}}'),
        (
            chat.InputAudioPart(input_audio=chat.InputAudio(data="d", format="wav")),
            b'{"type":"input_audio","input_audio":{"data":"d","format":"wav"}}',
        ),
    ],
    ids=["text", "image_url", "video_url", "file_url", "file", "input_audio"],
)
def test_part_has_its_documented_shape(part: chat.Part, expected: bytes) -> None:
    """Nothing is allowed inside a part but what is documented."""
    assert expected == msgspec.json.encode(part)


@pytest.mark.parametrize(
    "answer",
    [
        b"{}",
        b'{"choices":null,"usage":null,"error":null,"brand_new":{"a":[1]}}',
        b'{"choices":[{"delta":{"role":"assistant","content":null,"tool_calls":null}}]}',
        b'{"choices":[{"message":{"content":[{"type":"text","text":"x"}]}}]}',
        b'{"choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]}}]}',
        b'{"choices":[{"delta":{"tool_calls":[{"type":"mcp","mcp":{"id":"1","tools":[]}}]}}]}',
        b'{"choices":[{"delta":{"audio":{"id":"a","data":"x","expires_at":"1"}}}]}',
        b'{"error":{"code":1302,"message":null}}',
    ],
)
def test_answer_is_read_however_much_of_it_is_missing_or_new(answer: bytes) -> None:
    """Every recorded or documented oddity is understood."""
    msgspec.json.decode(answer, type=chat.ChatAnswer)
