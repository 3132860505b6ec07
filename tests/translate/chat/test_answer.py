"""What whole answers and streams have in common."""

import pytest

from gateway.errors import GatewayError, UpstreamFailed, UpstreamProtocolError, UpstreamRateLimited
from gateway.glm.chat import CachedTokens, ReasoningTokens, SearchResult, Usage
from gateway.translate.chat import answer


@pytest.mark.parametrize(
    ("reason", "called", "legacy", "expected"),
    [
        ("stop", False, False, "stop"),
        ("stop", True, False, "tool_calls"),
        ("tool_calls", True, False, "tool_calls"),
        ("tool_calls", True, True, "function_call"),
        ("tool_calls", False, False, "stop"),
        ("length", True, False, "length"),
        ("sensitive", False, False, "content_filter"),
        ("sensitive", True, False, "content_filter"),
        ("model_context_window_exceeded", False, False, "length"),
        (None, False, False, "stop"),
        ("something_new", False, False, "stop"),
        ("something_new", True, False, "tool_calls"),
    ],
)
def test_end_has_one_of_openais_words(reason: str | None, called: bool, legacy: bool, expected: str) -> None:  # noqa: FBT001
    """Agents go by this word, so it says what happened."""
    assert expected == answer.finish_reason(reason, called=called, legacy=legacy)


def test_broken_inference_is_an_error() -> None:
    """``network_error`` is no normal end."""
    with pytest.raises(UpstreamFailed):
        answer.finish_reason("network_error", called=False, legacy=False)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"error":{"code":"1302","message":"m"}}', UpstreamRateLimited),
        (b'{"error":{}}', UpstreamFailed),
        (b'{"error":"m"}', UpstreamProtocolError),
        (b"", UpstreamProtocolError),
        (b"<html>", UpstreamProtocolError),
        (b"[]", UpstreamProtocolError),
        (b'{"choices":{}}', UpstreamProtocolError),
        (b'{"choices":[{"delta":{"content":"\xff"}}]}', UpstreamProtocolError),
        (b'{"choices":' + b"[" * 200_000, UpstreamProtocolError),
    ],
    ids=["error", "empty error", "error as text", "empty", "html", "array", "odd choices", "not UTF-8", "nested"],
)
def test_body_is_an_error_of_glms_when_it_is_no_answer(body: bytes, error: type[GatewayError]) -> None:
    """An error inside a success is an error, and what cannot be read is never told as an answer."""
    with pytest.raises(error):
        answer.read(body)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("x", "x"),
        (None, ""),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab"),
        ([{"type": "image"}, "x", {"text": 3}], ""),
    ],
)
def test_content_is_one_string(content: object, expected: str) -> None:
    """Vision models may answer with a list of parts."""
    assert expected == answer.text_of(content)


FULL = Usage(
    prompt_tokens=10,
    completion_tokens=5,
    total_tokens=15,
    prompt_tokens_details=CachedTokens(cached_tokens=4),
    completion_tokens_details=ReasoningTokens(reasoning_tokens=3),
)


def test_usage_is_told_with_its_details() -> None:
    """Cached and reasoning tokens are there, as zero where GLM does not say."""
    told = answer.usage_to_openai(FULL)
    bare = answer.usage_to_openai(Usage(prompt_tokens=1, completion_tokens=2))
    other = answer.usage_to_openai(Usage(prompt_tokens=1, completion_tokens=2, total_tokens=4))

    assert (told.prompt_tokens, told.completion_tokens, told.total_tokens) == (10, 5, 15)
    assert (told.prompt_tokens_details.cached_tokens, told.completion_tokens_details.reasoning_tokens) == (4, 3)
    assert (bare.total_tokens, other.total_tokens) == (3, 4)
    assert answer.usage_to_openai(None).total_tokens == 0


def test_usage_of_several_calls_is_added_up() -> None:
    """A call that told nothing counts nothing."""
    doubled = answer.add_usage(FULL, FULL)

    assert doubled is not None
    assert answer.usage_to_openai(doubled).total_tokens == 30
    assert answer.usage_to_openai(doubled).prompt_tokens_details.cached_tokens == 8
    assert answer.add_usage(None, FULL) == answer.add_usage(FULL, None) == FULL
    assert answer.add_usage(None, None) is None


def test_sources_are_placed_where_the_text_marks_them() -> None:
    """A mark in the text is the place; without one it is the end; a source without a link is none."""
    results = [
        SearchResult(title="A", link="https://a", refer="ref_1"),
        SearchResult(link="https://b", refer="ref_9"),
        SearchResult(title="C"),
    ]

    first, second = (note.url_citation for note in answer.citations(results, text="Yes[ref_1]."))

    assert (first.start_index, first.end_index, first.title, first.url) == (3, 10, "A", "https://a")
    assert (second.start_index, second.end_index, second.title, second.url) == (11, 11, "https://b", "https://b")
