import io
import struct

import pytest

from gateway.audio import Bounds, probe
from gateway.errors import InvalidRequest
from tests.recordings import CONTAINERS, joined, packed, silence, tone, wav_of

BOUNDS = Bounds()


def test_a_probe_tells_what_a_file_is() -> None:
    found = probe(io.BytesIO(packed(tone(sample_rate=44_100), "wav")), BOUNDS)

    assert ("wav", "pcm_s16le", 44_100, 1, 1.0) == (
        found.container, found.codec, found.sample_rate, found.channels, found.seconds,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["wav", "float.wav", "flac", "aiff", "mov"])
def test_what_breaks_off_before_its_head_says_is_not_whole(kind: str) -> None:
    """Half a recording would be taken for all of it. Damage in the middle is not that, nor a codec's run-in."""
    whole = bytearray(packed(tone(seconds=4.0), kind))
    if kind == "mov":  # As those who make it for the web do: the index before the sound.
        at = whole.index(b"moov") - 4
        whole = whole[:28] + whole[at:] + whole[28:at]
    torn = bytes(whole[: len(whole) * 3 // 4])

    with pytest.raises(InvalidRequest) as refused:
        probe(io.BytesIO(torn), BOUNDS).check_whole(BOUNDS)

    assert ("file", "truncated_audio") == (refused.value.param, refused.value.code)
    probe(io.BytesIO(whole), BOUNDS).check_whole(BOUNDS)


@pytest.mark.parametrize("kind", CONTAINERS)
def test_what_is_whole_is_taken_for_whole(kind: str) -> None:
    probe(io.BytesIO(packed(tone(seconds=2.0), kind, video=kind in ("mp4", "mov", "mkv"))), BOUNDS).check_whole(
        BOUNDS
    )


@pytest.mark.parametrize(
    ("head", "whole"),
    [
        (b"RIFF" + bytes(4), True),
        (b"RIFF\xff\xff\xff\xff", True),
        (b"RIFF\x24\x00\x00\x80", True),
        (b"RIFF\x00\x00\x00\x7f", False),
    ],
)
def test_programs_that_write_into_a_pipe_claim_nothing(head: bytes, whole: bool) -> None:  # noqa: FBT001
    found = probe(io.BytesIO(head + wav_of(tone())[8:]), BOUNDS)

    assert whole == (found.claimed_seconds is None)


def test_a_claim_of_ten_gigabytes_is_not_believed() -> None:
    sound = wav_of(tone())
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, 10_000_000_000, 9_999_999_900, 4_999_999_950, 0)
    data = b"RF64\xff\xff\xff\xffWAVE" + sizes + sound[12:]

    with pytest.raises(InvalidRequest) as refused:
        probe(io.BytesIO(data), BOUNDS).check_whole(BOUNDS)

    assert "truncated_audio" == refused.value.code


def test_a_probe_tells_sound_from_hours_of_nothing() -> None:
    quiet, loud = silence(seconds=60, sample_rate=16_000), tone(sample_rate=16_000)

    assert probe(io.BytesIO(packed(quiet, "flac")), BOUNDS).peak_bit_rate < 2_000
    assert probe(io.BytesIO(packed(joined(quiet, loud, quiet), "flac")), BOUNDS).peak_bit_rate > 20_000
