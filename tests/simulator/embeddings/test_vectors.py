"""Vectors of the stand-in: fixed, of length 1, and closer the more two texts have in common."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulator.embeddings.vectors import embed

PAIRS = [
    ("The cat sleeps on the sofa.", "A cat is sleeping on my sofa."),
    ("How do I reset my password?", "I forgot the password, how can it be reset?"),
    ("Paris is the capital of France.", "The capital city of France is called Paris."),
    ("The train to Berlin leaves at nine.", "At nine o'clock a train leaves for Berlin."),
    ("Our shop opens every morning at eight.", "The shop is open from eight in the morning."),
    ("Python is a programming language.", "Many programmers use the Python language."),
    ("今天北京的天气很好", "北京今天天气不错"),
    ("我想退掉上周买的鞋子", "上周买的鞋子怎么退货"),
    ("Die Rechnung kommt am Montag.", "Am Montag kommt die Rechnung per Post."),
    ("def add(a, b): return a + b", "def add(first, second): return first + second"),
]
DIMENSIONS = (256, 512, 1024, 2048)


def likeness(one: str, other: str, *, dimensions: int) -> float:
    """Give the cosine of the angle between the vectors of two texts."""
    return sum(map(float.__mul__, embed(one, dimensions=dimensions), embed(other, dimensions=dimensions)))


@pytest.mark.parametrize("dimensions", DIMENSIONS)
@pytest.mark.parametrize("pair", PAIRS, ids=[one for one, _ in PAIRS])
def test_similar_texts_are_closer_than_unrelated_ones(pair: tuple[str, str], dimensions: int) -> None:
    """Each of ten pairs is closer than either of it is to any of the other eighteen."""
    others = [text for other in PAIRS if other != pair for text in other]
    closest = max(likeness(text, other, dimensions=dimensions) for text in pair for other in others)

    assert likeness(*pair, dimensions=dimensions) > closest + 0.1


@given(st.text(min_size=1), st.sampled_from(DIMENSIONS))
def test_vector_has_length_one(text: str, dimensions: int) -> None:
    """Whatever the text is, blank or not a word."""
    vector = embed(text, dimensions=dimensions)

    assert dimensions == len(vector)
    assert math.isclose(1.0, math.hypot(*vector), abs_tol=1e-6)


def test_vector_is_the_same_everywhere() -> None:
    """Written out once: it depends on no process, platform or release of Python."""
    assert [-0.042310861, 0.06051633, 0.048716489, -0.013822672] == embed("hello world", dimensions=256)[:4]


def test_fewer_dimensions_are_the_first_of_more() -> None:
    """At length 1 again, as of models that were trained for it."""
    few, many = embed("hello world", dimensions=256), embed("hello world", dimensions=2048)[:256]
    length = math.hypot(*many)

    assert all(math.isclose(one, other / length, abs_tol=1e-7) for one, other in zip(few, many, strict=True))
