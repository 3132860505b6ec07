"""GLM's sound, however it is cut and whatever it comes in, is what one piece of it would have become."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audio import Sound, convert
from gateway.errors import UpstreamProtocolError
from gateway.translate.sound import Samples
from tests.recordings import at_rate, frequency, packed, tone, wav_of

HZ = 440
GLMS = tone(hertz=HZ, seconds=1.5, sample_rate=44_100)
WHOLE_PCM = convert(GLMS, "pcm16")


def cut(data: bytes, places: Iterable[int], *, unit: int = 1) -> list[bytes]:
    """Cut between units of so many bytes."""
    at = sorted({0, len(data), *(place % (len(data) // unit + 1) * unit for place in places)})
    return [data[first:last] for first, last in pairwise(at)]


def joined(pieces: Iterable[bytes]) -> bytes:
    samples = Samples(headerless_rate=44_100)
    return b"".join([samples.feed(piece) for piece in pieces]) + samples.finish()


PLACES = st.lists(st.integers(min_value=0), max_size=12)


@given(PLACES)
def test_samples_cut_anywhere_become_what_one_piece_would(places: list[int]) -> None:
    """Even in the middle of one."""
    assert WHOLE_PCM == joined(cut(GLMS.pcm, places))


@given(PLACES, st.sampled_from([16_000, 24_000, 44_100]))
def test_wav_files_one_after_the_other_are_one_sound(places: list[int], rate: int) -> None:
    sound = tone(hertz=HZ, seconds=0.5, sample_rate=rate)
    pieces = cut(sound.pcm, places, unit=2)

    assert at_rate(sound, 24_000).pcm == joined(wav_of(Sound(piece, rate)) for piece in pieces)


@given(PLACES)
def test_one_wav_file_cut_anywhere_behind_its_head_is_one_sound(places: list[int]) -> None:
    """Its rate goes on until another file begins."""
    sound = tone(hertz=HZ, seconds=0.5, sample_rate=16_000)
    file = wav_of(sound)
    first, *others = cut(file[44:], places)

    assert (
        at_rate(sound, 24_000).pcm == joined([file[:44] + first, *others]) == joined([file[:44], first, *others])
    )


@given(st.lists(st.tuples(st.integers(min_value=0, max_value=43), st.binary(min_size=1, max_size=4)), max_size=4))
def test_wav_with_any_head_is_sound_or_glms_fault(damages: list[tuple[int, bytes]]) -> None:
    file = bytearray(wav_of(tone(hertz=HZ, seconds=0.05, sample_rate=24_000)))
    for at, data in damages:
        file[at : at + len(data)] = data
    try:
        pcm = joined([bytes(file)])
    except UpstreamProtocolError:
        return
    assert len(pcm) % 2 == 0


@pytest.mark.parametrize("rate", [0, 1, 2**31, 2**32 - 1])
def test_wav_of_an_impossible_rate_is_glms_fault(rate: int) -> None:
    file = bytearray(wav_of(tone(seconds=0.05)))
    file[24:28] = rate.to_bytes(4, "little")

    with pytest.raises(UpstreamProtocolError):
        joined([bytes(file)])


def test_rate_may_change_from_file_to_file() -> None:
    """What there was of one is all there before the next."""
    first = tone(hertz=HZ, seconds=0.5, sample_rate=16_000)
    second = tone(hertz=HZ, seconds=0.5, sample_rate=48_000)

    assert at_rate(first, 24_000).pcm + at_rate(second, 24_000).pcm == joined([wav_of(first), wav_of(second)])


def test_wav_that_is_not_plain_is_read_too() -> None:
    sound = tone(hertz=HZ, seconds=0.5, sample_rate=24_000)

    again = Sound(joined([packed(sound, "float.wav")]), 24_000)

    assert sound.seconds == again.seconds
    assert frequency(again) == pytest.approx(HZ, rel=0.005)


def test_rate_that_is_told_beside_samples_counts() -> None:
    sound = tone(hertz=HZ, seconds=0.5, sample_rate=16_000)
    samples = Samples(headerless_rate=24_000)

    assert at_rate(sound, 24_000).pcm == samples.feed(sound.pcm, rate=16_000) + samples.finish()


@pytest.mark.parametrize("rate", [-1, 1, 2**40])
def test_rate_that_is_told_and_impossible_is_glms_fault(rate: int) -> None:
    with pytest.raises(UpstreamProtocolError):
        Samples(headerless_rate=24_000).feed(GLMS.pcm, rate=rate)
