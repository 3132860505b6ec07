import av
import pytest

from gateway.audio import memory


def test_what_ffmpeg_may_reserve_is_bounded() -> None:
    """A frame that needs more than that is not made; one that needs less is."""
    assert memory.bound_allocations()

    assert av.AudioFrame(format="s16", layout="mono", samples=16_000).samples == 16_000
    with pytest.raises((MemoryError, av.error.FFmpegError)):
        av.AudioFrame(format="s16", layout="mono", samples=memory.MAX_ALLOCATION_BYTES)
