"""The laws are judged by FFmpeg's own tables, which are another's work."""

import io
import itertools
from array import array

import av
import pytest
from av import AudioStream

from gateway.audio import Bounds, a_law, mu_law, read_sound
from gateway.audio.g711 import Law
from gateway.audio.resample import frame_of

LAWS = {"pcm_mulaw": mu_law, "pcm_alaw": a_law}
EVERY_CODE = bytes(range(256))


def by_ffmpeg(codec: str, samples: bytes) -> bytes:
    """Return samples as a wav file of a law, which ends with their codes."""
    file = io.BytesIO()
    with av.open(file, "w", format="wav") as made:
        stream = made.add_stream(codec, rate=8000, layout="mono")
        assert isinstance(stream, AudioStream)
        made.mux(stream.encode(frame_of(samples, sample_rate=8000)))
    return file.getvalue()


@pytest.fixture(params=LAWS)
def codec(request: pytest.FixtureRequest) -> str:
    """Name each law as FFmpeg does."""
    return str(request.param)


@pytest.fixture
def law(codec: str) -> Law:
    """Give the law under test."""
    return LAWS[codec]()


def test_every_code_means_what_it_means_to_ffmpeg(law: Law, codec: str) -> None:
    file = bytearray(by_ffmpeg(codec, bytes(512)))
    file[-256:] = EVERY_CODE

    assert read_sound(bytes(file), bounds=Bounds(), sample_rate=8000).pcm == law.decode(EVERY_CODE)


def test_every_code_comes_back_as_itself(law: Law) -> None:
    again = law.encode(law.decode(EVERY_CODE))

    # Mu-law has two zeros.
    assert {(0x7F, 0xFF)} >= {pair for pair in zip(EVERY_CODE, again, strict=True) if pair[0] != pair[1]}


def test_every_sample_becomes_the_nearest_code_or_the_one_beside_it(law: Law) -> None:
    samples = array("h", range(-32768, 32768))
    values = sorted(memoryview(law.decode(EVERY_CODE)).cast("h"))
    steps = dict(zip(values, [b - a for a, b in itertools.pairwise(values)] + [1024], strict=True))

    heard = memoryview(law.decode(law.encode(samples.tobytes()))).cast("h")

    assert all(abs(h - s) <= max(steps[h], 16) for s, h in zip(samples, heard, strict=True))


def test_loudest_and_quietest_are_those_of_the_standard() -> None:
    assert [-32124, 32124, 0] == memoryview(mu_law().decode(b"\x00\x80\xff")).cast("h").tolist()
    assert [-32256, 32256, 8] == memoryview(a_law().decode(b"\x2a\xaa\xd5")).cast("h").tolist()
    assert b"\xff\x80\x00" == mu_law().encode(array("h", [0, 32767, -32768]).tobytes())
    assert b"\xd5\xaa\x2a" == a_law().encode(array("h", [0, 32767, -32768]).tobytes())
