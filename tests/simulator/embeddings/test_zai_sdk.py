"""Zhipu's own SDK (PyPI ``zai-sdk``), unchanged, gets embeddings as from the platform."""

from collections.abc import Iterator
from typing import Any

import pytest
import zai
import zai.core

from gateway.simulator import DEMO_KEY, Running
from gateway.simulator.embeddings.vectors import embed


@pytest.fixture
def client(zhipu: Running) -> Iterator[Any]:
    client: Any = zai.ZaiClient(api_key=DEMO_KEY, base_url=zhipu.url, max_retries=0)
    yield client
    client.close()


def test_vectors_are_where_the_sdk_looks_for_them(client: Any) -> None:
    """With every parameter that the SDK has."""
    answer = client.embeddings.create(
        model="embedding-3",
        input=["hello", "world"],
        dimensions=256,
        encoding_format="float",
        user="somebody",
        request_id="request-1",
        sensitive_word_check={"type": "ALL", "status": "DISABLE"},
    )

    assert [embed("hello", dimensions=256), embed("world", dimensions=256)] == [
        one.embedding for one in answer.data
    ]
    assert (2, 0) == (answer.usage.prompt_tokens, answer.usage.completion_tokens)


def test_token_ids_are_a_bad_request(client: Any) -> None:
    """Though the SDK's types allow them."""
    with pytest.raises(zai.core.APIRequestFailedError, match="1214"):
        client.embeddings.create(model="embedding-3", input=[[15339, 1917]])
