"""Recordings in messages: those that GLM takes pass as they are, all others become wav."""

import base64
import binascii
import io
from collections.abc import Sequence

import msgspec

from gateway.audio import SPEECH_RATE, TOO_LONG, Bounds, Sound, probe, read_sound, wav
from gateway.errors import InvalidRequest
from gateway.openai.chat import content as openai
from gateway.openai.chat.messages import Message
from gateway.translate.chat.content import bare_base64

MAX_SECONDS = 600.0
"""How long the recordings of a conversation may be together: GLM takes 10 minutes, which fill its context."""

MAX_DECODED_BYTES = 1024**3
"""More than 10 minutes of two channels at 192 kHz."""

LISTENING_RATE = 16_000
SAMPLES_ALONE = ("pcm16", "pcm")
SIGNATURES = {"wav": (b"RIFF",), "mp3": (b"ID3", b"\xff")}
"""What begins the files that GLM takes, by its words for them."""


def has_recordings(messages: Sequence[Message]) -> bool:
    """Tell whether something of a conversation is to be heard."""
    for message in messages:
        if isinstance(message.content, list):
            for part in message.content:
                if isinstance(part, openai.InputAudioPart):
                    return True
    return False


def with_recordings(messages: Sequence[Message]) -> Sequence[Message]:
    """
    Return a conversation whose recordings GLM takes; slow where there are any.

    Raises InvalidRequest naming the one that is none, or that is too long beside those before it.
    """
    if not has_recordings(messages):
        return messages
    ear = Ear()
    return [ear.heard(message, param=f"messages[{index}].content") for index, message in enumerate(messages)]


class Ear:
    """Makes recordings what GLM takes, and counts how long they are."""

    def __init__(self) -> None:
        self._left_seconds = MAX_SECONDS

    def heard(self, message: Message, *, param: str) -> Message:
        """Return a message with recordings that GLM takes."""
        if not isinstance(message.content, list):
            return message
        content = [self._part(part, param=f"{param}[{index}]") for index, part in enumerate(message.content)]
        return msgspec.structs.replace(message, content=content)

    def _part(self, part: openai.Part, *, param: str) -> openai.Part:
        if not isinstance(part, openai.InputAudioPart):
            return part
        audio = self._recording(part.input_audio, param=f"{param}.input_audio.data")
        return openai.InputAudioPart(input_audio=audio)

    def _recording(self, audio: openai.InputAudio, *, param: str) -> openai.InputAudio:
        """Return a recording as GLM takes it. What it is, its bytes say, whatever ``format`` does."""
        content = decoded(bare_base64(audio.data, param=param), param=param)
        bounds = Bounds(max_seconds=self._left_seconds, max_decoded_bytes=MAX_DECODED_BYTES, param=param)
        if audio.format in SAMPLES_ALONE and not content.startswith(b"RIFF"):
            return self._as_wav(Sound(content[: len(content) & ~1], SPEECH_RATE), bounds)
        try:
            found = probe(io.BytesIO(content), bounds)
            if found.plain:
                self._left_seconds -= found.seconds
                return as_it_is(content, kind=found.container)
            return self._as_wav(read_sound(content, bounds=bounds, sample_rate=LISTENING_RATE), bounds)
        except InvalidRequest as error:
            if error.code == TOO_LONG or not content.startswith(SIGNATURES.get(audio.format, ())):
                raise
            # Damaged, perhaps; but it is what GLM takes, and what it makes of it is for GLM to say.
            return as_it_is(content, kind=audio.format)

    def _as_wav(self, sound: Sound, bounds: Bounds) -> openai.InputAudio:
        if not sound.pcm:
            raise bounds.refusal("There is no sound in this. Send a recording that is not empty.")
        bounds.check_seconds(sound.seconds)
        self._left_seconds -= sound.seconds
        return as_it_is(wav(sound.pcm, sample_rate=sound.sample_rate), kind="wav")


def as_it_is(content: bytes, *, kind: str) -> openai.InputAudio:
    return openai.InputAudio(data=base64.b64encode(content).decode(), format=kind)


def decoded(data: str, *, param: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest("This is not base64 of a recording.", param=param, code="invalid_value") from error
