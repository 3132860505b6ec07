"""Text as sound."""

import base64
import io
import wave

from gateway.simulator.chat.voice import RATE_HZ, Segment, heard_seconds, packed, speak
from gateway.simulator.speech import listen
from gateway.simulator.tokens import pieces
from tests.simulator.speech.clearly import TABLE, listens, speaks

TOKENS = ["One", " two", " three", " four", " five", " six"]
SEGMENT = Segment("One", bytes(range(250)) * 40)


def test_segments_hold_the_text_in_order_and_sound_as_long_as_their_letters() -> None:
    """Joined segments are the text."""
    first, second = speak(TOKENS)

    assert ("One two three four five", " six") == (first.text, second.text)
    assert len(first.pcm) > 3 * len(second.pcm) > 0
    assert any(first.pcm)


@listens
@speaks
def test_joined_segments_are_understood() -> None:
    segments = speak(pieces(TABLE))

    assert len(segments) > 1
    assert TABLE == listen(b"".join(segment.pcm for segment in segments), RATE_HZ)


def test_nothing_has_no_segments() -> None:
    assert [] == speak([])


def test_wav_can_be_played_and_pcm_has_no_header() -> None:
    """Both readings of the documentation can be had."""
    with wave.open(io.BytesIO(base64.b64decode(packed(SEGMENT.pcm, sound="wav")))) as recording:
        assert (recording.getframerate(), recording.getnchannels(), recording.getsampwidth()) == (RATE_HZ, 1, 2)
        assert recording.readframes(recording.getnframes()) == SEGMENT.pcm
    assert base64.b64decode(packed(SEGMENT.pcm, sound="pcm")) == SEGMENT.pcm


def test_length_is_told_of_wav_and_guessed_of_anything_else() -> None:
    """A header is believed; without one 128 kbit/s are assumed."""
    recording = base64.b64decode(packed(bytes(2 * RATE_HZ // 10), sound="wav"))

    assert heard_seconds(recording) == 0.1
    assert heard_seconds(bytes(32000)) == 2.0
