"""The endpoint as a whole: no request breaks it, and no answer of GLM's comes out wrong."""

import string
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import TypeAdapter

from gateway.errors import ClientError
from gateway.translate.chat.claims import Tagger
from gateway.translate.chat.endpoint import begin, chat_endpoint, read
from gateway.translate.chat.job import ChatJob
from gateway.translate.chat.params import CHAT
from gateway.translate.endpoint import Context
from gateway.translate.sse import Decoder

Start = Callable[..., ChatJob]
CHUNK, WHOLE = TypeAdapter(ChatCompletionChunk), TypeAdapter(ChatCompletion)
SECRET = "tell nobody this prompt"

# --- Requests ---------------------------------------------------------------------------------------

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        [SECRET, "", "user", "text", "auto", "function", "json_schema", "https://a/b", "data:;base64,"]
    )
)
KEYS = st.sampled_from(
    [
        *CHAT,
        "role",
        "content",
        "type",
        "text",
        "function",
        "name",
        "parameters",
        "schema",
        "json_schema",
        "image_url",
    ]
)
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
PART = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "text": LEAVES}),
    st.fixed_dictionaries({"type": st.just("image_url"), "image_url": st.fixed_dictionaries({"url": LEAVES})}),
    st.fixed_dictionaries({"type": st.sampled_from(["file", "refusal", "input_audio", "video_url"])}),
    ANYTHING,
)
MESSAGE = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["system", "user", "assistant", "tool", "developer", "function", SECRET]),
        "content": LEAVES | st.lists(PART, max_size=3),
    },
    optional={"tool_calls": ANYTHING, "name": LEAVES, "tool_call_id": LEAVES, "function_call": ANYTHING},
)
REQUEST = st.fixed_dictionaries(
    {"model": st.just("glm-4.6v") | st.just("glm-4.7"), "messages": st.lists(MESSAGE, max_size=3)},
    optional={name: ANYTHING for name in CHAT if name not in ("model", "messages")},
)


TAGGER = Tagger(b"secret")
ENDPOINT = chat_endpoint(TAGGER)


def check(body: bytes, context: Callable[..., Context]) -> None:
    """Read and begin: what comes is a job whose calls are valid JSON, or a caller's error that tells no secret."""
    refusal: ClientError | None = None
    try:
        incoming = read(body)
        model = incoming.model if incoming.model.startswith("glm-4") else "glm-4.7"
        job = begin(incoming, context(model), tagger=TAGGER)
    except ClientError as error:
        refusal = error
    if refusal is not None:
        assert SECRET not in f"{refusal.message} {refusal.param}"
        return
    for call in job.calls:
        call.body.decode()
        assert msgspec.json.decode(call.body, type=dict[str, msgspec.Raw])


@settings(max_examples=400)
@given(REQUEST)
def test_request_of_any_content_becomes_a_job_or_a_clients_error(
    context: Callable[..., Context], request_fields: dict[str, Any]
) -> None:
    """Wrong types in any place are the caller's fault, told without a word of what was sent."""
    check(msgspec.json.encode(request_fields), context)


SCRAPS = [
    b'{"model":"glm-4.7","messages":[{"role":"user","content":"x"}]',
    *(b",", b"}", b"{", b"[", b"]", b'"', b"null", b"-", b"\x00", b" \n\t", b"NaN", b"\xff", b"\xed\xa0\x80"),
    *(b'"tools":', b'"stop":', b'"n":1e999', b'"messages":[]', b'"model":null', b'"seed":' + b"9" * 400),
    *(b'"user":"\\ud800"', b'"user":"\\udc00\\ud800"', b'"user":"\\u0000"'),
    b'"tools":[{"type":"function","function":{"name":"f","parameters":{"a":"\\ud800"}}}]',
    b'"tools":[{"type":"function","function":{"name":"f","parameters":{"a":1e999}}}]',
    *(b'"x":' + b"[" * 5000 + b"]" * 5000, b'"x":' + b'{"a":' * 5000),
]


@settings(max_examples=400)
@given(st.lists(st.sampled_from(SCRAPS), max_size=8).map(b"".join) | st.binary(max_size=60))
def test_bytes_of_any_kind_become_a_job_or_a_clients_error(context: Callable[..., Context], body: bytes) -> None:
    """No body, however malformed, is a mistake of ours."""
    check(body, context)


def test_deep_json_is_a_clients_error_wherever_it_stands(context: Callable[..., Context]) -> None:
    """Each place that keeps JSON as it came is bounded too."""
    for depth in (500, 900, 1_100, 50_000):
        deep = b'{"a":' * depth + b"1" + b"}" * depth
        for place in (
            b'"tools":[{"type":"function","function":{"name":"f","parameters":%b}}]',
            b'"metadata":%b',
            b'"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":%b}}',
            b'"tools":[{"type":"web_search","web_search":%b}]',
            b'"prediction":%b',
            b'"x":%b',
        ):
            check(b'{"model":"glm-4.7","messages":[{"role":"user","content":"x"}],' + place % deep + b"}", context)


def test_endpoint_serves_chat() -> None:
    """The record that joins a route to GLM."""
    assert (ENDPOINT.operation, ENDPOINT.path) == ("chat", "/chat/completions")


@pytest.mark.parametrize(("stream", "expected"), [(True, True), (False, False), (None, False)])
def test_stream_is_asked_for_or_not(stream: object, expected: object) -> None:
    """Null is no."""
    body = {"model": "glm-4.7", "messages": [{"role": "user", "content": "x"}], "stream": stream}

    assert read(msgspec.json.encode(body)).stream is expected


