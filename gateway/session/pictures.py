"""Pictures of any usual kind as JPEGs of a size that GLM looks at. It blocks, and is called in threads."""

import io
from fractions import Fraction
from typing import TYPE_CHECKING

from gateway.audio.memory import bound_allocations
from gateway.audio.opening import failures
from gateway.errors import InvalidRequest

if TYPE_CHECKING:
    from av import VideoFrame

DEMUXERS = {b"\x89PNG": "png_pipe", b"\xff\xd8\xff": "jpeg_pipe", b"RIFF": "webp_pipe", b"GIF8": "gif_pipe"}
PIXELS = "yuvj420p"
QUALITY = 4
"""FFmpeg's scale, from 1, the best, to 31."""


def jpeg_of(data: bytes, *, max_side: int) -> bytes:
    """Return a picture as a JPEG of at most so many pixels a side; raise InvalidRequest when it is none."""
    demuxer = next((name for start, name in DEMUXERS.items() if data.startswith(start)), None)
    if demuxer is None or not bound_allocations():
        raise unreadable()
    try:
        frame = first_frame(data, demuxer=demuxer)
        width, height = fitting(frame.width, frame.height, max_side=max_side)
        return encoded(frame.reformat(width=width, height=height, format=PIXELS, dst_color_range="JPEG"))
    except failures() as error:
        raise unreadable() from error


def first_frame(data: bytes, *, demuxer: str) -> "VideoFrame":
    import av  # noqa: PLC0415 - see gateway.audio

    with av.open(io.BytesIO(data), "r", format=demuxer, options={"protocol_whitelist": "none"}) as container:
        frame = next(container.decode(video=0), None)
    if frame is None:
        raise ValueError
    return frame


def fitting(width: int, height: int, *, max_side: int) -> tuple[int, int]:
    """Return the size that fits, in even numbers, as JPEG's colours need."""
    share = min(1.0, max_side / max(width, height))
    return max(2, round(width * share / 2) * 2), max(2, round(height * share / 2) * 2)


def encoded(frame: "VideoFrame") -> bytes:
    from av.codec import CodecContext  # noqa: PLC0415 - see gateway.audio
    from av.video.codeccontext import VideoCodecContext  # noqa: PLC0415 - see gateway.audio

    encoder = CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)  # noqa: S101 - that is what it makes
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, PIXELS
    encoder.time_base = Fraction(1)
    encoder.options = {"qmin": str(QUALITY), "qmax": str(QUALITY)}
    frame.pts = 0
    return b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))


def unreadable() -> InvalidRequest:
    return InvalidRequest(
        "The picture cannot be read. Send a whole JPEG, PNG, WebP or GIF.",
        param="item.content",
        code="invalid_value",
    )
