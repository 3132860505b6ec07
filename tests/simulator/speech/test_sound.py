"""Files of sound to samples."""

import pytest

from gateway.audio import Sound
from gateway.simulator.speech import Unplayable, decode, seconds_of, wav
from gateway.simulator.speech.sound import Kind
from gateway.simulator.speech.speaking import tones
from tests.recordings import packed

TONES = tones("One two three four five", rate_hz=24000)


def test_wav_is_read_as_it_is() -> None:
    assert TONES == decode(wav(TONES, rate_hz=24000), kind="wav", rate_hz=24000, longest_seconds=30)


@pytest.mark.parametrize(("name", "kind"), [("mp3", "mp3"), ("float.wav", "wav"), ("mulaw.wav", "wav")])
def test_other_codecs_are_read_too(name: str, kind: Kind) -> None:
    file = packed(Sound(TONES, 24000), name)

    pcm = decode(file, kind=kind, rate_hz=16000, longest_seconds=30)

    assert seconds_of(TONES, rate_hz=24000) == pytest.approx(seconds_of(pcm, rate_hz=16000), abs=0.06)


def test_reading_stops_soon_after_the_longest_there_may_be() -> None:
    pcm = decode(wav(bytes(2 * 8000 * 100), rate_hz=8000), kind="wav", rate_hz=8000, longest_seconds=10)

    assert 10 < seconds_of(pcm, rate_hz=8000) < 15


@pytest.mark.parametrize(
    "content",
    [b"", b"RIFF", b"RIFF\x10\x00\x00\x00WAVEfmt ", b"\xff\xfb\x90\x00" * 3, wav(b"", rate_hz=8000), b"text" * 50],
)
@pytest.mark.parametrize("kind", ["wav", "mp3"])
def test_what_holds_no_sound_is_unplayable(content: bytes, kind: Kind) -> None:
    with pytest.raises(Unplayable):
        decode(content, kind=kind, rate_hz=16000, longest_seconds=30)
