"""The chart's README has every value, and what it means."""

from tests.helm.readme import README, renewed


def test_readme_has_the_values_as_they_are() -> None:
    """``make contract`` writes the table anew; a value without a comment ends it."""
    text = README.read_text("utf-8")

    assert renewed(text) == text
