"""Translations: every part is transcribed, and what was said in it is then told in English by a chat model."""

from collections.abc import Callable, Sequence
from functools import partial

from gateway.catalog import Model, TranscriptionTraits
from gateway.errors import InvalidOutput
from gateway.glm.transcriptions import Segment
from gateway.openai.transcriptions import CreateTranslationRequest
from gateway.translate.chat import answer
from gateway.translate.endpoint import Call, Context, Endpoint, Incoming
from gateway.translate.params import map_params
from gateway.translate.transcriptions.endpoint import PATH
from gateway.translate.transcriptions.english import Translator, said_in, texts_in, words_in
from gateway.translate.transcriptions.job import Order, TranscriptionJob
from gateway.translate.transcriptions.params import TRANSLATIONS
from gateway.translate.transcriptions.parts import Dispatch, Part
from gateway.translate.transcriptions.transcript import Task
from gateway.translate.transcriptions.upload import Recording, Upload


class TranslationJob(TranscriptionJob):
    """
    What was said in a recording, in English: two calls for each part, of two models.

    A chat model that does not answer with what it was asked for is asked once more.
    """

    task: Task = "translate"

    def __init__(
        self,
        recording: Recording,
        order: Order,
        *,
        dispatch: Dispatch,
        traits: TranscriptionTraits,
        translator: Translator,
    ) -> None:
        super().__init__(recording, order, dispatch=dispatch, traits=traits)
        self._translator = translator
        self._heard: set[int] = set()
        self._refused: dict[int, str] = {}

    def receive(self, index: int, body: bytes) -> Call | None:
        """Take what GLM heard in a part and ask for its English, or take that; raise InvalidOutput for none."""
        part = self.parts[index]
        if index in self._heard:
            return self._take(index, part, body)
        part.hear(body)
        self._heard.add(index)
        texts = texts_of(part)
        return self._translator.ask(texts) if texts else None

    def _take(self, index: int, part: Part, body: bytes) -> Call | None:
        said, usage = said_in(body)
        part.usage = answer.add_usage(part.usage, usage)
        texts = texts_in(said)
        if texts is not None:
            translate(part, texts)
            return None
        if (refused := self._refused.get(index)) is not None:
            # A model that keeps to no form has still translated what it was asked to, the first time.
            if words := words_in(refused):
                translate(part, words)
                return None
            raise InvalidOutput("The model did not translate what was said as it was asked to. Ask again.")
        self._refused[index] = said
        return self._translator.ask(texts_of(part), wrong=said)


def texts_of(part: Part) -> list[str]:
    return [line.text for line in part.lines]


def translate(part: Part, texts: Sequence[str]) -> None:
    """Put English in the place of what was said, as one line where the model did not keep them apart."""
    lines = part.lines
    if len(texts) != len(lines):
        texts, lines = [" ".join(texts)], lines[:1]
    part.segments = [
        Segment(text=text, start=line.start - part.start, end=line.end - part.start)
        for text, line in zip(texts, lines, strict=True)
    ]
    part.original, part.text = part.text, " ".join(text.strip() for text in texts)


def translations_endpoint(*, slots_per_upload: int, find_translator: Callable[[], Model]) -> Endpoint[Upload]:
    """Return the endpoint of translations; ``find_translator`` gives the chat model that it uses from now on."""
    return Endpoint(
        operation="translation",
        path=PATH,
        read=read,
        begin=partial(begin, slots_per_upload=slots_per_upload, find_translator=find_translator),
        needs="transcription",
    )


def read(upload: Upload) -> Incoming:
    """Read an upload; raise InvalidRequest for what is malformed."""
    request, present = upload.read(CreateTranslationRequest)
    recording = upload.required_recording()
    return Incoming(request=(request, recording), present=present, model=request.model, stream=False, heavy=True)


def begin(
    incoming: Incoming, context: Context, *, slots_per_upload: int, find_translator: Callable[[], Model]
) -> TranslationJob:
    """Return the job for an upload; raise InvalidRequest for a recording that cannot be read. It blocks."""
    request: CreateTranslationRequest
    recording: Recording
    request, recording = incoming.request
    draft = map_params(
        request, present=incoming.present, table=TRANSLATIONS, context=context, strict=context.strict
    )
    return TranslationJob(
        recording,
        Order(
            kind=request.response_format or "json",
            at_once=slots_per_upload,
            ignored=draft.ignored,
            language="english",
        ),
        dispatch=Dispatch({"model": context.model.id, **draft.fields}, id=context.id),
        traits=context.model.transcription or TranscriptionTraits(),
        translator=Translator(model=find_translator(), hint=request.prompt or "", temperature=request.temperature),
    )
