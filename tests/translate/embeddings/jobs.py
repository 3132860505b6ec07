"""Jobs of embeddings, and GLM's answers to their calls."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

import gateway
from gateway.catalog import Catalog
from gateway.translate.embeddings.endpoint import embeddings_endpoint
from gateway.translate.embeddings.job import EmbeddingsJob
from gateway.translate.embeddings.params import DimensionsMode
from gateway.translate.embeddings.tokens import Vocabulary, VocabularyName
from gateway.translate.endpoint import Context

CATALOG = Catalog.parse(Path(gateway.__file__).with_name("catalog.toml").read_text("utf-8"))
ABC = Vocabulary(b"YQ== 0\nYg== 1\nYw== 2\n", special={"<|end|>": 9})
"""Ids 0, 1 and 2 are a, b and c."""


def find_vocabulary(name: VocabularyName) -> Vocabulary:
    assert name == "cl100k_base"
    return ABC


def begin_job(
    *,
    dimensions_mode: DimensionsMode = "refuse",
    remembers: bool = False,
    recalled: Mapping[str, str] | None = None,
    strict: bool = False,
    **fields: Any,
) -> EmbeddingsJob:
    """Begin the job of a request with these fields."""
    endpoint = embeddings_endpoint(
        find_vocabulary=find_vocabulary, dimensions_mode=dimensions_mode, remembers=remembers
    )
    incoming = endpoint.read(msgspec.json.encode({"model": "embedding-3", "input": "a"} | fields))
    context = Context(
        model=CATALOG.resolve(incoming.model), id="1", created=1, strict=strict, recalled=recalled or {}
    )
    job = endpoint.begin(incoming, context)
    assert isinstance(job, EmbeddingsJob)
    return job


def answer_of(vectors: Sequence[Any], *, tokens: int = 1, **fields: Any) -> bytes:
    """Give GLM's answer with these vectors, in order."""
    data = [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(vectors)]
    usage = {"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens}
    return msgspec.json.encode({"object": "list", "model": "embedding-3", "data": data, "usage": usage} | fields)
