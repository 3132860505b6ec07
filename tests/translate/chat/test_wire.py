"""Recorded shapes of Zhipu's answers, through to what OpenAI's SDK makes of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openai import ContentFilterFinishReasonError
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ParsedChatCompletion
from pydantic import TypeAdapter

from gateway.errors import UpstreamFailed, UpstreamProtocolError
from gateway.translate.chat.job import ChatJob
from gateway.translate.sse import Decoder

WIRE = Path(__file__).parents[2] / "wire"
CHUNK, WHOLE = TypeAdapter(ChatCompletionChunk), TypeAdapter(ChatCompletion)
TOOLS = [{"type": "function", "function": {"name": "get_weather"}}]

Start = Callable[..., ChatJob]


def streamed(start: Start, name: str) -> ParsedChatCompletion[Any]:
    """Give what the SDK has added up at the end of a stream."""
    job = start(stream=True, tools=TOOLS, stream_options={"include_usage": True})
    stream = job.stream(0)
    out = stream.feed(Decoder().feed((WIRE / f"{name}.sse").read_bytes()))
    assert stream.failure is None
    out += stream.finish() + job.close()
    state: ChatCompletionStreamState[Any] = ChatCompletionStreamState()
    for chunk in Decoder().feed(out)[:-1]:
        state.handle_chunk(CHUNK.validate_json(chunk, strict=True))
    return state.get_final_completion()


def answered(start: Start, name: str) -> ChatCompletion:
    job = start(tools=TOOLS)
    assert job.receive(0, (WIRE / f"{name}.json").read_bytes()) is None
    return WHOLE.validate_json(job.result(), strict=True)


def essence(completion: ChatCompletion) -> dict[str, Any]:
    """Give what a stream and a whole answer of the same content have in common; Zhipu's own ids differ."""
    (choice,) = completion.choices
    assert completion.usage is not None
    return {
        "finish_reason": choice.finish_reason,
        "content": choice.message.content,
        "reasoning": getattr(choice.message, "reasoning_content", None),
        "calls": [
            (call.function.name, call.function.arguments)
            for call in choice.message.tool_calls or ()
            if call.type == "function"
        ],
        "tokens": completion.usage.total_tokens,
    }


EXPECTED = {
    "text-2025": {
        "finish_reason": "stop",
        "content": "\nHello! 你好",
        "reasoning": "The user greets.",
        "calls": [],
        "tokens": 24,
    },
    "text-2026": {
        "finish_reason": "stop",
        "content": "Hello!",
        "reasoning": "The user greets.",
        "calls": [],
        "tokens": 24,
    },
    "parallel-calls-2025": {
        "finish_reason": "tool_calls",
        "content": "Let me look.",
        "reasoning": "Two cities.",
        "calls": [("get_weather", '{"city":"Paris"}'), ("get_weather", '{"city":"Rome"}')],
        "tokens": 24,
    },
    "web-search-2026": {
        "finish_reason": "stop",
        "content": "It rains[ref_1].",
        "reasoning": None,
        "calls": [],
        "tokens": 24,
    },
}


@pytest.mark.parametrize("name", EXPECTED)
def test_sdk_reads_the_same_from_a_stream_and_a_whole_answer(start: Start, name: str) -> None:
    """Both recordings of one content mean one thing to the official client, and validate strictly."""
    assert EXPECTED[name] == essence(answered(start, name))
    assert EXPECTED[name] == essence(streamed(start, name))


def test_sdk_adds_up_fragments_of_arguments(start: Start) -> None:
    """Streamed arguments arrive whole."""
    assert essence(streamed(start, "tool-stream-2026"))["calls"] == [("get_weather", '{"city":"Paris"}')]


def test_sources_are_told_whole_and_streamed(start: Start) -> None:
    """Search results become OpenAI's annotations."""
    whole = answered(start, "web-search-2026").choices[0].message.annotations
    told = streamed(start, "web-search-2026").choices[0].message.annotations

    assert whole is not None
    assert whole == told
    citation = whole[0].url_citation
    assert (citation.url, citation.start_index, citation.end_index) == ("https://example.com/1", 8, 15)


def test_moderated_answer_ends_as_filtered(start: Start) -> None:
    """``sensitive`` is OpenAI's ``content_filter``, for which the SDK has an error of its own."""
    with pytest.raises(ContentFilterFinishReasonError):
        streamed(start, "sensitive-2026")


@pytest.mark.parametrize("name", ["network-error-2026", "error-2026"])
def test_failure_inside_a_stream_is_an_error_after_what_was_said(start: Start, name: str) -> None:
    """The caller gets what came before, and then the error."""
    stream = start(stream=True).stream(0)

    out = stream.feed(Decoder().feed((WIRE / f"{name}.sse").read_bytes()))

    assert b'"content":"Well"' in out
    assert b'"finish_reason":"' not in out
    assert isinstance(stream.failure, UpstreamFailed)


def test_stream_that_breaks_off_is_an_error(start: Start) -> None:
    """Without ``[DONE]`` nobody knows whether there was more."""
    stream = start(stream=True).stream(0)
    stream.feed(Decoder().feed((WIRE / "cut-2026.sse").read_bytes()))

    with pytest.raises(UpstreamProtocolError):
        stream.finish()
