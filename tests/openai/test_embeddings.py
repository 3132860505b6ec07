"""OpenAI's embeddings vocabulary is the whole one, as its official SDK knows it."""

from typing import get_type_hints

import msgspec
import pytest
from openai.types import CreateEmbeddingResponse, Embedding
from openai.types.create_embedding_response import Usage
from openai.types.embedding_create_params import EmbeddingCreateParams
from pydantic import BaseModel

from gateway.openai import embeddings


def fields(kind: type) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(kind)}


def test_request_has_every_parameter_of_the_sdk_and_zhipus_extra() -> None:
    """A parameter that OpenAI adds fails here until it has a field, and so a fate."""
    assert fields(embeddings.CreateEmbeddingRequest) == {*get_type_hints(EmbeddingCreateParams), "request_id"}


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        (embeddings.CreateEmbeddingResponse, CreateEmbeddingResponse),
        (embeddings.Embedding, Embedding),
        (embeddings.EmbeddingUsage, Usage),
    ],
)
def test_answer_has_the_fields_of_the_sdk_and_no_other(kind: type, model: type[BaseModel]) -> None:
    assert fields(kind) == set(model.model_fields)


def test_schema_tells_the_four_forms_of_input() -> None:
    """What the type leaves open, the schema says."""
    _, components = msgspec.json.schema_components([embeddings.CreateEmbeddingRequest])
    forms = components["CreateEmbeddingRequest"]["properties"]["input"]["oneOf"]

    assert [("string", None), ("array", "string"), ("array", "integer"), ("array", "array")] == [
        (form["type"], form.get("items", {}).get("type")) for form in forms
    ]
