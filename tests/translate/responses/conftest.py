"""A short way to send a request for a response through the translation, and to hear an answer."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

import gateway
from gateway.catalog import Catalog
from gateway.translate.endpoint import Context
from gateway.translate.responses.endpoint import read, responses_endpoint
from gateway.translate.responses.job import ResponseJob
from gateway.translate.responses.sealing import Sealer

CATALOG = Catalog.parse((Path(gateway.__file__).parent / "catalog.toml").read_text("utf-8"))
CREATED = 1_760_000_000
SEALER = Sealer(bytes(64))

Start = Callable[..., ResponseJob]
Sent = Callable[..., dict[str, Any]]
Heard = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="session")
def start() -> Start:
    """Start the job of a request with these fields, to glm-4.7 and with a question unless they say otherwise."""

    def start(
        *,
        recalled: Mapping[str, str] | None = None,
        strict: bool = False,
        keeps: bool = True,
        **fields: Any,
    ) -> ResponseJob:
        incoming = read(msgspec.json.encode({"model": "glm-4.7", "input": "Hello"} | fields))
        context = Context(
            model=CATALOG.resolve(incoming.model),
            id="0123456789abcdef",
            created=CREATED,
            tenant="team",
            strict=strict,
            recalled=recalled or {},
        )
        job = responses_endpoint(SEALER, keeps=keeps).begin(incoming, context)
        assert isinstance(job, ResponseJob)
        return job

    return start


@pytest.fixture(scope="session")
def sent(start: Start) -> Sent:
    """Give what GLM is sent for a request with these fields."""

    def sent(**fields: Any) -> dict[str, Any]:
        body: dict[str, Any] = msgspec.json.decode(start(**fields).calls[0].body)
        return body

    return sent


@pytest.fixture(scope="session")
def heard(start: Start) -> Heard:
    """Stream deltas of GLM's to a request with these fields; give the caller's events."""

    def heard(deltas: Iterable[Mapping[str, Any]], **fields: Any) -> list[dict[str, Any]]:
        job = start(stream=True, **fields)
        return events(stream(job, deltas))

    return heard


def stream(job: ResponseJob, deltas: Iterable[Mapping[str, Any]]) -> bytes:
    """Play deltas into a job's only call, and give all that its caller is sent."""
    call = job.stream(0)
    out = call.feed([*map(chunk, deltas), b"[DONE]"])
    if call.failure is not None:
        raise call.failure
    return out + call.finish() + job.close()


def chunk(delta: Mapping[str, Any]) -> bytes:
    """Make a chunk of a delta; ``finish_reason``, ``usage`` and ``web_search`` go where they belong."""
    told = dict(delta)
    top = {name: told.pop(name) for name in ("usage", "web_search") if name in told}
    reason = {"finish_reason": told.pop("finish_reason")} if "finish_reason" in told else {}
    return msgspec.json.encode({"choices": [{"index": 0, "delta": told} | reason]} | top)


def events(out: bytes) -> list[dict[str, Any]]:
    """Read events, of which the first line says again what the data says."""
    found = []
    for block in out.decode().split("\n\n")[:-1]:
        name, data = block.split("\n")
        event: dict[str, Any] = msgspec.json.decode(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        found.append(event)
    return found


def whole(message: Mapping[str, Any], *, finish_reason: str = "stop", **top: Any) -> bytes:
    """Make one of GLM's whole answers."""
    choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", **message}}
    return msgspec.json.encode({"id": "1", "created": 1, "model": "glm", "choices": [choice], **top})


def answered(job: ResponseJob, answer: bytes) -> dict[str, Any]:
    """Give the response that a whole answer becomes."""
    assert job.receive(0, answer) is None
    response: dict[str, Any] = msgspec.json.decode(job.result())
    return response


def function(name: str = "look_up", **more: Any) -> dict[str, Any]:
    """Give a function tool."""
    return {"type": "function", "name": name, "parameters": {"type": "object"}} | more
