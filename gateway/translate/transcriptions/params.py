"""The fate of every parameter that comes with a recording."""

from typing import Any

from gateway.errors import InvalidRequest
from gateway.openai.transcriptions import CreateTranscriptionRequest
from gateway.translate.params import MODEL, Converted, Draft, Ignored, Refused, Rule, Same

MAX_HOTWORDS = 100
MAX_PROMPT_CHARACTERS = 8000
"""Fewer than so many, docs.bigmodel.cn advises; of more, the last are the nearest to what is said."""

NO_WORDS = "GLM gives no times of single words. Ask for 'segment', or leave the field out."
NO_SPEAKERS = "GLM does not tell speakers apart. Ask for json, text, srt, verbose_json or vtt."


def write_prompt(request: Any, _context: Any, draft: Draft) -> None:
    draft.fields["prompt"] = short_enough(request.prompt)


def short_enough(prompt: str) -> str:
    """Return as much of a prompt's end as GLM takes."""
    return prompt[-MAX_PROMPT_CHARACTERS + 1 :]


def write_hotwords(request: CreateTranscriptionRequest, _context: Any, draft: Draft) -> None:
    """Send OpenAI's keywords and Zhipu's own hotwords, each word once."""
    words = [*dict.fromkeys([*(request.hotwords or ()), *(getattr(request, "keywords", None) or ())])]
    if len(words) > MAX_HOTWORDS:
        raise InvalidRequest(
            f"There are {len(words)} hot words; GLM takes {MAX_HOTWORDS}. Send the most important.",
            param="hotwords" if request.hotwords else "keywords",
            code="invalid_value",
        )
    draft.fields["hotwords"] = words


def check_format(request: CreateTranscriptionRequest, _context: Any, _draft: Draft) -> None:
    """Raise InvalidRequest for what tells speakers apart."""
    if request.response_format == "diarized_json":
        raise InvalidRequest(NO_SPEAKERS, param="response_format", code="unsupported_value")


def check_stream(request: CreateTranscriptionRequest, _context: Any, draft: Draft) -> None:
    """List a stream that is not made, because the format is no stream of text."""
    if request.stream and not streams(request):
        draft.ignored.append("stream")


def check_granularities(request: CreateTranscriptionRequest, _context: Any, _draft: Draft) -> None:
    if "word" in (request.timestamp_granularities or ()):
        raise InvalidRequest(NO_WORDS, param="timestamp_granularities", code="unsupported_value")


def streams(request: CreateTranscriptionRequest) -> bool:
    """Tell whether the answer is to be streamed: asked for, and in a format that a stream of text has."""
    return bool(request.stream) and request.response_format in (None, "json", "text")


SOUND = "wav and mp3 of up to 30 s and 25 MB pass as they are; anything else is decoded and, when longer, cut"

SHARED: dict[str, Rule] = {
    "model": MODEL,
    "file": Converted("file", note=f"{SOUND} where nobody speaks, and sent side by side"),
}
REST: dict[str, Rule] = {
    "input_audio": Converted("file", note="a recording in base64, in JSON, as Open WebUI sends it"),
    "file_base64": Converted("file", note="Zhipu's own; a recording in base64"),
    "request_id": Same("Zhipu's own; of a recording that is cut, it goes with the first part"),
    "user_id": Same("Zhipu's own"),
}

TRANSCRIPTIONS: dict[str, Rule] = {
    **SHARED,
    "language": Ignored("GLM finds the language out by itself."),
    "prompt": Converted("prompt", by=write_prompt, note="its last 8000 characters"),
    "response_format": Converted(
        "", by=check_format, note="made here: json, text, srt, verbose_json, vtt; `diarized_json` is refused"
    ),
    "temperature": Ignored("GLM's speech recognition has none."),
    "stream": Converted("stream", by=check_stream, note="json and text are streamed; ignored for other formats"),
    "timestamp_granularities": Converted("", by=check_granularities, note="`segment`; `word` is refused"),
    "include": Refused("GLM tells no log probabilities. Leave 'include' out.", neutral=([],)),
    "chunking_strategy": Ignored("Long recordings are always cut where nobody speaks.", neutral=("auto",)),
    "keywords": Converted("hotwords", by=write_hotwords, note="at most 100"),
    "languages": Ignored("GLM finds the language out by itself.", neutral=([],)),
    "known_speaker_names": Ignored("GLM does not tell speakers apart.", neutral=([],)),
    "known_speaker_references": Ignored("GLM does not tell speakers apart.", neutral=([],)),
    "hotwords": Converted("hotwords", by=write_hotwords, note="Zhipu's own; at most 100"),
    **REST,
}
"""One row for every field of a request for a transcription; in the order in which the README lists them."""

TRANSLATIONS: dict[str, Rule] = {
    **SHARED,
    "prompt": Converted("messages", note="told to the chat model that translates"),
    "response_format": Converted("", note="made here: json, text, srt, verbose_json, vtt"),
    "temperature": Converted("temperature", note="of the chat model that translates"),
    "hotwords": Converted("hotwords", by=write_hotwords, note="Zhipu's own; at most 100"),
    **REST,
}
"""One row for every field of a request for a translation."""
