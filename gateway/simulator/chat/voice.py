"""
The voice of glm-4-voice: text as sound, one tone a token, so that length and order can be heard and tested.

Source: docs.bigmodel.cn, GLM-4-Voice. Its pages disagree on what ``audio.data`` holds, headerless PCM (16 bit,
mono, 44100 Hz) or a WAV file, in streams one file for each delta; both can be had.
"""

import base64
import io
import math
import wave
import zlib
from array import array
from functools import lru_cache

from msgspec import Struct

from gateway.simulator.platform import Sound

RATE_HZ = 44100
_TONE_SAMPLES = RATE_HZ // 10
_TOKENS_IN_SEGMENT = 5


class Segment(Struct, frozen=True):
    """A stretch of text and its sound as headerless PCM."""

    text: str
    pcm: bytes


def speak(tokens: list[str]) -> list[Segment]:
    """Say a text in segments of a few tokens."""
    starts = range(0, len(tokens), _TOKENS_IN_SEGMENT)
    groups = [tokens[start : start + _TOKENS_IN_SEGMENT] for start in starts]
    return [Segment("".join(group), b"".join(_tone(_pitch(token)) for token in group)) for group in groups]


def packed(pcm: bytes, *, sound: Sound) -> str:
    """Wrap sound as the answer carries it: base64 of PCM, or of a WAV file."""
    return base64.b64encode(pcm if sound == "pcm" else _wav(pcm)).decode()


def heard_seconds(content: bytes) -> float:
    """Tell how long a recording is: a WAV by its header, an MP3 as if it had 128 kbit/s."""
    try:
        with wave.open(io.BytesIO(content)) as recording:
            return float(recording.getnframes() / recording.getframerate())
    except (wave.Error, EOFError):
        return len(content) / 16000


def _pitch(token: str) -> int:
    return 220 + 20 * (zlib.crc32(token.strip().encode()) % 20)


@lru_cache(maxsize=32)
def _tone(hertz: int) -> bytes:
    turn = 2 * math.pi * hertz / RATE_HZ
    fade = _TONE_SAMPLES / math.pi
    samples = (8000 * math.sin(at / fade) * math.sin(at * turn) for at in range(_TONE_SAMPLES))
    return array("h", map(int, samples)).tobytes()


def _wav(pcm: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(RATE_HZ)
        recording.writeframes(pcm)
    return file.getvalue()
