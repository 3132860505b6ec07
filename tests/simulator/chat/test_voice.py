"""Text as sound."""

import base64
import io
import wave

from gateway.simulator.chat.voice import RATE_HZ, heard_seconds, packed, speak

TOKENS = ["One", " two", " three", " four", " five", " six"]


def test_segments_hold_the_text_in_order_and_a_tone_for_each_token() -> None:
    """Joined segments are the text; each token sounds for a tenth of a second."""
    segments = speak(TOKENS)

    assert "".join(segment.text for segment in segments) == "".join(TOKENS)
    assert [len(segment.pcm) for segment in segments] == [5 * RATE_HZ // 10 * 2, RATE_HZ // 10 * 2]


def test_sound_is_heard_and_differs_by_word() -> None:
    """It is no silence, and no two words need sound the same."""
    (one,), (two,) = speak(["One"]), speak(["two"])

    assert any(one.pcm)
    assert one.pcm != two.pcm


def test_wav_can_be_played_and_pcm_has_no_header() -> None:
    """Both readings of the documentation can be had."""
    (segment,) = speak(["One"])

    with wave.open(io.BytesIO(base64.b64decode(packed(segment.pcm, sound="wav")))) as recording:
        assert (recording.getframerate(), recording.getnchannels(), recording.getsampwidth()) == (RATE_HZ, 1, 2)
        assert recording.readframes(recording.getnframes()) == segment.pcm
    assert base64.b64decode(packed(segment.pcm, sound="pcm")) == segment.pcm


def test_length_is_told_of_wav_and_guessed_of_anything_else() -> None:
    """A header is believed; without one 128 kbit/s are assumed."""
    (segment,) = speak(["One"])

    assert heard_seconds(base64.b64decode(packed(segment.pcm, sound="wav"))) == 0.1
    assert heard_seconds(bytes(32000)) == 2.0
