"""``POST /embeddings`` of the stand-in, on the wire."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gateway.simulator import Running
from gateway.simulator.book import Place
from gateway.simulator.embeddings.vectors import embed
from gateway.simulator.faults import Latency

Embed = Callable[..., httpx.Response]


@pytest.fixture
def post(zhipu: Running, connect: Callable[..., httpx.Client]) -> Embed:
    """Ask the shared stand-in for embeddings; fields replace those of a small valid request."""
    client = connect(zhipu, **{"accept-language": "en"})

    def send(**fields: Any) -> httpx.Response:
        return client.post("/embeddings", json={"model": "embedding-3", "input": "hello world"} | fields)

    return send


def test_answer_has_the_platforms_shape(post: Embed) -> None:
    """With ``completion_tokens``, which are always 0."""
    answer = post(input=["hello", "world"], dimensions=256)

    assert 200 == answer.status_code
    assert {
        "model": "embedding-3",
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": embed("hello", dimensions=256)},
            {"object": "embedding", "index": 1, "embedding": embed("world", dimensions=256)},
        ],
        "usage": {"prompt_tokens": 2, "completion_tokens": 0, "total_tokens": 2},
    } == answer.json()


@pytest.mark.parametrize(("model", "dimensions"), [("embedding-3", 2048), ("embedding-2", 1024)])
def test_vectors_have_the_default_size_when_none_is_asked_for(post: Embed, model: str, dimensions: int) -> None:
    assert dimensions == len(post(model=model).json()["data"][0]["embedding"])


def test_too_many_texts_are_refused_in_the_platforms_words(post: Embed) -> None:
    """As callers report it."""
    answer = post(input=["hello"] * 65)

    assert 400 == answer.status_code
    assert {"code": "1214", "message": "The input array must not exceed 64 items"} == answer.json()["error"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"model": None}, "1213"), ({"model": "glm-4.7"}, "1211"), ({"dimensions": 100}, "1210")],
    ids=["no model", "chat model", "dimensions"],
)
def test_wrong_request_is_refused(post: Embed, fields: dict[str, Any], code: str) -> None:
    answer = post(**fields)

    assert 400 == answer.status_code
    assert code == answer.json()["error"]["code"]


def test_requests_are_counted_like_those_of_chat(zhipu: Running, post: Embed) -> None:
    post()
    post()

    assert {Place("demo", "embedding-3"): 2} == zhipu.simulator.book.accepted


def test_1302_is_answered_above_the_tier(
    start: Callable[..., Running], connect: Callable[..., httpx.Client]
) -> None:
    """While as many are under way as the account's tier allows."""
    standing = start(limits={"embedding-3": (1, 1, 1, 1)}, faults=[Latency(seconds=float("inf"), headers=True)])
    client = connect(standing)
    request = {"model": "embedding-3", "input": "hello"}

    with client.stream("POST", "/embeddings", json=request) as held:
        assert 200 == held.status_code
        second = client.post("/embeddings", json=request)

    assert (429, "1302") == (second.status_code, second.json()["error"]["code"])
