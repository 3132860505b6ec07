"""
Text to sound: espeak-ng where it is installed, else a tone for each token.

The voices' names are the platform's; each has a sound of its own. English and Chinese are told apart by the text.
"""

import io
import math
import re
import shutil
import subprocess
import wave
import zlib
from array import array
from collections.abc import Mapping
from functools import cache, lru_cache

from gateway.simulator.speech.sound import SAMPLE_BYTES
from gateway.simulator.tokens import pieces

DEFAULT_VOICE = "tongtong"
ESPEAK_HZ = 22050

# The first is the one that pocketsphinx understands best, at this speed.
_VARIANTS: Mapping[str, str] = {
    DEFAULT_VOICE: "f5",
    "chuichui": "m5",
    "xiaochen": "f2",
    "jam": "m3",
    "kazi": "m1",
    "douji": "f3",
    "luodo": "m7",
}
_WORDS_PER_MINUTE = 140
_SLOWEST, _FASTEST = 80, 450
_CJK = re.compile(r"[\u4e00-\u9fff]")
_UNSPEAKABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_PATIENCE_SECONDS = 60
_TONE_SECONDS = 0.1


def speak(text: str, *, voice: str = DEFAULT_VOICE, speed: float = 1.0) -> tuple[bytes, int]:
    """
    Say a text; gives the sound and its rate in Hz.

    ``voice`` may be any name: those unknown have some voice, the same each time. Without espeak-ng, or where it
    fails, each token is a tone, so that the length still fits the text.
    """
    command = _espeak()
    sound = _spoken(text, espeak=command, voice=voice, speed=speed) if command is not None else None
    return (sound, ESPEAK_HZ) if sound is not None else (tones(text, rate_hz=ESPEAK_HZ, speed=speed), ESPEAK_HZ)


def tones(text: str, *, rate_hz: int, speed: float = 1.0) -> bytes:
    """Play a text: a tone for each token, one tenth of a second long at speed 1, the same for the same token."""
    samples = int(rate_hz * _TONE_SECONDS / speed)
    return b"".join(_tone(_pitch(token), samples, rate_hz) for token in pieces(text))


@cache
def _espeak() -> tuple[str, ...] | None:
    program = shutil.which("espeak-ng")
    if program is None:
        return None
    try:
        known = subprocess.run(  # noqa: S603  # asks for its options
            [program, "--help"], capture_output=True, timeout=_PATIENCE_SECONDS, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return (program,)
    # From 1.52 on breath is as random as the time of day, unless this option is there and given.
    return (program, "-D") if b"deterministic" in known else (program,)


def _spoken(text: str, *, espeak: tuple[str, ...], voice: str, speed: float) -> bytes | None:
    language = "cmn" if _CJK.search(text) else "en-us"
    words_per_minute = min(_FASTEST, max(_SLOWEST, round(_WORDS_PER_MINUTE * speed)))
    command = [*espeak, "--stdin", "--stdout", "-b", "1", "-v", f"{language}+{_variant(voice)}"]
    try:
        done = subprocess.run(  # noqa: S603  # the text goes to its standard input, never to a shell
            [*command, "-s", str(words_per_minute)],
            input=_UNSPEAKABLE.sub(" ", text).encode("utf-8", "replace"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return _samples_of(done.stdout)


def _samples_of(file: bytes) -> bytes | None:
    """Return what is in a wav that was written to a pipe, whose header cannot know its length."""
    if not file:
        return b""
    try:
        with wave.open(io.BytesIO(file)) as recording:
            if (recording.getnchannels(), recording.getsampwidth()) != (1, SAMPLE_BYTES):
                return None
            if recording.getframerate() != ESPEAK_HZ:
                return None
            sound: bytes = recording.readframes(len(file) // SAMPLE_BYTES)
            return sound[: len(sound) // SAMPLE_BYTES * SAMPLE_BYTES]
    except (wave.Error, EOFError):
        return None


def _variant(voice: str) -> str:
    others = list(_VARIANTS.values())
    return _VARIANTS.get(voice) or others[zlib.crc32(voice.encode("utf-8", "replace")) % len(others)]


def _pitch(token: str) -> int:
    return 220 + 20 * (zlib.crc32(token.strip().encode("utf-8", "replace")) % 20)


@lru_cache(maxsize=64)
def _tone(hertz: int, samples: int, rate_hz: int) -> bytes:
    turn, fade = 2 * math.pi * hertz / rate_hz, samples / math.pi
    return array("h", (int(8000 * math.sin(at / fade) * math.sin(at * turn)) for at in range(samples))).tobytes()
