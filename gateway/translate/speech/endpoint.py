"""The speech endpoint: reads a request, and makes the job it becomes."""

from collections.abc import Mapping
from functools import partial

from gateway.catalog import SpeechTraits
from gateway.errors import InvalidRequest
from gateway.glm import speech as glm
from gateway.openai import speech as openai
from gateway.translate.endpoint import Context, Endpoint, Incoming
from gateway.translate.params import map_params
from gateway.translate.requests import Reader
from gateway.translate.speech.cutting import pieces
from gateway.translate.speech.job import FORMATS, SpeechJob
from gateway.translate.speech.params import SPEECH
from gateway.translate.speech.voices import voice_of

read_request = Reader(openai.CreateSpeechRequest).read


def speech_endpoint(*, voices: Mapping[str, str]) -> Endpoint[bytes]:
    """Return ``POST /v1/audio/speech``, served by ``POST /audio/speech``; ``voices`` are other names for GLM's."""
    return Endpoint(
        operation="speech",
        needs="speech",
        path="/audio/speech",
        read=read,
        begin=partial(begin, voices=voices),
    )


def read(body: bytes) -> Incoming:
    """Return the request in ``body``; raise InvalidRequest naming the field that is wrong."""
    request, present = read_request(body)
    # Told as it comes however it was asked for: a file too is heard before its end is there.
    return Incoming(request=request, present=present, model=request.model, stream=True)


def begin(incoming: Incoming, context: Context, *, voices: Mapping[str, str]) -> SpeechJob:
    """Return the job for a request; raise InvalidRequest for what the model does not do."""
    request: openai.CreateSpeechRequest = incoming.request
    traits = context.model.speech or SpeechTraits()
    draft = map_params(request, present=incoming.present, table=SPEECH, context=context, strict=context.strict)
    texts = pieces(request.input, most_characters=traits.max_input_characters)
    if not texts:
        raise InvalidRequest("'input' has nothing to read out. Send a text.", param="input", code="invalid_value")
    voice = voice_of(request.voice, traits=traits, table=voices)
    return SpeechJob(
        texts,
        request=glm.SpeechRequest(model=context.model.id, input="", voice=voice, **draft.fields),
        kind=FORMATS[request.response_format or "mp3"],
        events=request.stream_format == "sse",
        ignored=draft.ignored,
    )
