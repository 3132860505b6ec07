"""
The voice of glm-4-voice: a text as sound, in segments of a few tokens whose sound is theirs, about.

Source: docs.bigmodel.cn, GLM-4-Voice. Its pages disagree on what ``audio.data`` holds, headerless PCM (16 bit,
mono, 44100 Hz) or a WAV file, in streams one file for each delta; both can be had.
"""

import base64
import io
import wave

from msgspec import Struct

from gateway.simulator.platform import Sound
from gateway.simulator.speech import resample, wav
from gateway.simulator.speech import speak as say
from gateway.simulator.speech.sound import SAMPLE_BYTES

RATE_HZ = 44100
_TOKENS_IN_SEGMENT = 5


class Segment(Struct, frozen=True):
    """A stretch of text and its sound as headerless PCM."""

    text: str
    pcm: bytes


def speak(tokens: list[str]) -> list[Segment]:
    """Say a text; its sound is parted as its letters are. Takes its time."""
    starts = range(0, len(tokens), _TOKENS_IN_SEGMENT)
    texts = ["".join(tokens[start : start + _TOKENS_IN_SEGMENT]) for start in starts]
    if not texts:
        return []
    spoken, rate_hz = say("".join(texts))
    sound = resample(spoken, from_hz=rate_hz, to_hz=RATE_HZ)
    segments, letters, said = [], sum(map(len, texts)), 0
    for text in texts:
        first, said = said, said + len(text)
        segments.append(Segment(text, sound[_at(first, letters, sound) : _at(said, letters, sound)]))
    return segments


def packed(pcm: bytes, *, sound: Sound) -> str:
    """Wrap sound as the answer carries it: base64 of PCM, or of a WAV file."""
    return base64.b64encode(pcm if sound == "pcm" else wav(pcm, rate_hz=RATE_HZ)).decode()


def heard_seconds(content: bytes) -> float:
    """Tell how long a recording is: a WAV by its header, an MP3 as if it had 128 kbit/s."""
    try:
        with wave.open(io.BytesIO(content)) as recording:
            return float(recording.getnframes() / recording.getframerate())
    except (wave.Error, EOFError):
        return len(content) / 16000


def _at(letter: int, letters: int, sound: bytes) -> int:
    return len(sound) // SAMPLE_BYTES * letter // letters * SAMPLE_BYTES
