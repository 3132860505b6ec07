import io
from collections.abc import Iterator
from contextlib import suppress
from random import Random

import pytest

from gateway.audio import Bounds, Sound, convert, decode, probe, read_sound, wav
from gateway.errors import InvalidRequest
from tests.recordings import CONTAINERS, ESPEAK, frequency, harmed, packed, silence, speak, tone, wav_of

BOUNDS = Bounds()
FUZZED_FILES = 2_000


def refusal_of(data: bytes, bounds: Bounds = BOUNDS) -> InvalidRequest:
    """Return the error that reading raises, the same whether it is looked at or decoded."""
    with pytest.raises(InvalidRequest) as refused:
        probe(io.BytesIO(data), bounds)
    with pytest.raises(InvalidRequest) as again:
        read_sound(data, bounds=bounds, sample_rate=16_000)
    assert again.value.message == refused.value.message
    return refused.value


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_tone_is_heard_in_every_container(kind: str) -> None:
    data = packed(tone(hertz=440, seconds=2.0), kind)

    heard = read_sound(data, bounds=BOUNDS, sample_rate=16_000)

    assert frequency(heard) == pytest.approx(440, rel=0.005)
    assert heard.seconds == pytest.approx(2.0, abs=0.09)
    assert probe(io.BytesIO(data), BOUNDS).seconds == pytest.approx(heard.seconds, abs=0.1)


@pytest.mark.parametrize("kind", ["mp4", "mov", "mkv", "avi", "ts", "mpeg"])
def test_the_sound_of_a_video_is_heard(kind: str) -> None:
    data = packed(tone(hertz=440, seconds=2.0), kind, video=True)

    assert frequency(read_sound(data, bounds=BOUNDS, sample_rate=16_000)) == pytest.approx(440, rel=0.005)


