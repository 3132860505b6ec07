"""
The bound on what FFmpeg may reserve at once.

A file of a few bytes can claim tables of gigabytes. The command line of FFmpeg has a switch against that; PyAV has
none, so the library that it brought is asked directly.
"""

import ctypes
from functools import cache
from pathlib import Path

MAX_ALLOCATION_BYTES = 64 * 1024 * 1024
"""The index of a two-hour file takes 20 MiB, the largest picture of a video some 10."""

PLACES = ("../av.libs/libavutil*.so*", ".dylibs/libavutil*.dylib")
"""Where the wheels for Linux and macOS keep it, from the package."""


@cache
def bound_allocations() -> bool:
    """Bound what FFmpeg may reserve at once, in this process; return whether its library was found."""
    import av  # noqa: PLC0415 - see gateway.audio

    package = Path(av.__file__).parent
    for place in PLACES:
        folder, _, pattern = place.rpartition("/")
        for found in sorted((package / folder).glob(pattern)):
            library = ctypes.CDLL(str(found.resolve()))
            library.av_max_alloc.argtypes = [ctypes.c_size_t]
            library.av_max_alloc.restype = None
            library.av_max_alloc(MAX_ALLOCATION_BYTES)
            return True
    return False
