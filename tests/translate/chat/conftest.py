"""A short way to send a request through the translation and to hear an answer, whole or streamed."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

import gateway
from gateway.catalog import Catalog
from gateway.translate.chat import stream
from gateway.translate.chat.claims import Tagger
from gateway.translate.chat.endpoint import begin, read
from gateway.translate.chat.job import ChatJob
from gateway.translate.endpoint import Context
from gateway.translate.sse import Decoder

CATALOG = Catalog.parse((Path(gateway.__file__).parent / "catalog.toml").read_text("utf-8"))
QUESTION = [{"role": "user", "content": "Hello"}]
CREATED = 1_760_000_000
TAGGER = Tagger(b"secret")


@pytest.fixture(scope="session")
def context() -> Callable[..., Context]:
    """Give the context of a translation to the model of this name."""

    def context(name: str, **more: Any) -> Context:
        return Context(model=CATALOG.resolve(name), id="0123456789abcdef", created=CREATED, **more)

    return context


@pytest.fixture(scope="session")
def start(context: Callable[..., Context]) -> Callable[..., ChatJob]:
    """Start the job of a request with these fields, to glm-4.7 and with a question unless they say otherwise."""

    def start(
        *,
        strict: bool = False,
        effort: str | None = None,
        recalled: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> ChatJob:
        incoming = read(msgspec.json.encode({"model": "glm-4.7", "messages": QUESTION} | fields))
        more = {"strict": strict, "reasoning_effort": effort, "recalled": recalled or {}}
        return begin(incoming, context(incoming.model, **more), tagger=TAGGER)

    return start


@pytest.fixture(scope="session")
def sent(start: Callable[..., ChatJob]) -> Callable[..., dict[str, Any]]:
    """Give what GLM is sent for a request with these fields."""

    def sent(**fields: Any) -> dict[str, Any]:
        body: dict[str, Any] = msgspec.json.decode(start(**fields).calls[0].body)
        return body

    return sent


@pytest.fixture(scope="session")
def said() -> Callable[..., bytes]:
    """Make one of GLM's whole answers; a message, and what goes beside it in the choice or at the top."""

    def said(message: Mapping[str, Any], *, finish_reason: str = "stop", **top: Any) -> bytes:
        choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", **message}}
        return msgspec.json.encode({"id": "1", "created": 1, "model": "glm", "choices": [choice], **top})

    return said


@pytest.fixture(params=[1, stream.FIRST_LOOK], ids=["by its pattern", "whole"])
def first_look(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read chunks by what repeats in them, although these streams are short, and read each of them whole."""
    monkeypatch.setattr(stream, "FIRST_LOOK", request.param)


@pytest.fixture(scope="session")
def heard(start: Callable[..., ChatJob]) -> Callable[..., tuple[ChatJob, list[dict[str, Any]]]]:
    """
    Stream chunks of GLM's to a request with these fields; give the job and the caller's chunks.

    Chunks are the payloads, or deltas of a choice when they are dicts without one. ``[DONE]`` is added.
    """

    def heard(chunks: Iterable[Any], **fields: Any) -> tuple[ChatJob, list[dict[str, Any]]]:
        job = start(stream=True, **fields)
        telling = job.stream(0)
        out = telling.feed([*map(payload, chunks), b"[DONE]"])
        if telling.failure is not None:
            raise telling.failure
        return job, events(out + telling.finish() + job.close())

    return heard


def payload(chunk: Any) -> bytes:
    if isinstance(chunk, bytes):
        return chunk
    if "choices" not in chunk and "error" not in chunk:
        reason = {"finish_reason": chunk.pop("finish_reason")} if "finish_reason" in chunk else {}
        chunk = {"choices": [{"index": 0, "delta": chunk} | reason]}
    return msgspec.json.encode(chunk)


def events(out: bytes) -> list[dict[str, Any]]:
    *payloads, last = Decoder().feed(out)
    assert last == b"[DONE]"
    return [msgspec.json.decode(one) for one in payloads]