@pytest.mark.parametrize("claimed", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_wav_file_whose_length_is_not_known_is_read_to_its_end(claimed: int) -> None:
    """Programs that write into a pipe cannot know it; a claim of gigabytes is not believed either."""
    data = bytearray(wav_of(tone()))
    data[40:44] = claimed.to_bytes(4, "little")

    assert 1.0 == probe(io.BytesIO(data), BOUNDS).seconds
    assert 1.0 == read_sound(bytes(data), bounds=BOUNDS, sample_rate=24_000).seconds


def test_samples_come_a_second_at_a_time() -> None:
    file = io.BytesIO(packed(tone(seconds=5.0), "flac"))

    pieces = list(decode(file, BOUNDS, sample_rate=16_000))

    assert 5 * 32_000 == sum(map(len, pieces))
    assert all(32_000 <= len(piece) < 40_000 for piece in pieces[:-1])


@pytest.mark.parametrize(
    "data",
    [b"", b"Example data", b"This is a text. " * 10_000, b"#EXTM3U\nfile:///etc/passwd\n", b"<svg/>" * 999],
    ids=["nothing", "example", "text", "playlist", "picture"],
)
def test_what_is_no_audio_is_refused_as_that(data: bytes) -> None:
    error = refusal_of(data)

    assert ("file", "invalid_audio") == (error.param, error.code)
    assert "not audio of a known format" in error.message


@pytest.mark.parametrize("kind", ["wav", "mp3", "mp4", "webm", "ogg", "flac"])
def test_a_head_without_a_body_is_refused(kind: str) -> None:
    data = packed(tone(), kind)
    head = {"mp3": 64, "mp4": 40, "ogg": 60, "webm": 60}.get(kind, 44)

    assert refusal_of_any(data[:head]).param == "file"


def refusal_of_any(data: bytes) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as refused:
        read_sound(data, bounds=BOUNDS, sample_rate=16_000)
    return refused.value


def test_a_video_without_sound_is_refused_as_that() -> None:
    data = packed(tone(), "mkv", video=True).replace(b"A_FLAC", b"S_FLAC")

    assert "no sound" in refusal_of(data).message or "cannot be decoded" in refusal_of(data).message


@pytest.mark.parametrize("kind", ["mp3", "ogg", "webm", "flac", "wav", "aac"])
def test_what_is_there_of_a_file_that_was_cut_off_is_heard(kind: str) -> None:
    data = packed(tone(seconds=4.0), kind)

    heard = read_sound(data[: len(data) // 2], bounds=BOUNDS, sample_rate=16_000)

    assert 1.0 < heard.seconds < 3.0


def test_damage_in_the_middle_does_not_lose_the_rest() -> None:
    data = bytearray(packed(tone(hertz=440, seconds=8.0), "mp3"))
    data[5_000:5_600] = bytes(600)

    assert read_sound(bytes(data), bounds=BOUNDS, sample_rate=16_000).seconds == pytest.approx(8.0, abs=0.5)


def test_a_recording_over_the_length_is_refused_before_it_is_decoded() -> None:
    """Hours of silence take few bytes; how many hours is counted without making the samples."""
    bomb = convert(silence(seconds=120, sample_rate=16_000), "flac", sample_rate=16_000)
    assert len(bomb) < 30_000

    error = refusal_of(bomb, Bounds(max_seconds=60))

    assert "audio_too_long" == error.code
    assert "60 s" in error.message


def test_samples_without_end_are_refused_while_they_are_decoded() -> None:
    data = wav_of(tone(seconds=2.0))

    with pytest.raises(InvalidRequest):
        read_sound(data, bounds=Bounds(max_decoded_bytes=50_000), sample_rate=16_000)
    with pytest.raises(InvalidRequest):
        read_sound(data, bounds=Bounds(max_seconds=1.5), sample_rate=16_000)


@pytest.mark.parametrize("sample_rate", [1, 1_000, 3_999, 400_000, 2_000_000_000])
def test_rates_that_make_much_of_little_are_refused(sample_rate: int) -> None:
    refusal_of(wav(bytes(4_000), sample_rate=sample_rate))


def test_reading_ends_when_time_is_up() -> None:
    answers: Iterator[bool] = iter([False] * 20)
    bounds = Bounds(expired=lambda: next(answers, True))

    with pytest.raises(InvalidRequest) as refused:
        read_sound(wav_of(tone(seconds=30.0)), bounds=bounds, sample_rate=16_000)

    assert "too long to decode" in refused.value.message


def test_silence_is_a_recording() -> None:
    assert Sound(bytes(32_000), 16_000) == read_sound(
        packed(silence(seconds=1, sample_rate=16_000), "flac"), bounds=BOUNDS, sample_rate=16_000
    )


def test_damaged_files_are_read_or_refused() -> None:
    """Thousands of files with something wrong in them: each is heard, or refused as the caller's fault."""
    sound = Sound(speak("one two").pcm, 22_050) if ESPEAK else tone()
    files = [packed(sound, kind) for kind in CONTAINERS]
    chance = Random(2411)  # noqa: S311 - not a secret
    bounds = Bounds(max_seconds=60)
    heard = refused = 0

    for _ in range(FUZZED_FILES):
        data = harmed(chance.choice(files), files, chance)
        try:
            probe(io.BytesIO(data), bounds)
            heard += read_sound(data, bounds=bounds, sample_rate=16_000).seconds > 0
        except InvalidRequest:
            refused += 1

    assert FUZZED_FILES == heard + refused
    assert min(heard, refused) > FUZZED_FILES // 20


class Unreachable(io.BytesIO):
    """A file of which only the beginning can be gone to; a damaged head points to where no place can be."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_SET and offset > 4096:
            raise OSError("Invalid argument")
        return super().seek(offset, whence)


def test_a_place_that_is_none_is_not_told_on_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    """PyAV writes there what is raised while something else that was raised still waits: once for every place."""
    recording = Unreachable(packed(tone(seconds=4.0), "avi"))

    with suppress(InvalidRequest):
        list(decode(recording, Bounds(), sample_rate=16_000))

    assert "" == capfd.readouterr().err
