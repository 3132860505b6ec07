"""What an embeddings request may hold, and with which code others are refused."""

from typing import Any

import pytest

from gateway.simulator.embeddings.checks import check_embeddings
from gateway.simulator.embeddings.models import EMBEDDING_MODELS
from gateway.simulator.refusals import Refusal

WORD = "word "


def refused(model: str = "embedding-3", **fields: Any) -> str | None:
    """Tell the code a request is refused with; None when it is taken."""
    try:
        check_embeddings({"model": model, "input": "hello"} | fields, model=EMBEDDING_MODELS[model])
    except Refusal as refusal:
        return refusal.code.code
    return None


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("embedding-3", {"input": "hello"}),
        ("embedding-3", {"input": ["hello"] * 64}),
        ("embedding-3", {"input": WORD * 3071}),
        ("embedding-3", {"input": [WORD * 3071] * 64}),
        *[("embedding-3", {"dimensions": dimensions}) for dimensions in (256, 512, 1024, 2048, None)],
        ("embedding-3", {"request_id": "123456", "user": "u", "encoding_format": "float"}),
        ("embedding-3", {"sensitive_word_check": {"type": "ALL", "status": "DISABLE"}}),
        ("embedding-2", {"dimensions": 1024}),
        ("embedding-2", {"input": ["hello"] * 100}),
        ("embedding-2", {"input": [WORD * 500] * 16}),
    ],
)
def test_request_is_taken_when_it_is_in_range(model: str, fields: dict[str, Any]) -> None:
    """What the documentation allows."""
    assert refused(model, **fields) is None


@pytest.mark.parametrize(
    ("model", "fields", "code"),
    [
        pytest.param("embedding-3", {"input": None}, "1213", id="no input"),
        pytest.param("embedding-3", {"input": ""}, "1214", id="empty text"),
        pytest.param("embedding-3", {"input": []}, "1214", id="no texts"),
        pytest.param("embedding-3", {"input": ["hello", ""]}, "1214", id="empty text among others"),
        pytest.param("embedding-3", {"input": [15339, 1917]}, "1214", id="token ids"),
        pytest.param("embedding-3", {"input": [[15339, 1917]]}, "1214", id="lists of token ids"),
        pytest.param("embedding-3", {"input": 5}, "1214", id="number"),
        pytest.param("embedding-3", {"input": ["hello"] * 65}, "1214", id="65 texts"),
        pytest.param("embedding-3", {"input": ["hello", WORD * 3073]}, "1210", id="long text"),
        pytest.param("embedding-3", {"dimensions": 768}, "1210", id="dimensions"),
        pytest.param("embedding-3", {"dimensions": "256"}, "1214", id="dimensions as text"),
        pytest.param("embedding-3", {"dimensions": True}, "1214", id="dimensions as boolean"),
        pytest.param("embedding-3", {"request_id": "short"}, "1214", id="short id"),
        pytest.param("embedding-3", {"user_id": "somebody"}, "1210", id="unknown field"),
        pytest.param("embedding-2", {"input": WORD * 513}, "1210", id="long text for embedding-2"),
        pytest.param("embedding-2", {"input": [WORD * 500] * 17}, "1210", id="too much in total"),
        pytest.param("embedding-2", {"dimensions": 2048}, "1210", id="dimensions of embedding-2"),
    ],
)
def test_request_is_refused_when_it_is_not(model: str, fields: dict[str, Any], code: str) -> None:
    """With the platform's own code."""
    assert code == refused(model, **fields)
