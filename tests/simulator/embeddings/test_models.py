"""The embedding models the stand-in knows."""

import pytest

from gateway.simulator.embeddings.models import EMBEDDING_MODELS, EmbeddingModel


@pytest.mark.parametrize("model", EMBEDDING_MODELS.values(), ids=lambda model: model.id)
def test_model_is_plausible(model: EmbeddingModel) -> None:
    """Higher tiers have no less room; the largest number of dimensions is the default."""
    assert list(model.in_flight) == sorted(model.in_flight)
    assert model.in_flight[0] > 0
    assert max(model.dimensions) == model.dimensions[-1]


def test_limits_are_the_documented_ones() -> None:
    """Where Zhipu publishes numbers by tier, they stand."""
    assert (50, 100, 300, 500) == EMBEDDING_MODELS["embedding-3"].in_flight
