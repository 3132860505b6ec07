"""The stand-in's tokenizer: counts what chat counts, and refuses what the platform's pages leave out."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gateway.simulator import Running

Count = Callable[..., httpx.Response]

QUESTION = {"role": "user", "content": "What does a harbour master do all day?"}
PICTURE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


@pytest.fixture
def count(zhipu: Running, connect: Callable[..., httpx.Client]) -> Count:
    """Ask how many tokens a question has; fields replace those of a small valid request."""
    client = connect(zhipu)
    return lambda **fields: client.post("/tokenizer", json={"model": "glm-4.6", "messages": [QUESTION]} | fields)


def test_count_is_that_of_a_chat(count: Count, ask: Callable[..., httpx.Response]) -> None:
    answer = ask(model="glm-4.6", messages=[QUESTION]).json()

    assert answer["usage"]["prompt_tokens"] == count().json()["usage"]["prompt_tokens"]


def test_pictures_are_counted_apart(count: Count) -> None:
    usage = count(model="glm-4.6v", messages=[{"role": "user", "content": [PICTURE]}]).json()["usage"]

    assert usage["image_tokens"] > 0
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["image_tokens"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"model": "glm-4.7"}, "1211"),
        ({"messages": None}, "1213"),
        ({"messages": [{"role": "system", "content": "Be brief."}]}, "1214"),
        ({"messages": [QUESTION, {"role": "tool", "content": "1", "tool_call_id": "c"}]}, "1214"),
        ({"temperature": 0.5}, "1210"),
    ],
)
def test_what_the_platform_does_not_take_is_refused(count: Count, fields: dict[str, Any], code: str) -> None:
    assert code == count(**fields).json()["error"]["code"]


def test_no_slot_is_taken(start: Callable[..., Running], connect: Callable[..., httpx.Client]) -> None:
    standing = start(limits={"glm-4.6": (0, 0, 0, 0)})

    answer = connect(standing).post("/tokenizer", json={"model": "glm-4.6", "messages": [QUESTION]})

    assert 200 == answer.status_code
