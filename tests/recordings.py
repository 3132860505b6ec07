"""Real recordings: speech by espeak-ng, tones, silence, and any of them in the containers that people have."""

import io
import math
import shutil
import subprocess
from array import array
from collections.abc import Sequence
from functools import cache
from random import Random

import av
import pytest
from av import AudioStream, VideoFrame, VideoStream

from gateway.audio import Sound, wav
from gateway.audio.pcm import SAMPLE_BYTES
from gateway.audio.resample import Resampler, frame_of

ESPEAK = shutil.which("espeak-ng")
ESPEAK_RATE = 22_050

CONTAINERS = {
    "wav": ("wav", "pcm_s16le"),
    "mp3": ("mp3", "libmp3lame"),
    "mpga": ("mp3", "libmp3lame"),
    "mpeg": ("mpeg", "mp2"),
    "flac": ("flac", "flac"),
    "ogg": ("ogg", "libopus"),
    "opus": ("opus", "libopus"),
    "webm": ("webm", "libopus"),
    "m4a": ("ipod", "aac"),
    "mp4": ("mp4", "aac"),
    "mov": ("mov", "pcm_s16be"),
    "mkv": ("matroska", "flac"),
    "aac": ("adts", "aac"),
    "aiff": ("aiff", "pcm_s16be"),
    "caf": ("caf", "pcm_s16le"),
    "au": ("au", "pcm_mulaw"),
    "avi": ("avi", "libmp3lame"),
    "ts": ("mpegts", "aac"),
    "float.wav": ("wav", "pcm_f32le"),
    "mulaw.wav": ("wav", "pcm_mulaw"),
}
"""FFmpeg's muxer and codec for what files of these names are."""


@cache
def speak(text: str) -> Sound:
    """Return spoken English; the test is skipped where nothing can speak."""
    if ESPEAK is None:
        pytest.skip("espeak-ng is not installed")
    spoken = subprocess.run([ESPEAK, "--stdout", text], check=True, capture_output=True, timeout=30).stdout
    return Sound(spoken[44:], ESPEAK_RATE)


@cache
def tone(*, hertz: float = 440.0, seconds: float = 1.0, sample_rate: int = 24_000) -> Sound:
    """Return a sine at a third of the loudest."""
    turn = 2 * math.pi * hertz / sample_rate
    samples = (round(10_000 * math.sin(turn * at)) for at in range(round(seconds * sample_rate)))
    return Sound(array("h", samples).tobytes(), sample_rate)


def silence(*, seconds: float, sample_rate: int) -> Sound:
    """Return samples of zero."""
    return Sound(bytes(round(seconds * sample_rate) * SAMPLE_BYTES), sample_rate)


def joined(*sounds: Sound) -> Sound:
    """Return sounds of one rate, one after the other."""
    assert len({sound.sample_rate for sound in sounds}) == 1
    return Sound(b"".join(sound.pcm for sound in sounds), sounds[0].sample_rate)


def at_rate(sound: Sound, sample_rate: int) -> Sound:
    """Return a sound at another rate."""
    resampler = Resampler(from_rate=sound.sample_rate, to_rate=sample_rate)
    return Sound(resampler.feed(sound.pcm) + resampler.finish(), sample_rate)


def wav_of(sound: Sound) -> bytes:
    """Return a sound as a wav file."""
    return wav(sound.pcm, sample_rate=sound.sample_rate)


def packed(sound: Sound, kind: str, *, video: bool = False) -> bytes:
    """Return a sound as the file that a program would make of it, with pictures beside it where asked."""
    muxer, codec = CONTAINERS[kind]
    sound = at_rate(sound, 48_000) if codec == "libopus" or kind in ("mpeg", "ts") else sound
    file = io.BytesIO()
    with av.open(file, "w", format=muxer) as made:
        pictures = made.add_stream("mpeg4", rate=5) if video else None
        stream = made.add_stream(codec, rate=sound.sample_rate, layout="mono")
        assert isinstance(stream, AudioStream)
        if isinstance(pictures, VideoStream):
            pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
            for at in range(math.ceil(sound.seconds * 5)):
                picture = VideoFrame(64, 48, "yuv420p")
                picture.pts = at
                made.mux(pictures.encode(picture))
            made.mux(pictures.encode(None))
        frame = frame_of(sound.pcm, sample_rate=sound.sample_rate)
        frame.pts = 0
        made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return file.getvalue()


def frequency(sound: Sound) -> float:
    """Return how often a second a tone crosses zero upwards, in Hz, leaving out what surrounds its middle."""
    samples = memoryview(sound.pcm).cast("h")[len(sound.pcm) // 8 : len(sound.pcm) * 3 // 8]
    rises = [
        at - samples[at] / (samples[at] - samples[at - 1])
        for at in range(1, len(samples))
        if samples[at - 1] < 0 <= samples[at]
    ]
    return (len(rises) - 1) * sound.sample_rate / (rises[-1] - rises[0])


def loudness(sound: Sound) -> float:
    """Return the root of the mean of the squared samples."""
    samples = memoryview(sound.pcm).cast("h")
    return math.sqrt(sum(sample * sample for sample in samples) / max(len(samples), 1))


def harmed(data: bytes, others: Sequence[bytes], chance: Random) -> bytes:
    """Return a file with one to three things wrong: cut, swapped, filled, lengthened, mixed with another."""
    file = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 3))):
        # Heads are where the damage is worst.
        at = chance.randrange(len(file) + 1 if chance.random() < 0.5 else min(len(file), 2_000) + 1)
        match chance.randrange(7):
            case 0:
                del file[at:]
            case 1:
                file[at:at] = chance.randbytes(chance.randrange(50))
            case 2:
                file[at : at + 4] = b"\xff\xff\xff\xff"
            case 3:
                del file[at : at + chance.randrange(200)]
            case 4:
                for place in chance.choices(range(len(file)), k=30) if file else []:
                    file[place] = chance.randrange(256)
            case 5:
                file[at : at + chance.randrange(100)] = bytes(chance.randrange(100))
            case _:
                other = chance.choice(others)
                file[at:] = other[chance.randrange(len(other)) :]
    return bytes(file)
