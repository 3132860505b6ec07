"""Pieces of sound whose ends are silent."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from gateway.translate.speech.joint import FADE_SAMPLES, Joint

LOUD = array("h", [20_000] * 1000).tobytes()


def through(joint: Joint, pcm: bytes, sizes: list[int]) -> list[int]:
    out, at = b"", 0
    for size in sizes:
        out += joint.feed(pcm[at : at + 2 * size])
        at += 2 * size
    return list(array("h", out + joint.feed(pcm[at:]) + joint.finish()))


@given(rises=..., falls=..., sizes=st.lists(st.integers(0, 300), max_size=12))
def test_only_the_ends_change_however_it_comes(*, rises: bool, falls: bool, sizes: list[int]) -> None:
    samples = through(Joint(rises=rises, falls=falls), LOUD, sizes)
    middle = samples[FADE_SAMPLES:-FADE_SAMPLES]

    assert 1000 == len(samples)
    assert {20_000} == set(middle)
    assert (0 if rises else 20_000) == samples[0]
    assert (samples[-1] < 400) == falls
    assert (sorted(samples[:FADE_SAMPLES]), sorted(samples[-FADE_SAMPLES:], reverse=True)) == (
        samples[:FADE_SAMPLES],
        samples[-FADE_SAMPLES:],
    )


def test_a_piece_shorter_than_its_ends_is_as_long_as_before() -> None:
    samples = through(Joint(rises=True, falls=True), LOUD[:20], [])

    assert 10 == len(samples)
    assert max(samples) < 20_000


def test_without_neighbours_nothing_is_held_back() -> None:
    assert LOUD == Joint(rises=False, falls=False).feed(LOUD)
