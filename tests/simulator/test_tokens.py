"""Texts in pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulator.tokens import count, pieces


@given(st.text())
def test_pieces_are_the_text_again_when_joined(text: str) -> None:
    """Nothing is lost, nothing is empty, and counting agrees."""
    tokens = pieces(text)

    assert "".join(tokens) == text
    assert all(tokens)
    assert count(text) == len(tokens)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Hello world", ["Hello", " world"]),
        ("你好世界", ["你好", "世界"]),
        ("extraordinary", ["extrao", "rdinar", "y"]),
        ("2026年", ["202", "6", "年"]),
        ("a_b", ["a", "_", "b"]),
        ('{"k":1}', ["{", '"', "k", '"', ":", "1", "}"]),
    ],
)
def test_pieces_are_about_a_token_each(text: str, tokens: list[str]) -> None:
    """Words, pairs of Chinese characters, signs."""
    assert pieces(text) == tokens
