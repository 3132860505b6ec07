"""The models the stand-in knows."""

import pytest

from gateway.simulator.models import CHAT_MODELS, ChatModel

DOCUMENTED = """
    glm-5.2 glm-5.1 glm-5-turbo glm-5 glm-4.7 glm-4.7-flash glm-4.7-flashx glm-4.6 glm-4.5-air glm-4.5-airx
    glm-4.5-flash glm-4-flash-250414 glm-4-flashx-250414 glm-5v-turbo glm-4.6v autoglm-phone glm-4.6v-flash
    glm-4.6v-flashx glm-4v-flash glm-4.1v-thinking-flashx glm-4.1v-thinking-flash glm-4-voice
"""


def test_every_model_of_the_reference_is_known() -> None:
    """The chat reference of July 2026 names these."""
    assert set(DOCUMENTED.split()) <= CHAT_MODELS.keys()


@pytest.mark.parametrize("model", CHAT_MODELS.values(), ids=lambda model: model.id)
def test_model_is_plausible(model: ChatModel) -> None:
    """Higher tiers have more room, defaults are within limits, only vision models take pictures."""
    assert list(model.in_flight) == sorted(model.in_flight)
    assert model.in_flight[0] > 0
    assert 0 < model.default_tokens <= model.output_tokens < model.context_tokens
    assert (model.images > 0) == (model.family == "vision")


@pytest.mark.parametrize(
    ("name", "in_flight"),
    [
        ("glm-4-voice", (5, 10, 15, 20)),
        ("glm-4.1v-thinking-flash", (5, 10, 15, 20)),
        ("glm-4.1v-thinking-flashx", (30, 50, 80, 100)),
    ],
)
def test_limits_are_the_documented_ones(name: str, in_flight: tuple[int, ...]) -> None:
    """Where Zhipu publishes numbers by tier, they stand."""
    assert CHAT_MODELS[name].in_flight == in_flight
