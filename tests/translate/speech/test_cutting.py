"""Where long texts are cut."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.translate.speech.cutting import pieces

TEXTS = st.text(
    st.one_of(st.sampled_from(" .,!?;:\n\"'”。，！？；…ab1天气"), st.characters(exclude_categories=["Cs"])),
    max_size=400,
)


@given(text=TEXTS, most=st.integers(1, 60))
def test_nothing_is_lost_but_spaces(text: str, most: int) -> None:
    cut = pieces(text, most_characters=most)

    assert re.sub(r"\s", "", text) == re.sub(r"\s", "", "".join(cut))
    assert all(0 < len(piece) <= most for piece in cut)
    assert all(piece == piece.strip() for piece in cut)


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("Hello.", 1024, ["Hello."]),
        ("  Hello. \n", 6, ["Hello."]),
        ("One. Two! Three? Four.", 12, ["One. Two!", "Three? Four."]),
        ("今天天气很好。我们出去玩吧！好不好？好。", 9, ["今天天气很好。", "我们出去玩吧！", "好不好？好。"]),
        ("他说：“走吧。”我们就走了。", 9, ["他说：“走吧。”", "我们就走了。"]),
        ('She said "Go." Then we went.', 20, ['She said "Go."', "Then we went."]),
        ("It costs 3.14 euros. Really.", 22, ["It costs 3.14 euros.", "Really."]),
        ("Ask Dr. Smith at once. Now.", 22, ["Ask Dr. Smith at once.", "Now."]),
        ("A long walk, with a dog, at sea", 20, ["A long walk,", "with a dog, at sea"]),
        ("first line\nsecond line", 15, ["first line", "second line"]),
        ("no end of it at all here", 10, ["no end of", "it at all", "here"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        (" \n\t", 10, []),
    ],
)
def test_pieces_end_at_the_best_place_there_is(text: str, most: int, expected: list[str]) -> None:
    assert expected == pieces(text, most_characters=most)
