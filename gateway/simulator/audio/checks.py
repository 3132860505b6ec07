"""
What requests for speech may hold: every field, its range, and the code it is refused with.

Source: docs.bigmodel.cn, speech-to-text and text-to-speech references (OpenAPI of 2026-07), with what Zhipu's own
SDKs add. Where they are silent, the stricter reading; fields that are null count as absent.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gateway.simulator.audio.forms import Upload
from gateway.simulator.audio.models import HearingModel, SpeakingModel
from gateway.simulator.refusals import Refusal

Fields = Mapping[str, Any]
_Check = Callable[[str, Any], None]

_MOST_HOTWORDS = 100
_CLONED_VOICE = re.compile(r"voice_clone_[0-9_]+")  # the ids of cloned voices; the stand-in has all of them


def check_transcription(fields: Fields, *, model: HearingModel) -> None:
    """Refuse what the platform would refuse before it listens, but for the recording itself."""
    _check(fields, _TRANSCRIPTION | (_OLD if model.counts else {}))
    if fields.get("file") is None and fields.get("file_base64") is None:
        raise Refusal("1213", "file")


def check_speech(fields: Fields, *, model: SpeakingModel) -> None:
    """Refuse what the platform would refuse before it speaks."""
    _check(fields, _SPEECH)
    for name in ("input", "voice"):
        if fields.get(name) is None:
            raise Refusal("1213", name)
    if not 1 <= len(fields["input"]) <= model.input_characters:
        raise Refusal("1210", f"input: [1, {model.input_characters}] characters")
    if fields["voice"] not in model.voices and not _CLONED_VOICE.fullmatch(fields["voice"]):
        raise Refusal("1214", "voice")
    if fields.get("stream") and fields.get("response_format") not in {None, "pcm"}:
        raise Refusal("1210", "response_format: pcm")


def hotwords_of(fields: Fields) -> list[str]:
    """Return the words of a checked request: repeated fields, or one that is a JSON array."""
    words = fields.get("hotwords") or []
    if len(words) == 1 and words[0].lstrip().startswith("["):
        try:
            return msgspec.json.decode(words[0], type=list[str])
        except msgspec.DecodeError as error:
            raise Refusal("1214", "hotwords") from error
    return list(words)


def _check(fields: Fields, checks: Mapping[str, _Check]) -> None:
    unknown = fields.keys() - checks.keys()
    if unknown:
        raise Refusal("1210", f"unknown field: {', '.join(sorted(unknown))}")
    for name, value in fields.items():
        if value is not None:
            checks[name](name, value)


def _anything(_name: str, _value: Any) -> None:
    pass


def _file(name: str, value: Any) -> None:
    if not isinstance(value, Upload) or not value.filename.lower().endswith((".wav", ".mp3")):
        raise Refusal("1214", name)


def _text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise Refusal("1214", name)


def _hotwords(name: str, value: Any) -> None:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise Refusal("1214", name)
    if len(hotwords_of({name: value})) > _MOST_HOTWORDS:
        raise Refusal("1210", f"{name}: at most {_MOST_HOTWORDS}")


def _spelled_boolean(name: str, value: Any) -> None:
    if value not in {"true", "false"}:
        raise Refusal("1214", name)


def _boolean(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise Refusal("1214", name)


def _length(low: int, high: int) -> _Check:
    def check(name: str, value: Any) -> None:
        if not isinstance(value, str) or not low <= len(value) <= high:
            raise Refusal("1214", name)

    return check


def _one_of(*words: str) -> _Check:
    def check(name: str, value: Any) -> None:
        if value not in words:
            raise Refusal("1214", name)

    return check


def _range(low: float, high: float, *, open_low: bool = False) -> _Check:
    def check(name: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refusal("1214", name)
        if not low <= value <= high or (open_low and value == low):
            raise Refusal("1210", f"{name}: {'(' if open_low else '['}{low:g}, {high:g}]")

    return check


def _spelled_share(name: str, value: Any) -> None:
    try:
        share = float(value)
    except (TypeError, ValueError) as error:
        raise Refusal("1214", name) from error
    if not 0 <= share <= 1:
        raise Refusal("1214", name)


_COMMON: Mapping[str, _Check] = {
    "model": _anything,
    "request_id": _length(6, 64),
    "user_id": _length(6, 128),
    "sensitive_word_check": _anything,
}
_TRANSCRIPTION: dict[str, _Check] = {
    **_COMMON,
    "file": _file,
    "file_base64": _text,
    "prompt": _text,
    "hotwords": _hotwords,
    "stream": _spelled_boolean,
}
_OLD: dict[str, _Check] = {"temperature": _spelled_share}
_SPEECH: dict[str, _Check] = {
    **_COMMON,
    "input": _text,
    "voice": _text,
    "response_format": _one_of("pcm", "wav"),
    "speed": _range(0.5, 2),
    "volume": _range(0, 10, open_low=True),
    "stream": _boolean,
    "encode_format": _one_of("base64", "hex"),
    "watermark_enabled": _boolean,
}
