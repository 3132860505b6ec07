"""From an OpenAI body to Zhipu's."""

from typing import Any

import msgspec
import pytest

from gateway.errors import InvalidRequest
from gateway.translate.embeddings.endpoint import embeddings_endpoint
from tests.translate.embeddings.jobs import begin_job, find_vocabulary


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"input": ["b", "a"]}, {"input": ["b", "a"]}, id="texts"),
        pytest.param({"input": [[2, 1], [0]]}, {"input": ["cb", "a"]}, id="token ids"),
        pytest.param({"model": "Embedding-3"}, {}, id="upper case"),
        pytest.param({"model": "text-embedding-ada-002"}, {}, id="alias"),
        pytest.param({"encoding_format": "base64"}, {}, id="base64 is our business"),
        pytest.param({"dimensions": 512}, {"dimensions": 512}, id="dimensions"),
        pytest.param({"dimensions": None, "user": None, "encoding_format": None}, {}, id="null is absent"),
        pytest.param(
            {"model": "embedding-2", "dimensions": 1024}, {"model": "embedding-2"}, id="fixed dimensions"
        ),
        pytest.param({"dimensions": 300, "dimensions_mode": "truncate"}, {"dimensions": 512}, id="truncated"),
        pytest.param({"request_id": "mine-1"}, {"request_id": "mine-1"}, id="Zhipu's own"),
        pytest.param({"user": "somebody"}, {}, id="user is not sent"),
    ],
)
def test_request_becomes_zhipus(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    """Nothing is sent that Zhipu does not document."""
    (call,) = begin_job(**fields).calls

    assert {"model": "embedding-3", "input": ["a"]} | expected == msgspec.json.decode(call.body)


def test_what_has_no_effect_is_listed() -> None:
    """Known and unknown fields alike."""
    assert ["user", "input_type"] == begin_job(user="somebody", input_type="query").ignored


def test_unknown_field_is_refused_when_the_tenant_is_strict() -> None:
    with pytest.raises(InvalidRequest) as raised:
        begin_job(input_type="query", strict=True)

    assert "input_type" == raised.value.param


@pytest.mark.parametrize(
    ("body", "param"),
    [
        pytest.param({"input": "a"}, "model", id="no model"),
        pytest.param({"model": "embedding-3"}, "input", id="no input"),
        pytest.param({"model": "embedding-3", "input": None}, "input", id="null input"),
        pytest.param({"model": "embedding-3", "input": 5}, "input", id="input of another type"),
        pytest.param({"model": "embedding-3", "input": ["a", None]}, "input[1]", id="wrong item"),
        pytest.param(
            {"model": "embedding-3", "input": "a", "encoding_format": "hex"}, "encoding_format", id="format"
        ),
        pytest.param({"model": "embedding-3", "input": "a", "dimensions": 0}, "dimensions", id="no dimensions"),
        pytest.param(
            {"model": "embedding-3", "input": "a", "dimensions": "256"}, "dimensions", id="dimensions as text"
        ),
    ],
)
def test_wrong_field_is_named(body: dict[str, Any], param: str) -> None:
    """A 400 with ``param``."""
    with pytest.raises(InvalidRequest) as raised:
        embeddings_endpoint(find_vocabulary=find_vocabulary).read(msgspec.json.encode(body))

    assert param == raised.value.param


@pytest.mark.parametrize("body", [b"", b"[]", b'{"model": "embedding-3", "input": "\\ud800"}', b"\xff"])
def test_body_is_refused_when_it_is_no_json_object(body: bytes) -> None:
    """A lone half of a character is none either."""
    with pytest.raises(InvalidRequest):
        embeddings_endpoint(find_vocabulary=find_vocabulary).read(body)
