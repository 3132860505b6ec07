"""
OpenAI's embeddings: what ``POST /v1/embeddings`` takes and answers.

Source: OpenAI's OpenAPI description 2.3.0 (August 2026) and what the official SDKs send. In requests null means
absent, as it does at OpenAI. Zhipu's own extra is a field here too, because SDKs send it as extra body.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Raw, Struct

EncodingFormat = Literal["float", "base64"]

TEXT = {"type": "string", "minLength": 1}
TOKEN_IDS = {"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 0}}
INPUT = {
    "oneOf": [
        TEXT,
        {"type": "array", "minItems": 1, "maxItems": 2048, "items": TEXT},
        TOKEN_IDS,
        {"type": "array", "minItems": 1, "maxItems": 2048, "items": TOKEN_IDS},
    ]
}
VECTOR = {
    "oneOf": [{"type": "array", "items": {"type": "number"}}, {"type": "string", "contentEncoding": "base64"}]
}

Dimensions = Annotated[int, Meta(ge=1)]
Vector = str | Raw
"""As it stands in the answer: base64 of little-endian float32, or the JSON text of an array of numbers."""


class CreateEmbeddingRequest(Struct, frozen=True, kw_only=True):
    """
    The body of ``POST /v1/embeddings``.

    ``input`` is a text, texts, the token ids of a text, or of texts; which of them, and which item is not, is
    found out later. The official Python and Node SDKs ask for base64 when their user says nothing.
    """

    model: str
    input: Annotated[str | list[Any], Meta(extra_json_schema=INPUT)]
    encoding_format: EncodingFormat | None = None
    dimensions: Dimensions | None = None
    user: str | None = None
    request_id: str | None = None


class Embedding(Struct, frozen=True, kw_only=True):
    """The vector of one input; ``index`` is that of the input."""

    index: int
    embedding: Annotated[Vector, Meta(extra_json_schema=VECTOR)]
    object: Literal["embedding"] = "embedding"


class EmbeddingUsage(Struct, frozen=True, kw_only=True):
    """Tokens of the request; embeddings have no completion."""

    prompt_tokens: int
    total_tokens: int


class CreateEmbeddingResponse(Struct, frozen=True, kw_only=True):
    """The vectors in the order of the inputs; ``model`` is the one that made them."""

    data: list[Embedding]
    model: str
    usage: EmbeddingUsage
    object: Literal["list"] = "list"
