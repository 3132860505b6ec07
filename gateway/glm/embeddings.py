"""
Zhipu's embeddings: what ``POST /embeddings`` takes and answers.

Source: docs.bigmodel.cn, text embedding reference (OpenAPI of 2026-07); ``request_id`` is known from Zhipu's own
SDKs only. There is no ``encoding_format``, and token ids are refused.
"""

from typing import Generic, TypeVar

from msgspec import UNSET, Struct, UnsetType

from gateway.glm.chat import ErrorDetail, Usage

VectorT = TypeVar("VectorT")


class EmbeddingRequest(Struct, frozen=True, kw_only=True):
    """
    The body of ``POST /embeddings``.

    embedding-3 takes 64 texts of 3,072 tokens each, embedding-2 texts of 512 tokens and 8K in total.
    """

    model: str
    input: list[str]
    dimensions: int | UnsetType = UNSET
    request_id: str | UnsetType = UNSET


class Embedding(Struct, Generic[VectorT], frozen=True, kw_only=True):
    """The vector of one text; ``index`` is that of the text."""

    embedding: VectorT
    index: int | None = None


class EmbeddingAnswer(Struct, Generic[VectorT], frozen=True, kw_only=True):
    """A vector for each text; ``error`` instead when an error comes inside a success."""

    data: list[Embedding[VectorT]] = []
    usage: Usage | None = None
    error: ErrorDetail | None = None
