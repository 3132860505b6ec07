"""When speech starts and stops."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulator.realtime.detection import Boundary, Detector
from gateway.simulator.realtime.session import Turns

RATE_HZ = 16000
LOUD = (5000).to_bytes(2, "little", signed=True) + (-5000).to_bytes(2, "little", signed=True)


def quiet(ms: int) -> bytes:
    return bytes(RATE_HZ * ms // 1000 * 2)


def loud(ms: int) -> bytes:
    return LOUD * (RATE_HZ * ms // 2000)


SOUND = quiet(600) + loud(1000) + quiet(300) + loud(200) + quiet(900)


@given(st.integers(1, 12000))
def test_sound_is_heard_the_same_in_any_pieces(size: int) -> None:
    """A start includes the padding, an end the silence; a pause shorter than that is part of the turn."""
    detector = Detector(Turns())
    pieces = [SOUND[start : start + size] for start in range(0, len(SOUND), size)]
    found = [boundary for piece in pieces for boundary in detector.feed(piece, rate_hz=RATE_HZ)]

    assert [Boundary("started", 300), Boundary("stopped", 2600)] == found
    assert not detector.speaking


@pytest.mark.parametrize(("threshold", "heard"), [(0.1, [Boundary("started", 0)]), (0.5, []), (1.0, [])])
def test_threshold_is_how_loud_speech_has_to_be(threshold: float, heard: list[Boundary]) -> None:
    whisper = (400).to_bytes(2, "little") * RATE_HZ
    assert heard == Detector(Turns(threshold=threshold)).feed(whisper, rate_hz=RATE_HZ)


def test_click_is_no_speech() -> None:
    assert not Detector(Turns()).feed(quiet(200) + loud(20) + quiet(800), rate_hz=RATE_HZ)


def test_start_is_never_before_the_call() -> None:
    assert [Boundary("started", 0)] == Detector(Turns()).feed(loud(100), rate_hz=RATE_HZ)