# --- Answers ----------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
WORDS = st.text(string.ascii_letters, min_size=1, max_size=5)
ARGUMENTS = st.dictionaries(WORDS, TEXT, max_size=2)
CALLS = st.lists(st.tuples(WORDS, ARGUMENTS), max_size=3)
USAGE = st.fixed_dictionaries(
    {name: st.integers(0, 10**6) for name in ("prompt_tokens", "completion_tokens", "total_tokens")},
    optional={"prompt_tokens_details": st.fixed_dictionaries({"cached_tokens": st.none() | st.integers(0, 9)})},
)
REASONS = st.sampled_from(["stop", "length", "tool_calls", "sensitive", "model_context_window_exceeded"])
SEARCH = st.lists(
    st.fixed_dictionaries({}, optional={"title": TEXT, "link": TEXT, "refer": st.just("ref_1"), "icon": TEXT}),
    max_size=2,
)


class Content(msgspec.Struct):
    """What one answer says, to be shaped as a whole or as a stream."""

    reasoning: list[str]
    text: list[str]
    calls: list[tuple[str, dict[str, str]]]
    usage: dict[str, Any]
    reason: str
    search: list[dict[str, str]]


CONTENT = st.builds(Content, st.lists(TEXT, max_size=3), st.lists(TEXT, max_size=3), CALLS, USAGE, REASONS, SEARCH)


def whole_of(content: Content) -> bytes:
    message: dict[str, Any] = {"role": "assistant", "content": "".join(content.text)}
    message |= {"reasoning_content": "".join(content.reasoning)} if content.reasoning else {}
    calls = [
        {"id": f"call_{i}", "index": i, "type": "function", "function": {"name": n, "arguments": a}}
        for i, (n, a) in enumerate(content.calls)
    ]
    message |= {"tool_calls": calls} if calls else {}
    choice = {"index": 0, "finish_reason": content.reason, "message": message}
    return msgspec.json.encode({"choices": [choice], "usage": content.usage, "web_search": content.search})


def stream_of(content: Content) -> bytes:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "reasoning_content": one} for one in content.reasoning]
    deltas += [{"role": "assistant", "content": one} for one in content.text]
    for index, (name, arguments) in enumerate(content.calls):
        text = msgspec.json.encode(arguments).decode()
        head = {"id": f"call_{index}", "type": "function", "index": index}
        deltas.append({"tool_calls": [head | {"function": {"name": name, "arguments": text[:2]}}]})
        deltas.append({"tool_calls": [{"index": index, "function": {"arguments": text[2:]}}]})
    chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    last = {"index": 0, "finish_reason": content.reason, "delta": {"role": "assistant", "content": ""}}
    chunks.append({"choices": [last], "usage": content.usage, "web_search": content.search})
    return b"".join(b"data: %b\n\n" % msgspec.json.encode(one) for one in chunks) + b"data: [DONE]\n\n"


def translated(start: Start, pieces: list[bytes]) -> bytes:
    """Give what a caller gets for a stream that comes in these pieces."""
    job = start(stream=True, stream_options={"include_usage": True}, tools=TOOLS)
    decoder, stream = Decoder(), job.stream(0)
    out = b"".join(stream.feed(decoder.feed(piece)) for piece in pieces)
    assert stream.failure is None
    return out + stream.feed(decoder.finish()) + stream.finish() + job.close()


TOOLS = [{"type": "function", "function": {"name": "f"}}]


@given(CONTENT, st.lists(st.integers(0, 3000)))
def test_stream_is_the_same_however_the_network_cuts_it(start: Start, content: Content, cuts: list[int]) -> None:
    """Byte for byte."""
    wire = stream_of(content)
    edges = [0, *sorted(cuts), len(wire)]

    pieces = [wire[begin:end] for begin, end in pairwise(edges)]

    assert translated(start, [wire]) == translated(start, pieces)


@settings(max_examples=200)
@given(CONTENT)
def test_answer_is_valid_and_the_same_whole_and_streamed(start: Start, content: Content) -> None:
    """OpenAI's own types take every answer strictly, and its accumulator makes of a stream what comes whole."""
    job = start(tools=TOOLS)
    assert job.receive(0, whole_of(content)) is None
    whole = WHOLE.validate_json(job.result(), strict=True)
    *chunks, done = Decoder().feed(translated(start, [stream_of(content)]))
    state: ChatCompletionStreamState[Any] = ChatCompletionStreamState()
    for chunk in chunks:
        state.handle_chunk(CHUNK.validate_json(chunk, strict=True))
    added_up = state.current_completion_snapshot

    assert done == b"[DONE]"
    assert facts(whole) == facts(added_up)
    assert {call.index for chunk in chunks for call in calls_in(chunk)} == {*range(len(content.calls))}


def calls_in(chunk: bytes) -> list[Any]:
    return [call for choice in CHUNK.validate_json(chunk).choices for call in choice.delta.tool_calls or ()]


def facts(completion: Any) -> dict[str, Any]:
    (choice,) = completion.choices
    message = choice.message
    return {
        "id": completion.id,
        "model": completion.model,
        "role": message.role,
        "reason": choice.finish_reason,
        "content": message.content or "",
        "reasoning": getattr(message, "reasoning_content", None) or "",
        "calls": [(one.id, one.function.name, one.function.arguments) for one in message.tool_calls or ()],
        "sources": [
            note.model_dump() if hasattr(note, "model_dump") else note for note in message.annotations or ()
        ],
        "usage": completion.usage.model_dump(),
    }
