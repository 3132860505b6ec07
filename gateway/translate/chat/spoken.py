"""Spoken answers: when they are asked for, how they are named, and their sound in the caller's format."""

import base64
from typing import Protocol

import msgspec
from msgspec import Struct

from gateway.audio import AudioFormat, convert
from gateway.catalog import Model
from gateway.errors import InvalidRequest
from gateway.glm import chat as glm
from gateway.openai.chat import requests as openai
from gateway.openai.chat.answers import AnswerAudio, ChatCompletionChoice
from gateway.translate.answers import read_base64
from gateway.translate.chat.audio_ids import Kept
from gateway.translate.chat.plan import Plan
from gateway.translate.sound import whole_sound

GLM_RATE = 44_100
"""Of samples without a header, by GLM-4-Voice's page; a wav file says its own."""

TOLD_SECONDS = 3600
"""How long an answer is said to be kept where GLM does not say: as long as at OpenAI."""

MODALITIES = ("text", "audio")


class Asking(Protocol):
    """The fields of a request that say how it is to be answered."""

    @property
    def modalities(self) -> list[str] | None:
        """What the answer is to be made of."""

    @property
    def audio(self) -> openai.AudioOptions | None:
        """How it is to sound."""

    @property
    def stream(self) -> bool | None:
        """Whether it is told as it comes."""


def form_of(request: Asking) -> AudioFormat | None:
    """
    Return the format in which the answer is to be spoken, None when it is to be written.

    Who says how it is to sound, and not what it is to be made of, wants to hear it.
    """
    if request.audio is None and not request.modalities:
        return None
    if request.modalities and "audio" not in request.modalities:
        return None
    asked = request.audio.format if request.audio is not None else None
    return asked or ("pcm16" if request.stream else "wav")


def check_speaking(request: openai.CreateChatCompletionRequest, *, model: Model) -> None:
    """Raise InvalidRequest for an answer that cannot be had like this."""
    asked_by = "modalities" if request.modalities else "audio"
    for modality in request.modalities or ():
        if modality not in MODALITIES:
            raise InvalidRequest(
                "An answer is 'text', or 'text' and 'audio'.", param="modalities", code="unsupported_value"
            )
    form = form_of(request)
    if form is None:
        return
    if "audio" not in model.outputs:
        raise InvalidRequest(
            f"{model.id} answers in text only. Use glm-4-voice, or leave '{asked_by}' out.",
            param=asked_by,
            code="unsupported_value",
        )
    if request.stream and form != "pcm16":
        raise InvalidRequest(
            f"A stream is spoken in 'pcm16' only, not in '{form}'. Ask for that, or without 'stream'.",
            param="audio.format",
            code="unsupported_value",
        )
    if isinstance(request.response_format, openai.JsonObjectFormat | openai.JsonSchemaFormat):
        raise InvalidRequest(
            "A spoken answer is no JSON. Leave 'response_format' out, or ask for 'text' alone.",
            param="response_format",
            code="unsupported_value",
        )


class Name(Struct, frozen=True, kw_only=True):
    """
    What an answer can be named by later, and until when; in Unix seconds.

    ``id`` is GLM's and ``told`` the caller's; ``expires_at`` is what its caller is told, ``valid_until`` what is
    known of GLM; see ``Kept``.
    """

    id: str
    told: str
    expires_at: int
    valid_until: int | None

    def kept(self, transcript: str) -> Kept:
        """Return what to remember of it."""
        return Kept(transcript=transcript, valid_until=self.valid_until)


def name_of(audio: glm.AnswerAudio, *, plan: Plan, index: int) -> Name:
    """Return how GLM names the answer of a choice; an id of ours, known only here, stands in where it does not."""
    created = plan.created
    expires_at = moment(audio.expires_at)
    if not audio.id:
        own_id = plan.audio_id(index)
        return Name(id=own_id, told=own_id, expires_at=created + TOLD_SECONDS, valid_until=0)
    # One of GLM's pages shows the moment of the answer itself, which says nothing.
    valid_until = expires_at if expires_at is not None and expires_at > created else None
    return Name(
        id=audio.id,
        told=plan.tagged(audio.id),
        expires_at=valid_until or created + TOLD_SECONDS,
        valid_until=valid_until,
    )


def moment(expires_at: float | str | None) -> int | None:
    """Return a moment in Unix seconds, None for none; GLM's pages call it a string and show a number."""
    try:
        return int(float(expires_at)) if expires_at is not None else None
    except (ValueError, OverflowError):
        return None


def converted(choice: ChatCompletionChoice, *, form: AudioFormat) -> ChatCompletionChoice:
    """
    Return a choice whose sound, GLM's own as yet, is in the caller's format, at 24 kHz. Slow.

    Raises UpstreamProtocolError for what is no sound.
    """
    audio = choice.message.audio
    if not isinstance(audio, AnswerAudio):
        return choice
    file = convert(whole_sound(read_base64(audio.data), headerless_rate=GLM_RATE), form)
    told = msgspec.structs.replace(audio, data=base64.b64encode(file).decode())
    message = msgspec.structs.replace(choice.message, audio=told)
    return msgspec.structs.replace(choice, message=message)
