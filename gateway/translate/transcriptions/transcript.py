"""What was said in the parts of a recording, joined, in each format that can be asked for."""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec
from msgspec import UNSET

from gateway.glm.chat import Usage
from gateway.openai import transcriptions as openai
from gateway.translate.endpoint import JSON
from gateway.translate.transcriptions.languages import language_name

Task = Literal["transcribe", "translate"]

encode = msgspec.json.Encoder().encode

PLAIN = b"text/plain; charset=utf-8"
MEDIA_TYPES = {"text": PLAIN, "srt": PLAIN, "vtt": PLAIN}


class Line(msgspec.Struct, frozen=True):
    """What was said between two times, in seconds from the beginning of the recording."""

    start: float
    end: float
    text: str


class Transcript(msgspec.Struct, frozen=True, kw_only=True):
    """
    What was said in a recording of so many ``seconds``.

    ``language`` None: nobody said which. ``usage`` None: GLM did not count.
    """

    text: str
    lines: Sequence[Line]
    seconds: float
    task: Task = "transcribe"
    language: str | None = None
    usage: Usage | None = None


def joiner(text: str) -> str:
    """Return what stands before ``text`` when it follows another; Chinese and its kin have no spaces."""
    return "" if not text or unicodedata.east_asian_width(text[0]) in "WF" else " "


def join(texts: Iterable[str]) -> str:
    """Return texts that were said one after the other as one."""
    joined = ""
    for text in map(str.strip, texts):
        joined += joiner(text) + text if joined else text
    return joined


def write(transcript: Transcript, kind: openai.ResponseFormat) -> bytes:
    """Return a transcript in one of OpenAI's formats."""
    match kind:
        case "text":
            return f"{transcript.text}\n".encode()
        case "srt":
            return srt(transcript.lines).encode()
        case "vtt":
            return vtt(transcript.lines).encode()
        case "verbose_json":
            return encode(verbose(transcript))
        case _:
            # OpenAI's translations tell no usage; ours is also of a chat, whose tokens are not those of sound.
            usage = usage_of(transcript) if transcript.task == "transcribe" else UNSET
            return encode(openai.CreateTranscriptionResponseJson(text=transcript.text, usage=usage))


def media_type(kind: openai.ResponseFormat) -> bytes:
    """Return the media type of a format."""
    return MEDIA_TYPES.get(kind, JSON)


def usage_of(transcript: Transcript) -> openai.TokenUsage | openai.DurationUsage:
    """Return what was used for a transcription: tokens where GLM counts them, else seconds."""
    return duration_of(transcript) if transcript.usage is None else tokens_of(transcript.usage)


def tokens_of(usage: Usage) -> openai.TokenUsage:
    return openai.TokenUsage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        total_tokens=usage.prompt_tokens + usage.completion_tokens,
        # GLM does not say how many of them were the prompt's.
        input_token_details=openai.InputTokenDetails(text_tokens=0, audio_tokens=usage.prompt_tokens),
    )


def duration_of(transcript: Transcript) -> openai.DurationUsage:
    return openai.DurationUsage(seconds=math.ceil(transcript.seconds))


def verbose(transcript: Transcript) -> openai.CreateTranscriptionResponseVerboseJson:
    return openai.CreateTranscriptionResponseVerboseJson(
        task=transcript.task,
        language=language_name(transcript.language) if transcript.language else guessed_language(transcript.text),
        duration=round(transcript.seconds, 3),
        text=transcript.text,
        segments=[
            openai.Segment(id=at, start=round(line.start, 3), end=round(line.end, 3), text=line.text)
            for at, line in enumerate(transcript.lines)
        ],
        usage=duration_of(transcript) if transcript.task == "transcribe" else UNSET,
    )


def guessed_language(text: str) -> str:
    """
    Return the name of the language that a text is mostly of; GLM does not tell, and clients need one.

    A Chinese character counts as three letters.
    """
    letters = [letter for letter in text if letter.isalpha()]
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in letters)
    return "chinese" if wide * 3 > len(letters) - wide else "english"


def srt(lines: Sequence[Line]) -> str:
    """Return lines as SubRip."""
    return "".join(
        f"{number}\n{clock(line.start, ',')} --> {clock(line.end, ',')}\n{shown(line.text)}\n\n"
        for number, line in enumerate(lines, 1)
    )


def vtt(lines: Sequence[Line]) -> str:
    """Return lines as WebVTT."""
    cues = (f"{clock(line.start, '.')} --> {clock(line.end, '.')}\n{shown(line.text)}\n\n" for line in lines)
    return "WEBVTT\n\n" + "".join(cues)


def shown(text: str) -> str:
    """Return a text as a subtitle may hold it: no empty line, which would end it, no arrow as between times."""
    lines = map(str.strip, text.replace("-->", "->").splitlines())
    return "\n".join(line for line in lines if line)


def clock(seconds: float, point: str) -> str:
    """Return a time as hours, minutes, seconds and milliseconds."""
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    minutes, rest = divmod(whole, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}{point}{thousandths:03}"
