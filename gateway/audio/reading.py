"""The samples of a recording of any kind."""

from collections.abc import Iterator
from typing import BinaryIO

from gateway.audio.bounds import Bounds
from gateway.audio.opening import Opened, failures, opened
from gateway.audio.pcm import MAX_RATE, MIN_RATE, SAMPLE_BYTES
from gateway.audio.resample import Mixdown

CHUNK_SECONDS = 1


def decode(file: BinaryIO, bounds: Bounds, *, sample_rate: int) -> Iterator[bytes]:
    """
    Yield a recording's samples as pcm16 of this rate, about a second at a time.

    Parts that cannot be decoded are left out, unless they are the most of it. Raises InvalidRequest, the caller's
    fault, also after some has been yielded.
    """
    with opened(file, bounds) as recording:
        mixdown = Mixdown(sample_rate=sample_rate)
        waiting = bytearray()
        given = 0
        for samples in chunks(recording, mixdown, bounds):
            given += len(samples)
            bounds.check_seconds(given / SAMPLE_BYTES / sample_rate)
            waiting += samples
            if len(waiting) >= CHUNK_SECONDS * sample_rate * SAMPLE_BYTES:
                yield bytes(waiting)
                waiting.clear()
        if waiting:
            yield bytes(waiting)
        if not given:
            raise bounds.refusal("There is no sound in the file. Send a recording that is not empty.")


def chunks(recording: Opened, mixdown: Mixdown, bounds: Bounds) -> Iterator[bytes]:
    decoded_bytes = good = damaged = 0
    for packet in recording.file.demux(recording.stream):
        bounds.check_time()
        try:
            frames = packet.decode()
        except failures():
            damaged += 1
            continue
        good += 1
        for frame in frames:
            decoded_bytes += frame.samples * frame.format.bytes * len(frame.layout.channels)
            if decoded_bytes > bounds.max_decoded_bytes or not MIN_RATE <= frame.sample_rate <= MAX_RATE:
                raise bounds.unreadable()
            yield mixdown.feed(frame)
    if damaged > good:
        raise bounds.unreadable()
    yield mixdown.finish()
