"""
``POST /audio/transcriptions`` of the stand-in: check, listen, shape.

Source: docs.bigmodel.cn, speech-to-text reference; the page of GLM-ASR for segments and usage, and its older copy
for the events of a stream, the last of which holds the whole text.
"""

import difflib
import math
from typing import Any

import msgspec

from gateway.simulator.audio.checks import check_transcription, hotwords_of
from gateway.simulator.audio.forms import Upload, read_form
from gateway.simulator.audio.models import DEFAULT_HEARING_MODEL, HEARING_MODELS, HearingModel
from gateway.simulator.chat.media import decoded, sound_kind
from gateway.simulator.connection import EVENT_STREAM, Reply, Request, Step
from gateway.simulator.platform import Ask
from gateway.simulator.refusals import Refusal, Wording
from gateway.simulator.speech import Hearing, Unplayable, Word, decode, hear, seconds_of
from gateway.simulator.speech.listening import LISTENING_HZ
from gateway.simulator.tokens import count, pieces

UNREADABLE_SOUND = Wording("音频输入格式/解析错误", "Audio input format/parse error")

_PAUSE_SECONDS = 0.5
_TOKENS_PER_SECOND = 12.5
_SIMILAR = 0.75


def read(request: Request) -> dict[str, Any]:
    """Return the fields of a request, which is a form; its model has a default."""
    return {"model": DEFAULT_HEARING_MODEL} | read_form(request)


def answer(ask: Ask) -> Reply:
    """Answer a request for a transcript; raise Refusal for what the platform refuses. Takes its time."""
    fields = {name: value for name, value in ask.fields.items() if value is not None}
    model = HEARING_MODELS[fields["model"]]
    check_transcription(fields, model=model)
    pcm = _recording(fields, model=model)
    hearing = _with_hotwords(hear(pcm, rate_hz=LISTENING_HZ), hotwords_of(fields))
    if fields.get("stream") == "true":
        return _streamed(hearing, ask)
    stamp = {"id": ask.request_id, "created": int(ask.platform.clock()), "request_id": ask.request_id}
    text = {"text": hearing.text}
    if not model.counts:
        return _json(stamp | {"model": model.id} | text)
    seconds = seconds_of(pcm, rate_hz=LISTENING_HZ)
    segments = [_segment(index, words) for index, words in enumerate(_groups(hearing.words))]
    return _json(stamp | {"segments": segments} | text | {"usage": _usage(hearing, seconds=seconds)})


def _recording(fields: dict[str, Any], *, model: HearingModel) -> bytes:
    """Return the sound of a request; its file goes before its base64."""
    file = fields.get("file")
    content = file.content if isinstance(file, Upload) else decoded(fields["file_base64"])
    if content is None:
        raise Refusal("1214", "file_base64")
    if len(content) > model.largest_bytes:
        raise Refusal("1210", f"file: at most {model.largest_bytes // 1024**2} MB")
    kind = sound_kind(content)
    if kind is None:
        raise Refusal("1210", wording=UNREADABLE_SOUND)
    try:
        pcm = decode(content, kind=kind, rate_hz=LISTENING_HZ, longest_seconds=model.longest_seconds)
    except Unplayable as error:
        raise Refusal("1210", wording=UNREADABLE_SOUND) from error
    if seconds_of(pcm, rate_hz=LISTENING_HZ) > model.longest_seconds:
        raise Refusal("1210", f"file: at most {model.longest_seconds:g} seconds")
    return pcm


def _with_hotwords(hearing: Hearing, hotwords: list[str]) -> Hearing:
    """Spell what sounds much like a hotword as that, as the caller expects to hear it."""
    spelled = {word.casefold(): word for word in hotwords}
    if not spelled or not hearing.words:
        return hearing
    words = []
    for word in hearing.words:
        similar = difflib.get_close_matches(word.text, spelled, n=1, cutoff=_SIMILAR)
        words.append(Word(spelled[similar[0]] if similar else word.text, word.start, word.end))
    return Hearing(" ".join(word.text for word in words), words)


def _groups(words: list[Word]) -> list[list[Word]]:
    """Part words where nobody speaks for a while."""
    groups: list[list[Word]] = []
    for word in words:
        if groups and word.start - groups[-1][-1].end < _PAUSE_SECONDS:
            groups[-1].append(word)
        else:
            groups.append([word])
    return groups


def _segment(index: int, words: list[Word]) -> dict[str, Any]:
    text = " ".join(word.text for word in words)
    return {"id": index, "start": words[0].start, "end": words[-1].end, "text": text}


def _usage(hearing: Hearing, *, seconds: float) -> dict[str, int]:
    heard, said = math.ceil(seconds * _TOKENS_PER_SECOND), count(hearing.text)
    return {"prompt_tokens": heard, "completion_tokens": said, "total_tokens": heard + said}


def _streamed(hearing: Hearing, ask: Ask) -> Reply:
    head = {"id": ask.request_id, "created": int(ask.platform.clock()), "model": ask.fields["model"]}
    events: list[dict[str, Any]] = [
        head | {"type": "transcript.text.delta", "delta": piece} for piece in pieces(hearing.text)
    ]
    events.append(head | {"type": "transcript.text.done", "text": hearing.text})
    steps: list[Step] = [b"data: " + msgspec.json.encode(event) + b"\n\n" for event in events]
    return Reply(content_type=EVENT_STREAM, steps=[*steps, b"data: [DONE]\n\n"])


def _json(body: dict[str, Any]) -> Reply:
    return Reply.whole(msgspec.json.encode(body))
