"""Spoken answers: right to the sample in every format, however GLM sends them, and told in OpenAI's shapes."""

import base64
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest

from gateway.audio import Bounds, Sound, convert, read_sound
from gateway.errors import UpstreamProtocolError
from gateway.translate.chat.claims import Tagger
from gateway.translate.chat.job import ChatJob
from tests.recordings import at_rate, frequency, tone, wav_of

Start = Callable[..., ChatJob]
Said = Callable[..., bytes]
Heard = Callable[..., tuple[ChatJob, list[dict[str, Any]]]]

pytestmark = pytest.mark.usefixtures("first_look")

CREATED = 1_760_000_000
EXPIRES = CREATED + 600
TOLD_ID = Tagger(b"secret").tagged("f1d2-spoken", tenant="")
HZ, SECONDS = 440, 1.5
GLMS = tone(hertz=HZ, seconds=SECONDS, sample_rate=44_100)
SPOKEN = {"model": "glm-4-voice", "modalities": ["text", "audio"]}
WHOLE_PCM = convert(GLMS, "pcm16")
FRAME_SECONDS = {
    "wav": 0.0, "flac": 0.0, "pcm16": 0.0, "opus": 0.02, "mp3": 1152 / 24_000, "aac": 2 * 1024 / 24_000,
}  # fmt: skip
"""How much longer a file may be; aac has a frame of run-in, which ADTS cannot say."""


def audio(data: bytes, **more: Any) -> dict[str, Any]:
    return {"id": "f1d2-spoken", "data": base64.b64encode(data).decode(), "expires_at": EXPIRES} | more


def result(job: ChatJob) -> dict[str, Any]:
    (choice,) = msgspec.json.decode(job.result())["choices"]
    message: dict[str, Any] = choice["message"]
    return message


def sound_in(told: dict[str, Any], kind: str) -> Sound:
    file = base64.b64decode(told["data"])
    return Sound(file, 24_000) if kind == "pcm16" else read_sound(file, bounds=Bounds(), sample_rate=None)


@pytest.mark.parametrize("kind", FRAME_SECONDS)
@pytest.mark.parametrize("data", [GLMS.pcm, wav_of(GLMS)], ids=["samples alone", "wav"])
def test_tone_is_the_same_in_every_format(start: Start, said: Said, kind: str, data: bytes) -> None:
    """Its pitch is right within 0.5 %, its length within a frame of the codec."""
    job = start(**SPOKEN, audio={"voice": "alloy", "format": kind})
    job.receive(0, said({"content": "Hum.", "audio": audio(data)}))

    sound = sound_in(result(job)["audio"], kind)

    assert frequency(sound) == pytest.approx(HZ, rel=0.005)
    # An opus decoder gives 48 kHz, whatever went in.
    assert (48_000 if kind == "opus" else 24_000) == sound.sample_rate
    assert 0 <= sound.seconds - SECONDS <= FRAME_SECONDS[kind]


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_wav_says_its_own_rate(start: Start, said: Said, rate: int) -> None:
    sound = tone(hertz=HZ, seconds=SECONDS, sample_rate=rate)
    job = start(**SPOKEN, audio={"format": "pcm16"})
    job.receive(0, said({"content": "Hum.", "audio": audio(wav_of(sound))}))

    assert at_rate(sound, 24_000) == sound_in(result(job)["audio"], "pcm16")


def test_message_has_the_sound_and_its_transcript_and_no_content(start: Start, said: Said) -> None:
    job = start(**SPOKEN)
    job.receive(0, said({"content": "Hum.", "audio": audio(GLMS.pcm)}))

    message = result(job)

    assert "RIFF" == base64.b64decode(message["audio"].pop("data"))[:4].decode()
    assert {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "audio": {"id": TOLD_ID, "expires_at": EXPIRES, "transcript": "Hum."},
    } == message


def test_answer_is_written_when_sound_was_not_asked_for(start: Start, said: Said, heard: Heard) -> None:
    """GLM speaks whatever it is asked; OpenAI's models do not unless they are."""
    job = start(model="glm-4-voice")
    job.receive(0, said({"content": "Hum.", "audio": audio(GLMS.pcm)}))
    _, chunks = heard(
        [{"content": "Hum.", "audio": audio(GLMS.pcm), "finish_reason": "stop"}], model="glm-4-voice"
    )

    assert {"role": "assistant", "content": "Hum.", "refusal": None} == result(job)
    assert [{"role": "assistant", "content": "Hum."}, {}] == [one["choices"][0]["delta"] for one in chunks]


def test_text_is_told_when_glm_says_nothing_aloud(start: Start, said: Said, heard: Heard) -> None:
    job = start(**SPOKEN)
    job.receive(0, said({"content": "Hum."}))
    _, chunks = heard(
        [*({"content": one} for one in "Hum"), {"content": ".", "audio": None}, {"finish_reason": "stop"}],
        **SPOKEN,
    )

    assert {"role": "assistant", "content": "Hum.", "refusal": None} == result(job)
    assert [{"role": "assistant"}, {"content": "Hum."}, {}] == [one["choices"][0]["delta"] for one in chunks]
    assert {} == job.leave


