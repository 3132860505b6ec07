import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.translate.transcriptions.transcript import clock, guessed_language, join


@pytest.mark.parametrize(
    ("texts", "joined"),
    [
        (["One.", "Two."], "One. Two."),
        ([" One. ", "", " Two."], "One. Two."),
        (["你好", "再见"], "你好再见"),
        (["你好", "Hello"], "你好 Hello"),
        (["Hello", "你好"], "Hello你好"),
        ([], ""),
    ],
)
def test_texts_are_joined_as_they_are_written(texts: list[str], joined: str) -> None:
    """Between words stands a space, between Chinese characters none."""
    assert joined == join(texts)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "00:00:00,000"),
        (0.9996, "00:00:01,000"),
        (59.9996, "00:01:00,000"),
        (3661.25, "01:01:01,250"),
        (360_000, "100:00:00,000"),
    ],
)
def test_times_of_subtitles(seconds: float, shown: str) -> None:
    assert shown == clock(seconds, ",")


@given(st.floats(0, 1e6))
def test_times_never_have_sixty_seconds(seconds: float) -> None:
    hours, minutes, rest = clock(seconds, ".").split(":")

    assert int(minutes) < 60
    assert float(rest) < 60
    assert abs(int(hours) * 3600 + int(minutes) * 60 + float(rest) - seconds) <= 0.001


@pytest.mark.parametrize(
    ("text", "language"), [("你好, Bob", "chinese"), ("Hello 你", "english"), ("", "english")]
)
def test_the_language_is_that_of_most_letters(text: str, language: str) -> None:
    assert language == guessed_language(text)
