"""The fate of every parameter of an embeddings request, and how many dimensions a model is asked for."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from gateway.catalog import EmbeddingTraits, Model
from gateway.errors import InvalidRequest
from gateway.translate.params import MODEL, Converted, Ignored, Rule, Same

DimensionsMode = Literal["refuse", "truncate"]
"""What happens to a number of dimensions that a model does not offer."""

EMBEDDINGS: dict[str, Rule] = {
    "model": MODEL,
    "input": Converted(
        "input",
        note="up to 2048 inputs, each text once, in calls of at most 64 side by side; token ids become text",
    ),
    "encoding_format": Converted("", note="`base64` is made here, little-endian float32"),
    "dimensions": Converted(
        "dimensions",
        note="what the model offers: 256, 512, 1024 or 2048 of embedding-3, the 1024 of embedding-2; "
        "others are refused, or cut from more and brought to length 1 where `dimensions_mode` is `truncate`",
    ),
    "user": Ignored("GLM's embeddings take no end user's id."),
    "request_id": Same("Zhipu's own; it goes with the first call"),
}
"""One row for every field of a request; in the order in which the README lists them."""


class Size(Struct, frozen=True):
    """How many dimensions GLM is asked for, and to how many its vectors are cut; None leaves them whole."""

    asked: int | UnsetType = UNSET
    cut_to: int | None = None


def size_of(wanted: int | None, *, model: Model, mode: DimensionsMode) -> Size:
    """
    Return the size for ``dimensions``; None is GLM's default.

    A model that offers one number only is not told it. Raises InvalidRequest for what the model does not offer,
    unless ``mode`` lets it be cut from more.
    """
    if wanted is None:
        return Size()
    traits = model.embeddings or EmbeddingTraits()
    offered = traits.dimensions or tuple(filter(None, [traits.default_dimensions]))
    enough = [number for number in sorted(offered) if number >= wanted]
    if wanted not in offered and (mode == "refuse" or not enough):
        raise not_offered(wanted, model=model, offered=offered)
    return Size(enough[0] if len(offered) > 1 else UNSET, None if wanted in offered else wanted)


def not_offered(wanted: int, *, model: Model, offered: tuple[int, ...]) -> InvalidRequest:
    listed = ", ".join(map(str, offered))
    advice = f"it offers {listed}" if offered else "leave it out"
    return InvalidRequest(
        f"{model.id} has no vectors of {wanted} dimensions; {advice}.",
        param="dimensions",
        code="unsupported_value",
    )