@pytest.mark.parametrize("data", ["no base64!", base64.b64encode(b"RIFF but no wav at all").decode()])
def test_what_is_no_sound_is_glms_fault(start: Start, said: Said, heard: Heard, data: str) -> None:
    job = start(**SPOKEN)
    job.receive(0, said({"content": "Hum.", "audio": {"id": "a", "data": data, "expires_at": EXPIRES}}))

    with pytest.raises(UpstreamProtocolError):
        job.result()
    with pytest.raises(UpstreamProtocolError):
        heard([{"content": "Hum.", "audio": {"id": "a", "data": data}}], **SPOKEN)


def told(chunks: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give what each chunk adds to the sound."""
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    return [delta["audio"] for delta in deltas if "audio" in delta]


def test_stream_is_told_in_openais_shape(heard: Heard) -> None:
    """The id and the expiry come once, since clients join the one and add up the other."""
    job, chunks = heard(
        [
            {"role": "assistant", "content": ""},
            {"role": "assistant", "content": "Hum", "audio": audio(GLMS.pcm[:44_100])},
            {"role": "assistant", "content": " hum.", "audio": audio(GLMS.pcm[44_100:])},
            {"role": "assistant", "content": "", "finish_reason": "stop"},
        ],
        **SPOKEN,
    )

    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    sound = told(chunks)
    assert [{"role": "assistant"}, {}] == [deltas[0], deltas[-1]]
    assert all(delta.keys() == {"audio"} for delta in deltas[1:-1])
    assert [{"id": TOLD_ID, "transcript": "Hum"}, {"transcript": " hum."}] == [
        one for one in sound if "transcript" in one
    ]
    assert [{"expires_at": EXPIRES}] == [one for one in sound if "expires_at" in one] == sound[-1:]
    assert WHOLE_PCM == b"".join(base64.b64decode(one["data"]) for one in sound if "data" in one)
    assert ["stop"] == [one["choices"][0]["finish_reason"] for one in chunks if one["choices"][0]["finish_reason"]]
    assert {"audio:f1d2-spoken"} == job.leave.keys()


@pytest.mark.parametrize("size", [4_410, 4_411, 44_100])
def test_only_the_last_piece_of_sound_is_padded(heard: Heard, size: int) -> None:
    """However GLM cuts it: whoever joins the pieces before decoding them would lose what follows."""
    sound = GLMS.pcm[: size * 20]
    pieces = [sound[at : at + size] for at in range(0, len(sound), size)]

    _, chunks = heard(
        [{"content": "Hm", "audio": audio(one)} for one in pieces] + [{"finish_reason": "stop"}], **SPOKEN
    )

    data = [one["data"] for one in told(chunks) if "data" in one]
    assert not any("=" in one for one in data[:-1])
    assert b"".join(map(base64.b64decode, data)) == base64.b64decode("".join(data), validate=True)


def test_text_before_the_sound_waits_for_its_id(heard: Heard) -> None:
    _, chunks = heard(
        [{"content": "Hum"}, {"content": " "}, {"content": "hum.", "audio": audio(GLMS.pcm)}], **SPOKEN
    )

    assert {"id": TOLD_ID, "transcript": "Hum hum."} == told(chunks)[0]


def test_answers_have_ids_of_their_own_where_glm_gives_none(start: Start, said: Said, heard: Heard) -> None:
    """GLM could not know them, so that what was said is what counts."""
    nameless = {"data": base64.b64encode(GLMS.pcm).decode()}
    job = start(**SPOKEN, n=2)
    for index in range(2):
        job.receive(index, said({"content": "Hum.", "audio": nameless}))
    streamed, chunks = heard([{"content": "Hum.", "audio": nameless}], **SPOKEN)

    ids = [choice["message"]["audio"]["id"] for choice in msgspec.json.decode(job.result())["choices"]]
    assert 2 == len({*ids})
    assert [told(chunks)[0]["id"]] == ids[:1]
    assert {f"audio:{one}": {"transcript": "Hum.", "valid_until": 0} for one in ids} == {
        key: msgspec.json.decode(text) for key, text in job.leave.items()
    }
    assert dict(job.leave)[f"audio:{ids[0]}"] == dict(streamed.leave)[f"audio:{ids[0]}"]


@pytest.mark.parametrize(
    ("expires_at", "known", "promised"),
    [
        (EXPIRES, EXPIRES, EXPIRES),
        (str(EXPIRES), EXPIRES, EXPIRES),
        (EXPIRES + 0.5, EXPIRES, EXPIRES),
        ("1e999", None, CREATED + 3600),
        (CREATED, None, CREATED + 3600),
        (None, None, CREATED + 3600),
        ("soon", None, CREATED + 3600),
    ],
)
def test_expiry_is_glms_where_it_says_anything(
    start: Start, said: Said, expires_at: Any, known: int | None, promised: int
) -> None:
    """Its pages call it a string and show a number, one of them that of the answer itself."""
    job = start(**SPOKEN)
    job.receive(0, said({"content": "Hum.", "audio": audio(GLMS.pcm, expires_at=expires_at)}))

    assert promised == result(job)["audio"]["expires_at"]
    assert {"transcript": "Hum.", "valid_until": known} == msgspec.json.decode(job.leave["audio:f1d2-spoken"])


def test_only_spoken_streams_are_slow(start: Start) -> None:
    """They are fed in a thread; text is told where it is read."""
    assert [True, False] == [start(**fields, stream=True).stream(0).slow for fields in (SPOKEN, {})]
