from collections.abc import Sequence

import msgspec
import pytest

from gateway.errors import ContentFiltered, UpstreamProtocolError
from gateway.translate.sse import DONE
from gateway.translate.transcriptions.parts import Part
from gateway.translate.transcriptions.stream import PartStream


def play(*payloads: bytes, first: bool = True) -> tuple[PartStream, Part, list[str]]:
    """Feed a stream; give it, its part, and the deltas that were said."""
    part = Part(start=0, end=1, latest=1, speech_start=0, speech_end=1)
    stream = PartStream(part, first=first)
    return stream, part, deltas(stream.feed(payloads))


def deltas(events: bytes) -> list[str]:
    return [
        msgspec.json.decode(event.removeprefix(b"data: "))["delta"] for event in events.split(b"\n\n") if event
    ]


def delta(text: str) -> bytes:
    return msgspec.json.encode({"type": "transcript.text.delta", "delta": text})


def last(text: str) -> bytes:
    return msgspec.json.encode({"type": "transcript.text.done", "text": text})


@pytest.mark.parametrize(
    ("payloads", "said"),
    [
        ([delta(" He"), delta("llo"), last("Hello"), DONE], ["He", "llo"]),
        ([delta("Hel"), last("Hello")], ["Hel", "lo"]),
        ([last(" Hello ")], ["Hello"]),
        ([delta("Hello"), DONE], ["Hello"]),
        (
            [delta("How "), delta("are"), delta(" "), delta("you\n"), last("How are you\n")],
            ["How", " are", " you"],
        ),
        ([delta("How "), last("How are you")], ["How", " are you"]),
        ([delta(" "), delta("Hello "), DONE], ["Hello"]),
        ([b'{"type":"transcript.text.delta","delta":"Hello","text":""}', DONE], ["Hello"]),
        ([last("")], []),
        ([b'{"text": "Hello", "request_id": "1"}', DONE], ["Hello"]),
    ],
    ids=[
        "recorded",
        "rest in the last",
        "only the last",
        "no last",
        "a space behind each word",
        "a space before the rest",
        "spaces and no last",
        "an empty text beside a delta",
        "silence",
        "not streamed",
    ],
)
def test_what_was_said_is_said_once(payloads: Sequence[bytes], said: list[str]) -> None:
    stream, part, found = play(*payloads)

    assert said == found
    assert "".join(said) == part.text
    assert b"" == stream.finish()


def test_the_whole_text_counts_where_it_is_another() -> None:
    _, part, found = play(delta("Helo"), last("Hello"), DONE)

    assert (["Helo"], "Hello") == (found, part.text)


@pytest.mark.parametrize(("text", "said"), [("Hello", " Hello"), ("你好", "你好")])
def test_a_later_part_begins_with_what_separates_it(text: str, said: str) -> None:
    assert [said] == play(delta(text), first=False)[2]


def test_an_error_inside_a_stream_comes_after_what_was_said() -> None:
    stream, _, found = play(delta("Hel"), b'{"error": {"code": "1301", "message": "no"}}')

    assert ["Hel"] == found
    assert isinstance(stream.failure, ContentFiltered)


def test_what_cannot_be_read_and_what_ends_early_is_glms_fault() -> None:
    assert isinstance(play(b"{")[0].failure, UpstreamProtocolError)
    with pytest.raises(UpstreamProtocolError):
        play(delta("Hel"))[0].finish()
