"""
The embedding models the stand-in knows, with their sizes and limits. Data only.

Sources: docs.bigmodel.cn, text embedding reference (OpenAPI of 2026-07), model page of embedding-3, rate limit
page. No limit is published for embedding-2, which has the console's number for V0 at every tier.
"""

from msgspec import Struct

_K = 1024


class EmbeddingModel(Struct, frozen=True, kw_only=True):
    """
    One embedding model.

    ``in_flight`` is for V0 to V3. ``items`` and ``total_tokens`` None: no limit but that of one item.
    ``dimensions`` are those on offer, the default one last.
    """

    id: str
    in_flight: tuple[int, int, int, int]
    item_tokens: int
    items: int | None = None
    total_tokens: int | None = None
    dimensions: tuple[int, ...]
    free: bool = False


_MODELS = (
    EmbeddingModel(
        id="embedding-3",
        in_flight=(50, 100, 300, 500),
        items=64,
        item_tokens=3 * _K,
        dimensions=(256, 512, 1024, 2048),
    ),
    EmbeddingModel(
        id="embedding-2",
        in_flight=(50, 50, 50, 50),
        item_tokens=512,
        total_tokens=8 * _K,
        dimensions=(1024,),
    ),
)

EMBEDDING_MODELS = {model.id: model for model in _MODELS}
"""Every embedding model by id."""
