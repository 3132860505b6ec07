"""OpenAI's model list: what ``GET /v1/models`` and ``GET /v1/models/{model}`` answer."""

from typing import Literal

from msgspec import Struct


class Model(Struct, frozen=True, kw_only=True):
    """A model that can be asked for; ``created`` in Unix seconds."""

    id: str
    created: int
    owned_by: str
    object: Literal["model"] = "model"


class ListModelsResponse(Struct, frozen=True, kw_only=True):
    """Every model the caller may use."""

    data: list[Model]
    object: Literal["list"] = "list"
