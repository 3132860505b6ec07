"""
``POST /audio/speech`` of the stand-in: check, speak, shape.

Source: docs.bigmodel.cn, text-to-speech reference and the page of GLM-TTS. Its rate is 24 kHz, which streams
say in ``return_sample_rate`` (as their readers report). Both formats are declared as ``audio/wav``.
"""

import base64
from array import array
from typing import Any

import msgspec

from gateway.glm.errors import ContentFilter
from gateway.simulator.audio.checks import check_speech
from gateway.simulator.audio.models import SPEAKING_MODELS
from gateway.simulator.chat.route import SENSITIVE_MARK
from gateway.simulator.connection import EVENT_STREAM, Reply, Step
from gateway.simulator.platform import Ask
from gateway.simulator.refusals import Refusal
from gateway.simulator.speech import resample, speak, wav

RATE_HZ = 24000

_DECLARED = "audio/wav"
_CHUNK_BYTES = RATE_HZ // 2 * 2
_LOUDEST = 32767


def answer(ask: Ask) -> Reply:
    """Read a text out; raise Refusal for what the platform refuses. Takes its time."""
    fields = {name: value for name, value in ask.fields.items() if value is not None}
    check_speech(fields, model=SPEAKING_MODELS[fields["model"]])
    if SENSITIVE_MARK in fields["input"]:
        raise Refusal("1301", content_filter=[ContentFilter(role="user", level=1)])
    spoken, rate_hz = speak(fields["input"], voice=fields["voice"], speed=fields.get("speed", 1.0))
    pcm = _louder(resample(spoken, from_hz=rate_hz, to_hz=RATE_HZ), fields.get("volume", 1.0))
    if fields.get("stream"):
        return _streamed(pcm, ask, spelled_hex=fields.get("encode_format") == "hex")
    whole = wav(pcm, rate_hz=RATE_HZ) if fields.get("response_format") == "wav" else pcm
    return Reply.whole(whole, content_type=_DECLARED)


def _louder(pcm: bytes, volume: float) -> bytes:
    if volume == 1:
        return pcm
    samples = (max(-_LOUDEST, min(_LOUDEST, int(sample * volume))) for sample in array("h", pcm))
    return array("h", samples).tobytes()


def _streamed(pcm: bytes, ask: Ask, *, spelled_hex: bool) -> Reply:
    head = {
        "id": ask.request_id,
        "request_id": ask.request_id,
        "created": int(ask.platform.clock()),
        "model": ask.fields["model"],
    }
    choices: list[dict[str, Any]] = []
    for start in range(0, len(pcm), _CHUNK_BYTES):
        chunk = pcm[start : start + _CHUNK_BYTES]
        content = chunk.hex() if spelled_hex else base64.b64encode(chunk).decode()
        delta = {"role": "assistant", "content": content, "return_sample_rate": RATE_HZ}
        choices.append({"index": 0, "delta": delta})
    choices.append({"index": 0, "finish_reason": "stop", "delta": None})
    encode = msgspec.json.Encoder().encode
    steps: list[Step] = [b"data: " + encode(head | {"choices": [choice]}) + b"\n\n" for choice in choices]
    return Reply(content_type=EVENT_STREAM, steps=[*steps, b"data: [DONE]\n\n"])
