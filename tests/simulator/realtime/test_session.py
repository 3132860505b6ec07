"""What sessions may be told, and how that is echoed."""

from typing import Any

import pytest

from gateway.simulator.realtime.session import Turns, read_session, read_transcription
from gateway.simulator.realtime.trouble import Trouble


def test_nothing_is_the_default_of_everything() -> None:
    """Null is as good as absent, as the vendor's samples have it."""
    absent, _ = read_session({})
    null, echo = read_session(dict.fromkeys(["model", "voice", "tools", "turn_detection", "beta_fields"]))

    assert absent == null
    assert ("glm-realtime", "wav", "pcm", True, None, 1024) == (
        null.model,
        null.input_format,
        null.output_format,
        null.spoken,
        null.turns,
        null.output_tokens,
    )
    assert {"chat_mode": "audio", "tts_source": "e2e", "auto_search": False} == echo["beta_fields"]


def test_what_openai_has_and_zhipu_has_not_is_ignored() -> None:
    session, echo = read_session({"tool_choice": "required", "input_audio_transcription": {"model": "whisper-1"}})
    assert (read_session({})) == (session, echo)


@pytest.mark.parametrize(("form", "rate_hz"), [("wav", 16000), ("pcm", 16000), ("pcm16", 16000), ("pcm24", 24000)])
def test_pcm16_is_16_khz(form: str, rate_hz: int) -> None:
    assert rate_hz == read_session({"input_audio_format": form})[0].input_hz


@pytest.mark.parametrize(
    ("said", "turns"),
    [
        ({"type": "client_vad"}, None),
        ({"type": "server_vad"}, Turns()),
        ({"type": "server_vad", "threshold": 0.0, "prefix_padding_ms": 0, "silence_duration_ms": 0}, Turns()),
        ({"type": "server_vad", "interrupt_response": False}, Turns(interrupt_response=False)),
        ({"type": "server_vad", "silence_duration_ms": 900}, Turns(silence_duration_ms=900)),
    ],
)
def test_turn_detection(said: dict[str, Any], turns: Turns | None) -> None:
    """Numbers that are 0 mean the usual ones, as the vendor's SDK sends them."""
    assert turns == read_session({"turn_detection": said})[0].turns


@pytest.mark.parametrize(("said", "tokens"), [("inf", 1024), ("1", 1), ("1024", 1024)])
def test_length_is_a_text(said: str, tokens: int) -> None:
    assert tokens == read_session({"max_response_output_tokens": said})[0].output_tokens


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "gpt-realtime"},
        {"voice": "alloy"},
        {"input_audio_format": "g711_ulaw"},
        {"output_audio_format": "pcm16"},
        {"modalities": ["image"]},
        {"temperature": 1.2},
        {"max_response_output_tokens": 100},
        {"max_response_output_tokens": "1025"},
        {"max_response_output_tokens": "0"},
        {"turn_detection": {"type": "semantic_vad"}},
        {"turn_detection": {"type": "server_vad", "threshold": 2.0}},
        {"turn_detection": {"type": "server_vad", "silence_duration_ms": -1}},
        {"tools": [{"type": "function", "name": "f", "parameters": {}}]},
        {"tools": [{"type": "function", "name": "a b", "description": "d", "parameters": {}}]},
        {"tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {}}}]},
        {"beta_fields": {"chat_mode": "video"}},
        {"beta_fields": {"greeting_config": {"enable": True, "content": "x" * 1025}}},
        {"input_audio_noise_reduction": {}},
    ],
)
def test_what_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(Trouble) as refused:
        read_session(fields)
    assert ("invalid_event", None) == (refused.value.code, refused.value.close_code)


def test_transcription_takes_no_24_khz() -> None:
    """Its formats are pcm and wav, and its echo is that of the page's sample."""
    with pytest.raises(Trouble):
        read_transcription({"input_audio_format": "pcm24"})
    session, echo = read_transcription({"turn_detection": {"type": "server_vad"}})

    assert (True, 16000) == (session.transcribes, session.input_hz)
    assert {"input_audio_format", "input_audio_noise_reduction", "modalities", "turn_detection"} == set(echo)
