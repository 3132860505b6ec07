"""What a question is about."""

import pytest

from gateway.simulator.subjects import subjects


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("What's the weather in Paris?", ["Paris"]),
        ("Compare the weather in San Francisco, Tokyo and Paris", ["San Francisco", "Tokyo", "Paris"]),
        ("Compare the weather in Oslo, Rome, Kyoto", ["Oslo", "Rome", "Kyoto"]),
        ("the weather in San Francisco, CA?", ["San Francisco, CA"]),
        ("the weather in San Francisco, CA and Boston, MA", ["San Francisco, CA", "Boston, MA"]),
        ("the weather in Paris, France today", ["Paris, France"]),
        ('Search for "quantum computing" please', ["quantum computing"]),
        ("北京今天天气怎么样", ["北京"]),
        ("what is it", []),
    ],
)
def test_subjects_are_what_a_question_is_about(text: str, names: list[str]) -> None:
    """Places and quoted words become arguments of functions."""
    assert subjects(text) == names
