"""Text to sound."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.simulator.speech import resample, seconds_of, speak
from gateway.simulator.speech.speaking import tones
from gateway.simulator.tokens import count
from tests.simulator.speech.clearly import speaks


@speaks
def test_longer_texts_take_longer_to_say() -> None:
    short, rate_hz = speak("Good morning.")
    long, _ = speak("Good morning. How are you today? The weather is nice.")

    assert 0.5 < seconds_of(short, rate_hz=rate_hz) < seconds_of(long, rate_hz=rate_hz) < 6


@speaks
def test_speed_changes_the_length() -> None:
    text = "The weather is nice today, so let us go out."
    lengths = [len(speak(text, speed=speed)[0]) for speed in (0.6, 1.0, 2.0)]

    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0] > 2 * lengths[2]


@speaks
def test_voices_sound_different_and_are_the_same_each_time() -> None:
    """Those of the platform's, and any other name."""
    text, voices = "The weather is nice, hello there", ("tongtong", "xiaochen", "jam", "a-voice-of-my-own")
    rounds = [{voice: speak(text, voice=voice)[0] for voice in voices} for _ in range(5)]

    assert len(voices) == len(set(rounds[0].values()))
    assert [rounds[0]] * 5 == rounds


@pytest.mark.parametrize(
    ("known", "given"), [("-D  Enable deterministic random mode", True), ("-d  Something else", False)]
)
def test_nothing_is_left_to_chance_where_espeak_can_be_told_so(tmp_path: Path, known: str, *, given: bool) -> None:
    """From 1.52 on it knows an option for that; before, it knew neither the option nor chance."""
    program = tmp_path / "espeak-ng"
    program.write_text(f"#!/bin/sh\n[ $1 = --help ] && echo '{known}' || echo $@ >{tmp_path}/options\n")
    program.chmod(0o755)
    code = "from gateway.simulator.speech import speak; speak('Hello')"

    subprocess.run([sys.executable, "-c", code], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=True)

    assert given == ("-D" in (tmp_path / "options").read_text().split())


@speaks
def test_chinese_is_said_as_chinese() -> None:
    """By its syllables, not by the names of its characters, which take many times as long."""
    pcm, rate_hz = speak("你好，世界")

    assert 0.8 < seconds_of(pcm, rate_hz=rate_hz) < 4


@pytest.mark.parametrize("text", ["-v en", "--help", "\x00\x07", "<speak>hi</speak>", "😀", "\ud800", ""])
def test_any_text_can_be_said(text: str) -> None:
    pcm, _ = speak(text)

    assert 0 == len(pcm) % 2


def test_tones_last_as_long_as_the_text_has_tokens() -> None:
    text = "One two three"

    assert 0.1 * count(text) == pytest.approx(seconds_of(tones(text, rate_hz=24000), rate_hz=24000))
    assert 0.05 * count(text) == pytest.approx(seconds_of(tones(text, rate_hz=24000, speed=2.0), rate_hz=24000))
    assert tones("One", rate_hz=24000) != tones("two", rate_hz=24000)
    assert any(tones("One", rate_hz=24000))


def test_resampled_sound_is_as_long_as_before() -> None:
    pcm = tones("One two three", rate_hz=44100)

    again = resample(pcm, from_hz=44100, to_hz=16000)

    assert seconds_of(pcm, rate_hz=44100) == pytest.approx(seconds_of(again, rate_hz=16000), abs=0.001)
    assert pcm == resample(pcm, from_hz=44100, to_hz=44100)
    assert b"" == resample(b"", from_hz=44100, to_hz=16000)
