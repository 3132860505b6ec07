"""Chunks that are read by what repeats in them: told, and kept, as if each had been read whole."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.translate.chat import stream
from gateway.translate.chat.pattern import pattern_of
from gateway.translate.chat.plan import Plan, Promise
from gateway.translate.chat.stream import ChatStream
from gateway.translate.chat.writer import ChunkWriter

NEVER = 2**30


def chunk(delta: dict[str, Any], *, finish_reason: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {"role": "assistant", **delta}}
    return written(
        {"id": "1", "choices": [choice | ({"finish_reason": finish_reason} if finish_reason else {})], **more}
    )


def written(value: Any, *, ascii_only: bool = False, spaced: bool = False) -> bytes:
    separators = (", ", ": ") if spaced else (",", ":")
    # As UTF-8 would not, half a surrogate pair goes out as its escape alone.
    return json.dumps(value, ensure_ascii=ascii_only, separators=separators).encode("utf-8", "backslashreplace")


def said(text: Any, **more: Any) -> bytes:
    return chunk({"content": text}, **more)


def argued(arguments: Any, **more: Any) -> bytes:
    call = {"index": 0, "id": "call_1", "type": "function"} | more
    return chunk({"tool_calls": [call | {"function": {"name": "f", "arguments": arguments}}]})


def texts(pattern_from: bytes, *chunks: bytes) -> list[str | None]:
    pattern = pattern_of(pattern_from)
    assert pattern is not None
    return [pattern.text_of(one) for one in chunks]


@pytest.mark.parametrize(
    "make", [said, lambda text: chunk({"reasoning_content": text}), argued], ids=["text", "reasoning", "arguments"]
)
@pytest.mark.parametrize("text", ["word", "", ' "quoted"\n\\', "字😀", "}]}", '","', "\x7f"])
def test_text_is_found_in_what_repeats(make: Callable[[str], bytes], text: str) -> None:
    """Whatever is in it, and however it is escaped."""
    assert [text] == texts(make("first"), make(text))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(said("a", id="2"), id="of another id"),
        pytest.param(said("a", finish_reason="stop"), id="with an ending"),
        pytest.param(said("a", usage={"prompt_tokens": 1}), id="with tokens"),
        pytest.param(said(None), id="without text"),
        pytest.param(said(["a"]), id="of another type"),
        pytest.param(said("a").replace(b'"a"', b'"a","audio":{"data":"UQ=="},"x":"b"'), id="with more inside"),
        pytest.param(said("a").replace(b'"a"', b'"a'), id="unclosed"),
        pytest.param(said("a").replace(b'"a"', b'"\n"'), id="with a bare control character"),
        pytest.param(said("a").replace(b'"a"', b'"\xff"'), id="in no UTF-8"),
        pytest.param(said("a").replace(b'"a"', b'"\\ud83d"'), id="with half a pair"),
        pytest.param(said("a").replace(b'"a"', b""), id="with nothing at all"),
        pytest.param(b"[DONE]", id="the end"),
    ],
)
def test_what_does_not_repeat_is_left_to_be_read_whole(other: bytes) -> None:
    """It may say more than a text, or nothing that can be read."""
    assert [None] == texts(said("first"), other)


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(chunk({}), id="only the role"),
        pytest.param(said(""), id="an empty text"),
        pytest.param(chunk({"content": "a", "reasoning_content": "b"}), id="text and reasoning"),
        pytest.param(chunk({"content": "a", "audio": {"data": "UQ=="}}), id="text and sound"),
        pytest.param(argued({"a": 1}), id="arguments as an object"),
        pytest.param(said("a", finish_reason="stop"), id="an ending"),
        pytest.param(said("a", usage={"prompt_tokens": 1}), id="tokens"),
        pytest.param(said("a", web_search=[{"link": "l"}]), id="a search"),
        pytest.param(said("a", error={"code": "1302"}), id="an error"),
        pytest.param(written({"choices": [{"message": {"content": "a"}}]}), id="a whole answer"),
        pytest.param(written({"choices": [{"delta": {"content": "a"}}] * 2}), id="two choices"),
        pytest.param(said("a", model="a"), id="the same characters behind it"),
        pytest.param(said(",", x="a", y="b"), id="characters that are between others, too"),
        pytest.param(said("字").replace("字".encode(), b"\\u5b57"), id="a text in another writing"),
        pytest.param(b"nope", id="no JSON"),
    ],
)
def test_nothing_is_learned_of_chunks_that_say_more_or_look_alike_in_two_places(shape: bytes) -> None:
    """The next may be plainer."""
    assert pattern_of(shape) is None


WORDS = st.sampled_from(["a", "content", "1", "", ",", "assistant", ' "', "\n", "字", "\ud83d", "f", "call_1"])
DELTAS = st.one_of(
    st.builds(lambda text: {"content": text}, WORDS),
    st.builds(lambda text: {"content": "", "reasoning_content": text}, WORDS),
    st.builds(
        lambda index, name, text, call_id: {
            "tool_calls": [{"index": index, "id": call_id, "function": {"name": name, "arguments": text}}]
        },
        st.sampled_from([0, 0, 1]),
        st.sampled_from(["f", "f", None]),
        WORDS,
        st.sampled_from(["call_1", "call_1", "call_2", None]),
    ),
    st.sampled_from([{}, {"content": None}, {"content": [{"type": "text", "text": "p"}]}]),
)
CHUNKS = st.builds(
    lambda delta, number, reason, more, ascii_only, spaced: written(
        {"id": number, "choices": [{"delta": delta} | reason]} | more, ascii_only=ascii_only, spaced=spaced
    ),
    DELTAS,
    st.sampled_from(["1", "1", "1", "2"]),
    st.sampled_from([{}] * 12 + [{"finish_reason": "stop"}]),
    st.sampled_from([{}] * 12 + [{"usage": {"prompt_tokens": 1}}, {"error": {"code": "1302", "message": "m"}}]),
    st.booleans(),
    st.sampled_from([False, False, True]),
)


def stream_of(promise: Promise, *, first_look: int, chunks: list[bytes]) -> tuple[bytes, Any]:
    plan = Plan(id="chatcmpl-1", created=1, model="glm-4.7", promise=promise)
    telling = ChatStream(plan, index=0, writer=ChunkWriter(plan, index=0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "FIRST_LOOK", first_look)
        out = b"".join(telling.feed([one]) for one in chunks)
    whole = [(call.id, call.name, call.arguments) for call in telling.calls.whole()]
    return out, (repr(telling.failure), telling.usage, telling.reasoning, whole, telling.leave)


@example([said("a"), said("b"), said("c", finish_reason="stop"), said("late"), said("later")], Promise())
@example([argued("1"), argued("2"), argued(""), argued("3")], Promise())
@settings(max_examples=1000)
@given(
    st.lists(st.one_of(CHUNKS, st.sampled_from([b"[DONE]", b"nope"])), max_size=24),
    st.builds(
        Promise,
        single=st.booleans(),
        legacy=st.booleans(),
        custom=st.sampled_from([frozenset(), frozenset({"f"})]),
        only=st.sampled_from([None, frozenset({"g"})]),
    ),
)
def test_same_is_told_and_kept_as_when_each_chunk_is_read_whole(chunks: list[bytes], promise: Promise) -> None:
    """Whatever comes, in whatever order."""
    assert stream_of(promise, first_look=NEVER, chunks=chunks) == stream_of(promise, first_look=1, chunks=chunks)


def test_pattern_is_found_again_when_it_changes() -> None:
    """Reasoning, then text, then arguments; a new id or time in the midst of it."""
    kinds = [chunk({"reasoning_content": "r"}), said("a"), said("a", id="2"), argued("1")]
    plan = Plan(id="chatcmpl-1", created=1, model="glm-4.7")
    telling = ChatStream(plan, index=0, writer=ChunkWriter(plan, index=0))

    for kind in kinds:
        telling.feed([kind] * 64)

        assert telling._pattern is not None
        assert telling._pattern.text_of(kind) is not None
