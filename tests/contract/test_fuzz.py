"""Whatever is sent, by callers or by GLM, nobody sees a mistake of ours."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.openai.chat import CreateChatCompletionRequest
from gateway.upstream.wire import OverHttpx
from tests.fakes import DONE, Caller, call_app, chunk, completion, last_chunk
from tests.running import Gateway

FIELDS = sorted(CreateChatCompletionRequest.__struct_fields__)
CHAT = "/v1/chat/completions"
KINDS = ["object", "string", "integer", "array", "nothing"]
MODELS = ["glm-4.7", "glm-4.5v", "glm-4.5-flash", "gpt-4o", "glm-4-voice", "embedding-3"]

text = st.text(max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


def either(*sound: Any) -> st.SearchStrategy[Any]:
    """Draw something sound, now and then something that is not."""
    likely = st.one_of(*sound)
    return st.integers(0, 30).flatmap(lambda dice: likely if dice else values)


def fields(
    required: dict[str, st.SearchStrategy[Any]], optional: dict[str, st.SearchStrategy[Any]] | None = None
) -> st.SearchStrategy[dict[str, Any]]:
    drawn: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(required, optional=optional or {})
    return drawn


call = fields(
    {
        "id": either(text),
        "type": either(st.just("function")),
        "function": fields({"name": either(st.just("f")), "arguments": either(st.just("{}"), text)}),
    }
)
part = st.one_of(
    fields({"type": st.just("text"), "text": either(text)}),
    fields({"type": st.just("image_url"), "image_url": either(fields({"url": either(text)}))}),
    fields({"type": either(st.sampled_from(["file", "input_audio", "refusal", "video_url"])), "text": values}),
)
message = st.one_of(
    fields({"role": either(st.sampled_from(["system", "developer", "user"])), "content": either(text)}),
    fields({"role": st.just("user"), "content": either(st.lists(part, max_size=3))}, {"name": either(text)}),
    fields({"role": st.just("assistant"), "content": either(text)}, {"reasoning_content": either(text)}),
    fields({"role": st.just("assistant"), "tool_calls": either(st.lists(call, max_size=2))}),
    fields({"role": st.just("tool"), "content": either(text), "tool_call_id": either(text)}),
)
schema = fields(
    {"type": either(st.sampled_from(KINDS))},
    {"properties": either(st.dictionaries(text, values, max_size=2)), "$ref": values, "pattern": either(text)},
)
tool = fields(
    {"type": st.just("function"), "function": fields({"name": either(st.just("f"))}, {"parameters": schema})}
)
answer_format = st.one_of(
    fields({"type": either(st.sampled_from(["text", "json_object"]))}),
    fields(
        {"type": st.just("json_schema"), "json_schema": fields({"name": either(text), "schema": either(schema)})}
    ),
)
requests = st.builds(
    lambda sound, odd: sound | odd,
    fields(
        {"model": either(st.sampled_from(MODELS)), "messages": either(st.lists(message, min_size=1, max_size=4))},
        {
            "temperature": either(st.floats(0, 2)),
            "top_p": either(st.floats(0, 1)),
            "max_tokens": either(st.integers(1, 4096)),
            "stop": either(text, st.lists(text, max_size=4)),
            "n": either(st.integers(1, 3)),
            "stream": either(st.booleans()),
            "stream_options": either(fields({"include_usage": either(st.booleans())})),
            "reasoning_effort": either(st.sampled_from(["none", "low", "high"])),
            "tools": either(st.lists(tool, max_size=2)),
            "tool_choice": either(st.sampled_from(["auto", "none", "required"])),
            "response_format": either(answer_format),
        },
    ),
    st.integers(0, 3).flatmap(
        lambda dice: (
            st.just({}) if dice else st.dictionaries(st.sampled_from([*FIELDS, "unknown"]), values, max_size=1)
        )
    ),
)


class Canned(httpx.AsyncBaseTransport):
    """A GLM that always says the same: to a call that streams, and to one that does not."""

    def __init__(self, whole: bytes, streamed: bytes) -> None:
        self._whole = whole
        self._streamed = streamed

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = b"".join([piece async for piece in request.stream])  # type: ignore[union-attr]
        if json.loads(body).get("stream"):
            headers = [(b"content-type", b"text/event-stream")]
            return httpx.Response(200, headers=headers, stream=Pieces(self._streamed))
        return httpx.Response(200, headers=[(b"content-type", b"application/json")], stream=Pieces(self._whole))


class Pieces(httpx.AsyncByteStream):
    """A body that comes in pieces of one size."""

    def __init__(self, data: bytes, size: int = 40) -> None:
        self._data = data
        self._size = size

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._data), self._size):
            yield self._data[start : start + self._size]


WELL = Canned(json.dumps(completion()).encode(), chunk(content="Hello.") + last_chunk() + DONE)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as one:
        yield one


@pytest.fixture(scope="module")
def gateway() -> Gateway:
    return Gateway(transport=WELL)


def encode(value: Any) -> bytes:
    """Encode as JSON; what JSON cannot say is left to Python's own habits, such as NaN."""
    return json.dumps(value).encode()


