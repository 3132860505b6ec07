"""What is made of the messages that carry sound and pictures."""

import base64
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulator.realtime.microphone import MESSAGES_PER_SECOND, Allowance, Microphone
from gateway.simulator.realtime.trouble import Trouble
from tests.simulator.realtime.phone import JPEG, as_file

SOUND = bytes(range(200)) * 80


def packed(content: bytes) -> str:
    return base64.b64encode(content).decode()


def taken(messages: list[bytes], *, form: str = "wav", rate_hz: int = 16000) -> Microphone:
    """Give a microphone that took these, a tenth of a second apart."""
    microphone = Microphone()
    for number, message in enumerate(messages):
        microphone.append(packed(message), form=form, rate_hz=rate_hz, now=number / 10)
    return microphone


@given(st.lists(st.integers(1, len(SOUND)), max_size=8))
def test_slices_join_without_loss(cuts: list[int]) -> None:
    """However PCM or a file is cut, even inside a sample, the sound is the same; only a header stays whole."""
    at = sorted({0, *cuts, len(SOUND)})
    slices = [SOUND[start:end] for start, end in itertools.pairwise(at)]
    file = as_file(SOUND)
    head = len(file) - len(SOUND)
    of_file = [file[: head + at[1]], *slices[1:]]

    assert SOUND == bytes(taken(slices, form="pcm").pcm) == bytes(taken(of_file).pcm)


def test_every_slice_may_be_a_file() -> None:
    assert SOUND == taken([as_file(SOUND[:6000]), as_file(SOUND[6000:])]).pcm


def test_file_says_its_rate_and_pcm_has_the_sessions() -> None:
    assert 8000 == taken([as_file(SOUND, rate_hz=8000)]).rate_hz
    assert (24000, len(SOUND) / 48000) == (
        (pcm24 := taken([SOUND], form="pcm24", rate_hz=24000)).rate_hz,
        pcm24.seconds,
    )


def test_bare_pcm_is_not_recognised_as_wav() -> None:
    assert not taken([SOUND]).pcm


def test_what_is_no_sound_is_refused() -> None:
    microphone = Microphone()
    for audio in ("", "%", packed(b"RIFF....WAVE")):
        with pytest.raises(Trouble):
            microphone.append(audio, form="wav", rate_hz=16000, now=0)


def test_pictures_are_jpegs() -> None:
    """Without the prefix of a data URI, and no more than the latest are kept."""
    microphone = Microphone()
    for picture in (f"data:image/jpeg;base64,{JPEG}", packed(b"\x89PNG"), "%"):
        with pytest.raises(Trouble):
            microphone.append_frame(picture)
    for _ in range(100):
        microphone.append_frame(JPEG)
    assert 60 == len(microphone.frames)


@given(st.lists(st.floats(0, 0.1), max_size=400))
def test_no_second_has_more_than_it_may(waits: list[float]) -> None:
    """Whatever comes when, no second lets through more than one burst and what a second refills."""
    allowance, now, passed = Allowance(MESSAGES_PER_SECOND), 0.0, []
    for wait in waits:
        now += wait
        if allowance.take(now):
            passed.append(now)
    assert all(sum(at <= other < at + 1 for other in passed) <= 2 * MESSAGES_PER_SECOND for at in passed)
    steady = Allowance(MESSAGES_PER_SECOND)
    assert all(steady.take(number / MESSAGES_PER_SECOND) for number in range(500))
