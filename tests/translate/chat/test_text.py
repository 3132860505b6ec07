"""Markers in the text of vision models: taken out, however the text is cut."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.translate.chat.text import MARKERS, Unmarked


def told(*pieces: str) -> tuple[str, str]:
    unmarked = Unmarked()
    parts = [*map(unmarked.feed, pieces), unmarked.finish()]
    return "".join(content for content, _ in parts), "".join(thought for _, thought in parts)


@pytest.mark.parametrize(
    ("pieces", "content", "thought"),
    [
        pytest.param(["plain"], "plain", "", id="no markers"),
        pytest.param(["<think>why</think>so"], "so", "why", id="a thought first"),
        pytest.param(["<thi", "nk>wh", "y</thi", "nk>so"], "so", "why", id="cut inside the markers"),
        pytest.param(["It is <|begin_of_box|>42<|end_of_box|>."], "It is 42.", "", id="a boxed answer"),
        pytest.param(
            ["It is <|begin", "_of_box|>42<", "|end_of_box|>."], "It is 42.", "", id="a boxed answer, cut"
        ),
        pytest.param(["<think>a<|begin_of_box|>b<|end_of_box|></think>c"], "c", "ab", id="a box in a thought"),
        pytest.param(["<think>never ends"], "", "never ends", id="a thought that is cut short"),
        pytest.param(["so</think>"], "so", "", id="a marker of its own"),
        pytest.param(["1 < 2 and <b>3"], "1 < 2 and <b>3", "", id="other angle brackets"),
        pytest.param(["<thin", "g>"], "<thing>", "", id="what only begins like a marker"),
        pytest.param(["a <th"], "a <th", "", id="the beginning of a marker at the end"),
        pytest.param(["<<think>x</think>"], "<", "x", id="a bracket before a marker"),
        pytest.param(["<think>a</think><think>b</think>"], "", "ab", id="two thoughts"),
    ],
)
def test_markers_are_taken_out(pieces: list[str], content: str, thought: str) -> None:
    """The caller reads the answer, and the reasoning apart from it."""
    assert told(*pieces) == (content, thought)


@given(
    st.lists(st.sampled_from([*MARKERS, "<", "<th", "x", "</", "|>"])).map("".join), st.lists(st.integers(0, 90))
)
@example("<think>x</think>", [3])
def test_cuts_change_nothing(text: str, cuts: list[int]) -> None:
    """Any chunking gives the parts of the whole, and no marker is left."""
    edges = [0, *sorted(cuts), len(text)]
    pieces = [text[start:end] for start, end in pairwise(edges)]

    assert told(*pieces) == told(text)


def test_text_goes_out_at_once_when_it_cannot_be_a_marker() -> None:
    """Only what may be a marker waits."""
    unmarked = Unmarked()

    assert unmarked.feed("almost <thi") == ("almost ", "")
    assert unmarked.feed("ng> all") == ("<thing> all", "")
