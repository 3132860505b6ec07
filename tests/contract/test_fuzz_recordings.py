"""Whatever is uploaded as a recording, in whatever form, is transcribed or is the caller's fault."""

import asyncio
from functools import cache
from random import Random

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.fuzzing import check
from tests.fakes import event
from tests.forms import FORM_TYPE, form
from tests.recordings import CONTAINERS, ESPEAK, harmed, packed, speak, tone
from tests.running import Gateway

SAID = b'{"id": "1", "created": 1, "request_id": "1", "text": "Hello."}'
STREAMED = event({"type": "transcript.text.delta", "delta": "Hello."}) + event(
    {"type": "transcript.text.done", "text": "Hello."}
)

seeds = st.integers(0, 2**32)
names = st.sampled_from(
    [
        "model",
        "prompt",
        "stream",
        "response_format",
        "temperature",
        "keywords[]",
        "timestamp_granularities[]",
        "file",
    ]
) | st.text(max_size=12)
texts = st.sampled_from(
    [b"true", b"verbose_json", b"srt", b"text", b"0.5", b"segment", b"en", b"[]", b""]
) | st.binary(max_size=20)


class Listening(httpx.AsyncBaseTransport):
    """A GLM that always hears the same."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        streams = b'name="stream"\r\n\r\ntrue\r\n' in await request.aread()
        kind = b"text/event-stream" if streams else b"application/json"
        return httpx.Response(200, headers=[(b"content-type", kind)], content=STREAMED if streams else SAID)


@cache
def files() -> tuple[bytes, ...]:
    """Give a spoken word in every container."""
    sound = speak("one two") if ESPEAK else tone()
    return tuple(packed(sound, kind) for kind in CONTAINERS)


@pytest.fixture(scope="module")
def gateway() -> Gateway:
    return Gateway(transport=Listening())


def status_of(runner: asyncio.Runner, gateway: Gateway, body: bytes) -> int:
    return check(runner, gateway, body, path="/v1/audio/transcriptions", content_type=FORM_TYPE)


@settings(max_examples=1_500)
@given(seed=seeds)
def test_damaged_recordings_are_heard_or_refused(runner: asyncio.Runner, gateway: Gateway, seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - not a secret
    file = harmed(chance.choice(files()), files(), chance)
    stream = chance.choice((b"true", b"false"))

    status = status_of(
        runner,
        gateway,
        form(('name="file"; filename="upload"', file), ('name="model"', b"whisper-1"), ('name="stream"', stream)),
    )

    assert status in (200, 400)


@settings(max_examples=500)
@given(seed=seeds, fields=st.lists(st.tuples(names, texts), max_size=6))
def test_damaged_forms_are_read_or_refused(
    runner: asyncio.Runner, gateway: Gateway, seed: int, fields: list[tuple[str, bytes]]
) -> None:
    chance = Random(seed)  # noqa: S311 - not a secret
    parts = [
        *((f'name="{name}"', text) for name, text in fields),
        ('name="model"', b"whisper-1"),
        ('name="file"; filename="a.wav"', files()[0]),
    ]
    chance.shuffle(parts)
    whole = form(*parts)
    body = harmed(whole, [whole, *files()], chance) if seed % 2 else whole

    assert status_of(runner, gateway, body) in (200, 400, 404, 413)