def check(runner: asyncio.Runner, gateway: Gateway, body: bytes, *, path: str = CHAT) -> Caller:
    """Send a body; the answer is never a 5xx, an error is always OpenAI's, and nothing is held afterwards."""
    caller = Caller(body)
    held = runner.run(serve(gateway, caller, path=path))
    assert caller.status is not None
    if caller.status != 200:
        error = msgspec.json.decode(caller.body)["error"]
        assert {"message", "type", "param", "code"} == error.keys()
    assert b'"code":"internal_error"' not in caller.body
    assert (0, caller.status) == (held, gateway.record.status)
    return caller


async def serve(gateway: Gateway, caller: Caller, *, path: str) -> int:
    """Serve a caller; gives how many slots are held after that."""
    gateway.records.clear()
    await call_app(gateway.app, caller, path)
    return gateway.slots


@given(body=st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_bytes_are_answered(runner: asyncio.Runner, gateway: Gateway, body: bytes) -> None:
    assert 400 == check(runner, gateway, body).status


@given(body=values)
@settings(max_examples=100, deadline=None)
def test_json_is_answered(runner: asyncio.Runner, gateway: Gateway, body: Any) -> None:
    assert 400 == check(runner, gateway, encode(body)).status


@given(request=requests)
@settings(max_examples=250, deadline=None)
def test_requests_are_answered(runner: asyncio.Runner, gateway: Gateway, request: dict[str, Any]) -> None:
    """Nothing a caller can say about a chat completion is our mistake."""
    status = check(runner, gateway, encode(request)).status

    assert status is not None
    # A schema that no answer keeps is the one case in which the model, which here always says the same, fails.
    assert status < 500 or (status == 502 and ("response_format" in request or "tool_choice" in request))


def test_depth_is_answered(runner: asyncio.Runner, gateway: Gateway) -> None:
    """JSON that is nested deeper than any stack."""
    for opening in (b"[", b'{"a":', b'{"model":"glm-4.7","messages":[{"role":"user","content":'):
        assert 400 == check(runner, gateway, opening * 100_000).status


answers = (
    st.binary(max_size=200)
    | values.map(encode)
    | st.dictionaries(
        st.sampled_from(["id", "choices", "usage", "error", "web_search", "created"]), values, max_size=3
    ).map(lambda told: encode(completion() | told))
)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@given(answer=answers)
@settings(max_examples=100, deadline=None)
def test_answers_are_understood_or_refused(
    runner: asyncio.Runner, gateway: Gateway, answer: bytes, *, stream: bool
) -> None:
    """GLM may say anything at all, too."""
    streamed = b"data: " + answer.replace(b"\n", b"") + b"\n\n" + DONE
    request = {"model": "glm-4.7", "stream": stream, "messages": [{"role": "user", "content": "x"}]}

    gateway.desk.upstream._transport = OverHttpx(Canned(answer, streamed))
    try:
        check(runner, gateway, encode(request))
    finally:
        gateway.desk.upstream._transport = OverHttpx(WELL)
