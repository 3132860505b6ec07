"""Sessions from beginning to end: each file in ``transcripts`` is one, to be read as well as played."""

from pathlib import Path
from typing import Any

import pytest

from gateway.translate.realtime import Policy
from tests.translate.realtime.play import play

TRANSCRIPTS = sorted(Path(__file__).with_name("transcripts").glob("*.txt"))


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_session_goes_as_written(path: Path) -> None:
    """Everything that both sides are told stands in the transcript, in this order, and clients can read it."""
    shape = "beta" if path.stem.startswith("beta") else "today"
    kind: Any = "transcription" if "transcription" in path.stem else "realtime"
    policy = Policy(typed_text="speech" if "typing_read_out" in path.stem else "item")
    play(path.read_text("utf-8"), shape=shape, kind=kind, policy=policy)
