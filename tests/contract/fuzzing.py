"""What tests of any content share: strategies that mostly draw what is sound, a GLM with one answer, a check."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec
from hypothesis import strategies as st

from gateway.upstream.wire import OverHttpx
from tests.fakes import DONE, Caller, call_app, chunk, completion, last_chunk
from tests.running import Gateway

PATIENCE_SECONDS = 30

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


def encode(value: Any) -> bytes:
    """Encode as JSON; what JSON cannot say is left to Python's own habits, such as NaN."""
    return json.dumps(value).encode()


answers = (
    st.binary(max_size=200)
    | values.map(encode)
    | st.dictionaries(
        st.sampled_from(["id", "choices", "usage", "error", "web_search", "created"]), values, max_size=3
    ).map(lambda told: encode(completion() | told))
)
"""What GLM might say: bytes, JSON, and answers of which a part is odd."""


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


@contextmanager
def saying(gateway: Gateway, answer: bytes) -> Iterator[None]:
    """Let GLM answer with this, whole and as the only event of a stream."""
    streamed = b"data: " + answer.replace(b"\n", b"") + b"\n\n" + DONE
    gateway.desk.upstream._transport = OverHttpx(Canned(answer, streamed))
    try:
        yield
    finally:
        gateway.desk.upstream._transport = OverHttpx(WELL)


def check(runner: asyncio.Runner, gateway: Gateway, body: bytes, *, path: str, **headers: str) -> int:
    """
    Send a body and give the status of the answer.

    No mistake of ours is told, an error is always OpenAI's, and nothing is held afterwards.
    """
    caller = Caller(body)
    held = runner.run(serve(gateway, caller, path=path, **headers))
    assert caller.status is not None
    if caller.status != 200:
        error = msgspec.json.decode(caller.body)["error"]
        assert {"message", "type", "param", "code"} == error.keys()
    assert b'"code":"internal_error"' not in caller.body
    assert (0, caller.status) == (held, gateway.record.status)
    return caller.status


async def serve(gateway: Gateway, caller: Caller, *, path: str, **headers: str) -> int:
    """Serve a caller; gives how many slots are held after that."""
    gateway.records.clear()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await call_app(gateway.app, caller, path, **headers)
    return gateway.slots
