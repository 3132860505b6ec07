"""Transcriptions joined to GLM: how an upload is read, and the job that it becomes."""

from functools import partial

from msgspec import UNSET

from gateway.catalog import TranscriptionTraits
from gateway.openai.transcriptions import CreateTranscriptionRequest
from gateway.translate.endpoint import Context, Endpoint, Incoming
from gateway.translate.params import map_params
from gateway.translate.transcriptions.job import Order, TranscriptionJob
from gateway.translate.transcriptions.params import TRANSCRIPTIONS, streams
from gateway.translate.transcriptions.parts import Dispatch
from gateway.translate.transcriptions.upload import Recording, Upload

PATH = "/audio/transcriptions"


def transcriptions_endpoint(*, slots_per_upload: int) -> Endpoint[Upload]:
    """Return the endpoint of transcriptions; no upload has more calls under way than ``slots_per_upload``."""
    return Endpoint(
        operation="transcription",
        path=PATH,
        read=read,
        begin=partial(begin, slots_per_upload=slots_per_upload),
        needs="transcription",
    )


def read(upload: Upload) -> Incoming:
    """Read an upload; raise InvalidRequest for what is malformed."""
    request, present = upload.read(CreateTranscriptionRequest)
    return Incoming(
        request=(request, upload.required_recording()),
        present=present,
        model=request.model,
        stream=streams(request),
        heavy=True,
    )


def begin(incoming: Incoming, context: Context, *, slots_per_upload: int) -> TranscriptionJob:
    """Return the job for an upload; raise InvalidRequest for a recording that cannot be read. It blocks."""
    request: CreateTranscriptionRequest
    recording: Recording
    request, recording = incoming.request
    draft = map_params(
        request, present=incoming.present, table=TRANSCRIPTIONS, context=context, strict=context.strict
    )
    order = Order(
        kind=request.response_format or "json",
        at_once=slots_per_upload,
        ignored=draft.ignored,
        prompt=draft.fields.get("prompt", ""),
        language=request.language,
    )
    dispatch = Dispatch(
        {"model": context.model.id, **draft.fields}, stream=incoming.stream or UNSET, id=context.id
    )
    traits = context.model.transcription or TranscriptionTraits()
    return TranscriptionJob(recording, order, dispatch=dispatch, traits=traits)
