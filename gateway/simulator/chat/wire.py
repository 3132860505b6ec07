"""
An answer on the wire, whole or as a stream, in the shapes of 2025 and of 2026. No thinking, no I/O.

Source: recorded traffic of both years and docs.bigmodel.cn, streaming and stream-tool. What 2026 added: ``object``
and ``completion_tokens_details``. What both have: no ``finish_reason`` before the last chunk, ``role`` in every
delta but those of tool calls, and usage in the last chunk.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from gateway.simulator.chat.voice import Segment, packed
from gateway.simulator.platform import Sound, Wire
from gateway.simulator.tokens import pieces

JsonObject = dict[str, Any]


class Call(Struct, frozen=True, kw_only=True):
    """A call of a function; ``arguments`` is JSON text."""

    name: str
    arguments: str


class Answer(Struct, frozen=True, kw_only=True):
    """What the model says, in tokens, and what it cost; ``spoken`` is the text again with its sound, if any."""

    reasoning: list[str]
    text: list[str]
    calls: list[Call]
    finish_reason: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    spoken: list[Segment]
    searches: list[JsonObject]
    searches_first: bool = False


class Stamp(Struct, frozen=True, kw_only=True):
    """What the messages of one answer carry; ``call_ids`` are for its calls, ``audio_id`` is for its sound."""

    id: str
    created: int
    model: str
    wire: Wire
    sound: Sound
    call_ids: list[str]
    audio_id: str
    audio_expires_at: int


def whole(answer: Answer, *, stamp: Stamp) -> JsonObject:
    """Shape an answer that is sent at once."""
    message: JsonObject = {"content": "".join(answer.text), "role": "assistant"}
    if answer.reasoning:
        message["reasoning_content"] = "".join(answer.reasoning)
    if answer.calls:
        message["tool_calls"] = [
            _call(call, index=index, call_id=stamp.call_ids[index]) for index, call in enumerate(answer.calls)
        ]
    if answer.spoken:
        message["audio"] = _audio(b"".join(segment.pcm for segment in answer.spoken), stamp=stamp)
    body: JsonObject = {
        "choices": [{"finish_reason": answer.finish_reason, "index": 0, "message": message}],
        "created": stamp.created,
        "id": stamp.id,
        "model": stamp.model,
        "request_id": stamp.id,
        "usage": usage(answer, wire=stamp.wire),
    }
    if stamp.wire == "2026":
        body["object"] = "chat.completion"
    if answer.searches:
        body["web_search"] = answer.searches
    return body


def chunks(answer: Answer, *, stamp: Stamp, fragments: bool) -> Iterator[JsonObject]:
    """Shape an answer as chunks, a token each; with ``fragments`` the arguments of calls come piecemeal."""
    first_extra = {"web_search": answer.searches} if answer.searches_first else {}
    for index, delta in enumerate(_deltas(answer, stamp=stamp, fragments=fragments)):
        yield _chunk({"index": 0, "delta": delta}, stamp=stamp) | (first_extra if index == 0 else {})
    last = {"index": 0, "finish_reason": answer.finish_reason, "delta": {"role": "assistant", "content": ""}}
    extra: JsonObject = {"usage": usage(answer, wire=stamp.wire)}
    if answer.searches and not answer.searches_first:
        extra["web_search"] = answer.searches
    yield _chunk(last, stamp=stamp) | extra


def usage(answer: Answer, *, wire: Wire) -> JsonObject:
    """Count the tokens of an answer; reasoning is counted apart since 2026."""
    counted: JsonObject = {
        "completion_tokens": answer.completion_tokens,
        "prompt_tokens": answer.prompt_tokens,
        "prompt_tokens_details": {"cached_tokens": answer.cached_tokens},
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
    }
    if wire == "2026":
        counted["completion_tokens_details"] = {"reasoning_tokens": len(answer.reasoning)}
    return counted


def _chunk(choice: JsonObject, *, stamp: Stamp) -> JsonObject:
    head: JsonObject = {"id": stamp.id, "created": stamp.created}
    if stamp.wire == "2026":
        head["object"] = "chat.completion.chunk"
    return head | {"model": stamp.model, "choices": [choice]}


def _deltas(answer: Answer, *, stamp: Stamp, fragments: bool) -> Iterator[JsonObject]:
    opening = {"content": ""} if stamp.model.startswith("glm-4.5") else {}
    for piece in answer.reasoning:
        yield {"role": "assistant"} | opening | {"reasoning_content": piece}
        opening = {}
    yield from _spoken(answer.spoken, stamp=stamp) if answer.spoken else _written(answer.text)
    for index, call in enumerate(answer.calls):
        parts: Iterable[JsonObject] = [_call(call, index=index, call_id=stamp.call_ids[index])]
        if fragments:
            parts = _fragments(call, index=index, call_id=stamp.call_ids[index])
        for part in parts:
            yield {"tool_calls": [part]}


def _written(text: list[str]) -> Iterator[JsonObject]:
    for piece in text:
        yield {"role": "assistant", "content": piece}


def _spoken(segments: list[Segment], *, stamp: Stamp) -> Iterator[JsonObject]:
    yield {"role": "assistant", "content": ""}
    for segment in segments:
        yield {"role": "assistant", "content": segment.text, "audio": _audio(segment.pcm, stamp=stamp)}


def _audio(pcm: bytes, *, stamp: Stamp) -> JsonObject:
    return {"id": stamp.audio_id, "data": packed(pcm, sound=stamp.sound), "expires_at": stamp.audio_expires_at}


def _call(call: Call, *, index: int, call_id: str) -> JsonObject:
    function = {"arguments": call.arguments, "name": call.name}
    return {"function": function, "id": call_id, "index": index, "type": "function"}


def _fragments(call: Call, *, index: int, call_id: str) -> Iterator[JsonObject]:
    first, *others = pieces(call.arguments)
    yield _call(Call(name=call.name, arguments=first), index=index, call_id=call_id)
    for piece in others:
        yield {"function": {"arguments": piece}, "index": index}
