import itertools
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.audio import Resampler
from tests.recordings import at_rate, frequency, loudness, tone

RATES = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000]
NOISE = Random(5).randbytes(60_000)  # noqa: S311 - not a secret

resampled = st.sampled_from([(a, b) for a in RATES for b in RATES])


@settings(max_examples=60, deadline=None)
@given(rates=resampled, sizes=st.lists(st.integers(1, 9_000), min_size=1, max_size=20))
def test_pieces_joined_are_what_one_piece_becomes(rates: tuple[int, int], sizes: list[int]) -> None:
    """However samples are cut, even in the middle of one, the result is the same to the sample."""
    whole = Resampler(from_rate=rates[0], to_rate=rates[1])
    cut = Resampler(from_rate=rates[0], to_rate=rates[1])
    size = min(sum(sizes), len(NOISE)) & ~1
    starts = [min(sum(sizes[:at]), size) for at in range(len(sizes) + 1)]

    pieces = [cut.feed(NOISE[a:b]) for a, b in itertools.pairwise(starts)]

    assert whole.feed(NOISE[:size]) + whole.finish() == b"".join(pieces) + cut.finish()


@settings(max_examples=60, deadline=None)
@given(rates=resampled, count=st.integers(1, 5_000))
def test_the_length_is_right_to_the_sample(rates: tuple[int, int], count: int) -> None:
    resampler = Resampler(from_rate=rates[0], to_rate=rates[1])

    samples = resampler.feed(NOISE[: 2 * count]) + resampler.finish()

    assert round(count * rates[1] / rates[0]) == len(samples) // 2


@pytest.mark.parametrize("to_rate", RATES)
@pytest.mark.parametrize("from_rate", RATES)
def test_a_tone_keeps_its_pitch_and_loudness(from_rate: int, to_rate: int) -> None:
    sound = tone(hertz=997, sample_rate=from_rate)

    heard = at_rate(sound, to_rate)

    assert frequency(heard) == pytest.approx(997, rel=0.0005)
    assert loudness(heard) == pytest.approx(loudness(sound), rel=0.01)


def test_what_a_lower_rate_cannot_hold_does_not_come_back_as_another_tone() -> None:
    assert loudness(at_rate(tone(hertz=10_000, sample_rate=24_000), 16_000)) < 100


def test_the_first_samples_come_with_the_first_piece() -> None:
    """A conversation cannot wait: less than 2 ms are held back."""
    resampler = Resampler(from_rate=24_000, to_rate=16_000)

    assert len(resampler.feed(bytes(960))) >= 2 * (320 - 32)


def test_a_resampler_starts_no_threads() -> None:
    """Hundreds of calls are resampled in one process: each must not take a thread for every processor."""
    before = native_threads()

    resampler = Resampler(from_rate=24_000, to_rate=16_000)
    resampler.feed(bytes(4_800))

    assert before == native_threads()


def native_threads() -> int:
    tasks = Path("/proc/self/task")
    if not tasks.exists():
        pytest.skip("only Linux tells")
    return len(list(tasks.iterdir()))
