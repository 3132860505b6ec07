"""Dimensions are what the model offers; others are refused, or cut from more."""

from typing import Any

import pytest
from msgspec import UNSET

from gateway.catalog import EmbeddingTraits, Model
from gateway.errors import InvalidRequest
from gateway.translate.embeddings.params import Size, size_of


def model_of(*dimensions: int, default: int | None = None) -> Model:
    traits = EmbeddingTraits(dimensions=dimensions, default_dimensions=default)
    return Model(id="some-model", operations=("embeddings",), embeddings=traits)


CHOICE = model_of(2048, 256, 512, 1024, default=2048)
FIXED = model_of(1024, default=1024)
UNSAID = model_of(default=768)
UNKNOWN = model_of()


@pytest.mark.parametrize(
    ("model", "wanted", "expected"),
    [
        pytest.param(CHOICE, None, Size(), id="not asked for"),
        pytest.param(CHOICE, 256, Size(256), id="on offer"),
        pytest.param(CHOICE, 2048, Size(2048), id="the default"),
        pytest.param(FIXED, 1024, Size(UNSET), id="the only one is not sent"),
        pytest.param(UNSAID, 768, Size(UNSET), id="the default of a model that takes no number"),
        pytest.param(UNKNOWN, None, Size(), id="of a model nothing is known of"),
    ],
)
def test_size_is_what_the_model_offers(model: Model, wanted: int | None, expected: Size) -> None:
    """Whichever mode is set."""
    assert expected == size_of(wanted, model=model, mode="refuse")
    assert expected == size_of(wanted, model=model, mode="truncate")


@pytest.mark.parametrize(
    ("model", "wanted", "expected"),
    [
        pytest.param(CHOICE, 768, Size(1024, 768), id="cut from the next larger"),
        pytest.param(CHOICE, 1, Size(256, 1), id="cut from the smallest"),
        pytest.param(FIXED, 512, Size(UNSET, 512), id="cut from the only one"),
        pytest.param(UNSAID, 700, Size(UNSET, 700), id="cut from the default"),
    ],
)
def test_size_is_cut_when_the_mode_allows_it(model: Model, wanted: int, expected: Size) -> None:
    """And refused when it does not."""
    assert expected == size_of(wanted, model=model, mode="truncate")
    with pytest.raises(InvalidRequest):
        size_of(wanted, model=model, mode="refuse")


@pytest.mark.parametrize(
    ("model", "wanted", "said"),
    [
        pytest.param(CHOICE, 3072, "it offers 2048, 256, 512, 1024", id="more than there is"),
        pytest.param(FIXED, 1025, "it offers 1024", id="more than the only one"),
        pytest.param(UNKNOWN, 8, "leave it out", id="of a model nothing is known of"),
    ],
)
@pytest.mark.parametrize("mode", ["refuse", "truncate"])
def test_size_is_refused_when_the_model_has_less(model: Model, wanted: int, said: str, mode: Any) -> None:
    """A 400 that names the field and what would be right."""
    with pytest.raises(InvalidRequest) as raised:
        size_of(wanted, model=model, mode=mode)

    assert "dimensions" == raised.value.param
    assert said in raised.value.message
