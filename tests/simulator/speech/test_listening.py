"""Sound to words, in processes of their own."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.simulator.speech import hear, listen, resample, speak, wav
from gateway.simulator.speech import listening as listening_module
from gateway.simulator.speech.listening import EARS, Hearing
from tests.simulator.speech.clearly import GREETING, MUSEUM, NUMBERS, TABLE, WEATHER, listens, speaks


@listens
@speaks
@pytest.mark.parametrize("sentence", [GREETING, WEATHER, NUMBERS, TABLE, MUSEUM])
def test_spoken_sentence_comes_back_as_its_words(sentence: str) -> None:
    assert sentence == listen(*speak(sentence))


@listens
@speaks
@pytest.mark.parametrize("rate_hz", [16000, 24000, 44100])
def test_rate_of_the_sound_is_minded(rate_hz: int) -> None:
    pcm, spoken_hz = speak(NUMBERS)

    heard = listen(resample(pcm, from_hz=spoken_hz, to_hz=rate_hz), rate_hz)

    assert "two three four" in heard


@listens
@speaks
def test_words_have_the_times_at_which_they_were_said() -> None:
    """In order, within the sound, and later by as much as there was silence before."""
    pcm, rate_hz = speak(MUSEUM)
    seconds = len(pcm) / 2 / rate_hz

    words = hear(pcm, rate_hz=rate_hz).words
    later = hear(bytes(2 * rate_hz * 2) + pcm, rate_hz=rate_hz).words

    assert MUSEUM.split() == [word.text for word in words]
    assert all(0 <= word.start < word.end <= seconds for word in words)
    assert [word.start for word in words] == sorted(word.start for word in words)
    assert later[-1].end == pytest.approx(words[-1].end + 2.0, abs=0.2)


def test_silence_has_no_words() -> None:
    assert Hearing("") == hear(bytes(32000), rate_hz=16000)
    assert "" == listen(b"", 16000)
    assert "" == listen(b"\x01", 16000)


@listens
@speaks
def test_others_go_on_while_somebody_is_heard() -> None:
    """Nobody in this process waits for the recogniser, which holds Python's lock while it works."""
    pcm, rate_hz = speak(f"{TABLE}. {MUSEUM}. {NUMBERS}")
    done = threading.Event()
    turns = 0

    def work() -> None:
        hear(pcm, rate_hz=rate_hz)
        done.set()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work)
        while not done.is_set():
            time.sleep(0.005)
            turns += 1

    assert turns > 20


@listens
@speaks
def test_more_sounds_than_ears_wait_and_all_are_heard() -> None:
    spoken = [speak(sentence) for sentence in (WEATHER, GREETING) * EARS]

    with ThreadPoolExecutor(len(spoken)) as pool:
        heard = list(pool.map(lambda sound: listen(*sound), spoken))

    assert [WEATHER, GREETING] * EARS == heard
    assert len(listening_module._EARS._all) <= EARS


@listens
@speaks
def test_an_ear_that_died_is_replaced() -> None:
    """What it was listening to has no words; the next sound has."""
    listen(*speak(WEATHER))
    for ear in list(listening_module._EARS._all):
        ear._process.kill()
        ear._process.wait()

    heard = [listen(*speak(WEATHER)) for _ in range(EARS + 1)]

    assert WEATHER == heard[-1]


def test_a_wav_has_a_header() -> None:
    assert b"RIFF" == wav(bytes(10), rate_hz=16000)[:4]
