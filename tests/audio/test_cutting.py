from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.audio import Cut, Piece, Sound, cut
from tests.recordings import joined, silence, tone

RATE = 16_000
CHANCE = Random(3)  # noqa: S311 - not a secret


def talk(seconds: float) -> Sound:
    return tone(hertz=300, seconds=seconds, sample_rate=RATE)


def quiet(seconds: float) -> Sound:
    return silence(seconds=seconds, sample_rate=RATE)


def pieces(sound: Sound, how: Cut | None = None, *, chunk_bytes: int = 32_000) -> list[Piece]:
    chunks = [sound.pcm[at : at + chunk_bytes] for at in range(0, len(sound.pcm), chunk_bytes)]
    return list(cut(chunks, how or Cut(), sample_rate=RATE))


@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(st.tuples(st.sampled_from("tsn"), st.integers(1, 400)), max_size=8),
    max_frames=st.integers(20, 200),
    pause_after=st.sampled_from([None, 0.1, 1.0]),
    chunk_bytes=st.sampled_from([2, 640, 1_234, 32_000]),
)
def test_pieces_joined_are_the_recording_and_none_is_too_long(
    parts: list[tuple[str, int]], max_frames: int, pause_after: float | None, chunk_bytes: int
) -> None:
    """Whatever is said and however it comes in: no sample is lost, none is there twice, times have no gaps."""
    kinds = {"t": talk(8.0).pcm, "s": bytes(8 * 32_000), "n": CHANCE.randbytes(8 * 32_000)}
    sound = Sound(b"".join(kinds[kind][: tenths * 640 + 2 * (tenths % 7)] for kind, tenths in parts), RATE)
    max_seconds = max_frames / 50
    how = Cut(
        max_seconds=max_seconds, min_seconds=max_seconds / 2, pause_after_seconds=pause_after, pause_seconds=0.2
    )

    found = pieces(sound, how, chunk_bytes=chunk_bytes if len(sound.pcm) < 50_000 else 32_000)

    assert sound.pcm == b"".join(piece.pcm for piece in found)
    assert [piece.end for piece in found[:-1]] == [piece.start for piece in found[1:]]
    assert all(len(piece.pcm) / 32_000 <= max_seconds + 0.021 for piece in found)
    for piece in found:
        assert abs((piece.end - piece.start) * 32_000 - len(piece.pcm)) < 1
        assert piece.speech_start is None or piece.start <= piece.speech_start < (piece.speech_end or 0)
        assert piece.speech_end is None or piece.speech_end <= piece.end + 0.02


def test_a_recording_is_cut_where_nobody_speaks() -> None:
    found = pieces(joined(talk(11), quiet(0.5), talk(6), quiet(0.5), talk(11), quiet(0.5), talk(9)))

    assert 2 == len(found)
    assert 17.5 < found[0].end < 18.0


def test_speech_without_a_pause_is_cut_at_the_longest_length() -> None:
    assert all(piece.end - piece.start <= 25.0 for piece in pieces(talk(60)))


def test_what_fits_into_one_piece_is_not_cut() -> None:
    assert 1 == len(pieces(joined(talk(12), quiet(1), talk(12))))


def test_every_pause_ends_a_piece_where_times_matter() -> None:
    sound = joined(*(part for _ in range(5) for part in (talk(7), quiet(1.0))))

    found = [piece for piece in pieces(sound, Cut(pause_after_seconds=4.0)) if piece.speech_start is not None]

    assert 5 == len(found)
    for at, piece in enumerate(found):
        assert piece.speech_start is not None and piece.speech_end is not None  # noqa: PT018 - for the types
        assert abs(piece.speech_start - 8 * at) <= 0.06
        assert abs(piece.speech_end - (8 * at + 7)) <= 0.06


def test_background_noise_does_not_hide_pauses() -> None:
    noise = bytes(CHANCE.randbytes(1)[0] if at % 2 == 0 else 0 for at in range(2_000))
    hum = Sound((noise * 32)[:64_000], RATE)
    sound = joined(talk(7), hum, talk(7), hum, talk(7))

    assert 3 == len(pieces(sound, Cut(pause_after_seconds=4.0)))


def test_silence_is_told_apart_from_speech() -> None:
    found = pieces(joined(talk(10), quiet(60), talk(5)))

    assert found[0].speech_start == 0
    assert any(piece.speech_start is None for piece in found)
    assert found[-1].speech_end is not None


def test_nothing_makes_no_pieces() -> None:
    assert [] == pieces(Sound(b"", RATE))
