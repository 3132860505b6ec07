"""Recordings in messages: what GLM takes passes as it came, all others are heard as the same words in wav."""

import base64
import io
import wave
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.audio import Sound
from gateway.errors import InvalidRequest
from gateway.translate.chat.endpoint import read
from gateway.translate.chat.listened import MAX_SECONDS
from tests.recordings import CONTAINERS, frequency, packed, silence, tone, wav_of

Sent = Callable[..., dict[str, Any]]

HZ = 440
TONE = tone(hertz=HZ, seconds=1.0, sample_rate=24_000)


def part(data: bytes | str, kind: str) -> dict[str, Any]:
    text = data if isinstance(data, str) else base64.b64encode(data).decode()
    return {"type": "input_audio", "input_audio": {"data": text, "format": kind}}


def asked(sent: Sent, *parts: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the recordings that GLM is sent for a message of these."""
    body = sent(model="glm-4-voice", messages=[{"role": "user", "content": [*parts]}])
    return [one["input_audio"] for one in body["messages"][0]["content"]]


def opened(file: bytes) -> Sound:
    """Read a wav file by what comes with Python."""
    with wave.open(io.BytesIO(file)) as recording:
        assert (1, 2) == (recording.getnchannels(), recording.getsampwidth())
        return Sound(recording.readframes(recording.getnframes()), recording.getframerate())


@pytest.mark.parametrize("kind", ["wav", "mp3"])
@pytest.mark.parametrize("said", ["wav", "mp3", "flac"])
def test_what_glm_takes_passes_byte_by_byte_whatever_it_is_called(sent: Sent, kind: str, said: str) -> None:
    file = packed(TONE, kind)

    (recording,) = asked(sent, part(file, said))

    assert {"data": base64.b64encode(file).decode(), "format": kind} == recording


@pytest.mark.parametrize("kind", sorted(CONTAINERS.keys() - {"wav", "mp3", "mpga"}))
def test_every_other_kind_becomes_wav(sent: Sent, kind: str) -> None:
    """Its length and pitch stay what they were."""
    (recording,) = asked(sent, part(packed(TONE, kind), "wav"))

    sound = opened(base64.b64decode(recording["data"]))
    assert "wav" == recording["format"]
    assert 16_000 == sound.sample_rate
    assert sound.seconds == pytest.approx(1.0, abs=0.1)
    assert frequency(sound) == pytest.approx(HZ, rel=0.005)


@pytest.mark.parametrize("kind", ["pcm16", "pcm"])
def test_samples_alone_become_wav_without_another_rate(sent: Sent, kind: str) -> None:
    (recording,) = asked(sent, part(TONE.pcm, kind))

    assert TONE == opened(base64.b64decode(recording["data"]))


def test_base64_may_be_a_data_uri_or_broken_into_lines(sent: Sent) -> None:
    file = wav_of(TONE)
    lines = base64.encodebytes(file).decode()

    recordings = asked(sent, part(f"data:audio/wav;base64,{lines}", "wav"), part(lines, "wav"))

    assert [{"data": base64.b64encode(file).decode(), "format": "wav"}] * 2 == recordings


def test_wav_of_a_length_that_nobody_knew_becomes_one_that_tells_it(sent: Sent) -> None:
    """What is written while it is recorded claims 4 GB."""
    file = bytearray(wav_of(TONE))
    file[4:8] = file[40:44] = b"\xff\xff\xff\xff"

    (recording,) = asked(sent, part(bytes(file), "wav"))

    assert opened(base64.b64decode(recording["data"])).seconds == pytest.approx(1.0, abs=0.01)


def test_damaged_recording_of_a_kind_that_glm_takes_is_glms_to_judge(sent: Sent) -> None:
    damaged = b"RIFF" + bytes(range(200))

    assert [{"data": base64.b64encode(damaged).decode(), "format": "wav"}] == asked(sent, part(damaged, "wav"))


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(part("not base64!", "wav"), id="no base64"),
        pytest.param(part("你好", "wav"), id="no ASCII"),
        pytest.param(part("", "wav"), id="nothing"),
        pytest.param(part("", "pcm16"), id="no samples"),
        pytest.param(part(b"Just a text.", "mp3"), id="text"),
        pytest.param(part(b"fLaC" + bytes(200), "flac"), id="damaged"),
        pytest.param(part("data:audio/wav,RIFF", "wav"), id="data URI without base64"),
    ],
)
def test_what_is_no_recording_is_refused_by_its_path(sent: Sent, bad: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        asked(sent, part(wav_of(TONE), "wav"), bad)

    assert "messages[0].content[1].input_audio.data" == refusal.value.param


@pytest.mark.parametrize("kind", ["wav", "flac", "pcm16"])
def test_recordings_of_a_conversation_share_one_bound(sent: Sent, kind: str) -> None:
    """Many short files of hours of silence are as bad as one."""
    half = silence(seconds=MAX_SECONDS / 2 - 1, sample_rate=24_000 if kind == "pcm16" else 8_000)
    file = half.pcm if kind == "pcm16" else packed(half, kind)
    assert 2 == len(asked(sent, part(file, kind), part(file, kind)))

    with pytest.raises(InvalidRequest) as refusal:
        asked(sent, part(file, kind), part(file, kind), part(file, kind))

    assert "audio_too_long" == refusal.value.code
    assert "messages[0].content[2].input_audio.data" == refusal.value.param


FILES = [packed(TONE, kind) for kind in ("wav", "mp3", "flac", "webm", "m4a")]


@settings(max_examples=150)
@given(
    st.sampled_from(FILES),
    st.sampled_from(["wav", "mp3", "flac", "pcm16"]),
    st.lists(st.tuples(st.integers(min_value=0), st.binary(min_size=1, max_size=8)), max_size=4),
    st.integers(min_value=0),
)
def test_damaged_recording_is_taken_or_refused(
    sent: Sent, file: bytes, kind: str, damages: list[tuple[int, bytes]], length: int
) -> None:
    """Whatever is done to it, it is the caller's fault if it is anybody's."""
    damaged = bytearray(file[: length % (len(file) + 1) or len(file)])
    for at, data in damages:
        start = at % len(damaged)
        damaged[start : start + len(data)] = data
    try:
        (recording,) = asked(sent, part(bytes(damaged), kind))
    except InvalidRequest as refusal:
        assert refusal.param == "messages[0].content[0].input_audio.data"  # noqa: PT017 - either way is right
    else:
        assert recording["format"] in ("wav", "mp3")


def test_only_requests_that_hear_or_speak_are_heavy() -> None:
    """All others are translated where they are read, without a thread."""
    bodies = {
        b'{"model":"m","messages":[{"role":"user","content":"input_audio"}]}': False,
        b'{"model":"m","modalities":["text"],"messages":[{"role":"user","content":"x"}]}': False,
        b'{"model":"m","modalities":["text","audio"],"messages":[{"role":"user","content":"x"}]}': True,
        b'{"model":"m","messages":[{"role":"user","content":[{"type":"input_audio",'
        b'"input_audio":{"data":"","format":"wav"}}]}]}': True,
    }

    assert [*bodies.values()] == [read(body).heavy for body in bodies]
