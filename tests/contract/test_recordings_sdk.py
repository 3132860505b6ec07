"""Speech sent by OpenAI's own SDK: heard in whatever container it comes, and for as long as it lasts."""

import re
from itertools import islice
from random import Random

import pytest
from openai import AsyncOpenAI

from gateway.audio import Bounds, Sound, read_sound
from gateway.audio.pcm import SAMPLE_BYTES
from gateway.simulator.speech import speak as say
from tests.contract.conftest import Connect
from tests.fakes import Call, Zhipu
from tests.forms import form_of
from tests.recordings import at_rate, joined, packed, silence, speak
from tests.running import Gateway
from tests.simulator.speech.clearly import NAME, listens, speaks

RATE = 16_000
CONTAINERS = ("flac", "mp3", "mp4", "mpeg", "m4a", "ogg", "wav", "webm")


@listens
@speaks
@pytest.mark.parametrize("kind", CONTAINERS)
async def test_a_spoken_sentence_comes_back_as_its_words(sdk: AsyncOpenAI, kind: str) -> None:
    recording = packed(at_rate(Sound(*say(NAME)), RATE), kind)

    answer = await sdk.audio.transcriptions.create(file=recording, model="whisper-1")

    assert NAME == answer.text


class Lecture:
    """Ten minutes of sentences, each said once, with pauses between them; it knows when each begins and ends."""

    def __init__(self, *, seconds: float) -> None:
        self.times: dict[str, tuple[float, float]] = {}
        self._samples: dict[str, bytes] = {}
        self._heard = 0
        chance = Random(17)  # noqa: S311 - not a secret
        parts: list[Sound] = []
        at = 0.0
        while at < seconds:
            sentence = f"this is sentence number {len(self.times) + 1}"
            spoken = at_rate(speak(sentence), RATE)
            pause = silence(seconds=chance.choice((0.6, 0.8, 1.5, 4.0)), sample_rate=RATE)
            self._samples[sentence] = spoken.pcm.strip(b"\0")
            self.times[sentence] = (at, at + Sound(spoken.pcm.rstrip(b"\0"), RATE).seconds)
            parts += spoken, pause
            at += spoken.seconds + pause.seconds
        self.sound = joined(*parts)

    def hear(self, call: Call) -> None:
        """Answer with the sentences in a piece: without loss on the way, it has their very samples."""
        [(_, _, file)] = form_of(call)["file"]
        piece = read_sound(file, bounds=Bounds(), sample_rate=RATE)
        assert piece.seconds <= 25
        # Pieces come nearly in order, and to look for all sentences in each takes long.
        near = islice(self._samples.items(), max(0, self._heard - 20), self._heard + 40)
        sentences = [sentence for sentence, samples in near if samples in piece.pcm]
        self._heard += len(sentences)
        call.answer({"text": ". ".join(sentences)})


@speaks
async def test_ten_minutes_come_back_complete_in_order_and_with_their_times(
    gateway: Gateway, zhipu: Zhipu, connect: Connect
) -> None:
    """Every sentence once, none cut in two; what a subtitle holds begins and ends when it says, within 0.5 s."""
    lecture = Lecture(seconds=600)
    zhipu.script = [lecture.hear] * len(lecture.times)

    subtitles = str(
        await connect(gateway, timeout=120).audio.transcriptions.create(
            file=packed(lecture.sound, "flac"), model="whisper-1", response_format="srt"
        )
    )

    cues = [read_cue(cue) for cue in subtitles.strip().split("\n\n")]
    assert [*lecture.times] == [sentence for _, _, sentences in cues for sentence in sentences]
    for start, end, sentences in cues:
        assert start == pytest.approx(lecture.times[sentences[0]][0], abs=0.5)
        assert end == pytest.approx(lecture.times[sentences[-1]][1], abs=0.5)
    assert len(cues) > 50
    assert gateway.record.audio_seconds == pytest.approx(lecture.sound.seconds, abs=0.1)
    assert len(lecture.sound.pcm) == round(lecture.sound.seconds * RATE) * SAMPLE_BYTES


def read_cue(cue: str) -> tuple[float, float, list[str]]:
    """Return when a subtitle begins and ends, in seconds, and its sentences."""
    _, times, text = cue.split("\n")
    found = re.fullmatch(r"(\d\d):(\d\d):(\d\d),(\d{3}) --> (\d\d):(\d\d):(\d\d),(\d{3})", times)
    assert found is not None
    numbers = [int(number) for number in found.groups()]
    start, end = (
        hours * 3600 + minutes * 60 + seconds + thousandths / 1000
        for hours, minutes, seconds, thousandths in (numbers[:4], numbers[4:])
    )
    return start, end, text.split(". ")
