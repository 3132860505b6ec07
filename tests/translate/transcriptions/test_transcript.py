import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.translate.transcriptions.transcript import Line, clock, guessed_language, join, srt, vtt


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("One.\nTwo.", "One.\nTwo."),
        ("One.\n\n Two.", "One.\nTwo."),
        ("One.\r\n\r\nTwo.\rThree.", "One.\nTwo.\nThree."),
        ("a --> b", "a -> b"),
        ("a\n00:00:01.000 --> 00:00:02.000\nb", "a\n00:00:01.000 -> 00:00:02.000\nb"),
    ],
)
def test_a_subtitle_ends_where_its_text_does(text: str, shown: str) -> None:
    """An empty line would end it earlier, and what looks like times would begin another."""
    lines = [Line(0, 1, text), Line(1, 2, "End.")]

    assert f"WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n{shown}\n\n00:00:01.000 --> 00:00:02.000\nEnd.\n\n" == vtt(
        lines
    )
    assert f"1\n00:00:00,000 --> 00:00:01,000\n{shown}\n\n2\n00:00:01,000 --> 00:00:02,000\nEnd.\n\n" == srt(lines)


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
