"""Files of sound to samples and back: wav and mp3 in, wav out, any rate to any other."""

import io
import wave
from collections.abc import Iterator
from typing import Literal

import av

Kind = Literal["wav", "mp3"]

SAMPLE_BYTES = 2


class Unplayable(Exception):
    """A file holds no sound that can be read."""


def decode(content: bytes, *, kind: Kind, rate_hz: int, longest_seconds: float) -> bytes:
    """
    Return the sound of a file.

    Stops soon after ``longest_seconds``, so what comes back longer than that was too long. Raises Unplayable.
    """
    sound = bytearray()
    most_bytes = int(longest_seconds * rate_hz + rate_hz) * SAMPLE_BYTES
    try:
        with av.open(io.BytesIO(content), "r", format=kind) as file:
            if not file.streams.audio:
                raise Unplayable
            for piece in _resampled(file.decode(audio=0), rate_hz=rate_hz):
                sound += piece
                if len(sound) > most_bytes:
                    break
    except (av.FFmpegError, ValueError) as error:
        raise Unplayable from error
    if not sound:
        raise Unplayable
    return bytes(sound)


def resample(pcm: bytes, *, from_hz: int, to_hz: int) -> bytes:
    """Return the same sound at another rate."""
    if from_hz == to_hz or not pcm:
        return pcm
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // SAMPLE_BYTES)
    frame.sample_rate = from_hz
    frame.planes[0].update(pcm[: frame.samples * SAMPLE_BYTES])
    return b"".join(_resampled(iter([frame]), rate_hz=to_hz))


def seconds_of(pcm: bytes, *, rate_hz: int) -> float:
    """Tell how long a sound is."""
    return len(pcm) / SAMPLE_BYTES / rate_hz


def wav(pcm: bytes, *, rate_hz: int) -> bytes:
    """Wrap a sound as a file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(SAMPLE_BYTES)
        recording.setframerate(rate_hz)
        recording.writeframes(pcm)
    return file.getvalue()


def mp3(pcm: bytes, *, rate_hz: int) -> bytes:
    """Compress a sound; none gives nothing."""
    if not pcm:
        return b""
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as recording:
        stream = recording.add_stream("mp3", rate=rate_hz, layout="mono")
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // SAMPLE_BYTES)
        frame.sample_rate = rate_hz
        frame.planes[0].update(pcm[: frame.samples * SAMPLE_BYTES])
        for packet in (*stream.encode(frame), *stream.encode(None)):
            recording.mux(packet)
    return file.getvalue()


def _resampled(frames: Iterator[av.AudioFrame], *, rate_hz: int) -> Iterator[bytes]:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)
    for frame in frames:
        frame.pts = None  # damaged files have times that run backwards
        yield from map(_samples, resampler.resample(frame))
    yield from map(_samples, resampler.resample(None))


def _samples(frame: av.AudioFrame) -> bytes:
    return bytes(frame.planes[0])[: frame.samples * SAMPLE_BYTES]
