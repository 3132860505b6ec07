import io
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audio import (
    AudioFormat,
    Bounds,
    Converter,
    Sound,
    convert,
    plain_sound,
    probe,
    read_sound,
    sound_of,
    wav,
)
from gateway.audio.encode import encoder
from gateway.audio.pcm import UNKNOWN_BYTES, wav_header
from gateway.errors import InvalidRequest
from tests.recordings import at_rate, frequency, loudness, packed, tone, wav_of

FRAME_SECONDS: dict[AudioFormat, float] = {
    "wav": 0, "flac": 0, "pcm16": 0, "opus": 0.02, "mp3": 1152 / 24_000, "aac": 2 * 1024 / 24_000,
}  # fmt: skip
"""How much longer a file may be; aac has a frame of run-in, which ADTS cannot say."""


def heard(file: bytes, kind: AudioFormat) -> Sound:
    return Sound(file, 24_000) if kind == "pcm16" else read_sound(file, bounds=Bounds(), sample_rate=24_000)


@pytest.mark.parametrize("kind", FRAME_SECONDS)
@pytest.mark.parametrize("from_rate", [24_000, 44_100])
def test_a_tone_is_the_same_in_every_kind_of_file(kind: AudioFormat, from_rate: int) -> None:
    """Its pitch is right within 0.5 %, its length within a frame of the codec."""
    sound = tone(hertz=440, seconds=2.0, sample_rate=from_rate)

    again = heard(convert(sound, kind), kind)

    assert frequency(again) == pytest.approx(440, rel=0.005)
    assert 0 <= again.seconds - 2.0 <= FRAME_SECONDS[kind]


@pytest.mark.parametrize("kind", FRAME_SECONDS)
def test_a_file_made_piece_by_piece_sounds_like_one_made_whole(kind: AudioFormat) -> None:
    sound = tone(hertz=440, seconds=2.0, sample_rate=44_100)
    converter = Converter(kind, from_rate=44_100)

    pieces = [converter.feed(sound.pcm[at : at + 882]) for at in range(0, len(sound.pcm), 882)]
    again = heard(b"".join(pieces) + converter.finish(), kind)

    assert frequency(again) == pytest.approx(440, rel=0.005)
    assert 0 <= again.seconds - 2.0 <= max(2 * FRAME_SECONDS[kind], 0.001)


@pytest.mark.parametrize("kind", FRAME_SECONDS)
def test_sound_leaves_before_all_of_it_is_there(kind: AudioFormat) -> None:
    made = encoder(kind, sample_rate=24_000)
    pcm = tone(seconds=0.5).pcm

    assert len(made.feed(pcm)) > 500


def test_samples_alone_joined_are_what_one_piece_becomes() -> None:
    sound = tone(seconds=1.0, sample_rate=44_100)
    converter = Converter("pcm16", from_rate=44_100)

    pieces = [converter.feed(sound.pcm[at : at + 1001]) for at in range(0, len(sound.pcm), 1001)]

    assert convert(sound, "pcm16") == b"".join(pieces) + converter.finish() == at_rate(sound, 24_000).pcm


def test_nothing_can_be_made_into_every_kind() -> None:
    for kind in FRAME_SECONDS:
        made = Converter(kind, from_rate=44_100)

        assert len(made.feed(b"") + made.finish()) < 10_000


def test_what_glm_spoke_is_read_with_a_head_and_without() -> None:
    """A head tells the rate; without one it is what the caller says, and half a sample at the end is dropped."""
    sound = tone(seconds=0.1, sample_rate=44_100)

    assert sound == sound_of(wav_of(sound), headerless_rate=24_000, bounds=Bounds())
    assert sound == sound_of(sound.pcm + b"\0", headerless_rate=44_100, bounds=Bounds())


def test_a_head_without_sound_is_refused() -> None:
    with pytest.raises(InvalidRequest) as refused:
        sound_of(b"RIFF\x00\x00\x00\x00WAVEnonsense", headerless_rate=24_000, bounds=Bounds(param="messages"))

    assert "messages" == refused.value.param


def test_whole_files_tell_their_length() -> None:
    for kind in ("flac", "mp3", "wav"):
        made = convert(tone(seconds=2.0), kind)

        assert probe(io.BytesIO(made), Bounds()).seconds == pytest.approx(2.0, abs=0.1)


def test_wav_file_says_its_length_to_the_byte() -> None:
    """In both places; where it is not known yet, both say so."""
    made = wav_of(tone(seconds=0.1))
    begun = wav_header(sample_rate=24_000, data_bytes=None)

    assert (len(made) - 8, len(made) - len(begun)) == lengths_in(made)
    assert (UNKNOWN_BYTES, UNKNOWN_BYTES) == lengths_in(begun)


def lengths_in(file: bytes) -> tuple[int, int]:
    return int.from_bytes(file[4:8], "little"), int.from_bytes(file[40:44], "little")


def test_two_channels_become_their_mean() -> None:
    left = memoryview(tone(hertz=440, sample_rate=16_000).pcm).cast("h")
    both = array("h", [value for sample in left for value in (sample, 0)]).tobytes()
    head = bytearray(wav(both, sample_rate=16_000))
    head[22:24], head[28:32], head[32:34] = b"\2\0", (64_000).to_bytes(4, "little"), b"\4\0"

    mixed = read_sound(bytes(head), bounds=Bounds(), sample_rate=16_000)

    assert loudness(mixed) == pytest.approx(loudness(Sound(left.tobytes(), 16_000)) / 2, rel=0.01)


def test_plain_wav_is_read_to_the_byte_as_far_as_it_is_there() -> None:
    """Its data may end before it says, or with chunks behind it, or not be the first."""
    sound = tone(seconds=0.1, sample_rate=16_000)
    file = wav_of(sound)
    noted = b"RIFF\0\0\0\0WAVE" + b"LIST" + (5).to_bytes(4, "little") + b"notes\0" + file[12:]
    endless = file[:40] + b"\xff\xff\xff\xff" + file[44:]

    assert sound == plain_sound(file) == plain_sound(noted) == plain_sound(endless)
    assert sound == plain_sound(file + b"LIST\1\0\0\0x\0")
    assert Sound(sound.pcm[:-1], 16_000) == plain_sound(file[:-1])
    assert Sound(b"", 16_000) == plain_sound(file[:44])


@pytest.mark.parametrize("kind", ["float.wav", "mulaw.wav", "avi"])
def test_wav_of_other_samples_is_not_plain(kind: str) -> None:
    assert plain_sound(packed(tone(seconds=0.1), kind)) is None


@given(st.binary(max_size=80))
def test_whatever_follows_a_head_is_read_or_not_plain(rest: bytes) -> None:
    plain = plain_sound(b"RIFF\0\0\0\0WAVE" + rest)

    assert plain is None or plain.sample_rate > 0


def test_stereo_is_not_plain() -> None:
    head = bytearray(wav_of(tone(seconds=0.1)))
    head[22:24] = b"\2\0"

    assert plain_sound(bytes(head)) is None
