"""Every table of fates: complete, and true to what Zhipu documents."""

from collections.abc import Collection

import msgspec
import pytest
from msgspec import Struct

from gateway.glm import chat as glm
from gateway.glm.embeddings import EmbeddingRequest
from gateway.glm.speech import SpeechRequest
from gateway.openai.chat.requests import CreateChatCompletionRequest
from gateway.openai.completions import CreateCompletionRequest
from gateway.openai.embeddings import CreateEmbeddingRequest
from gateway.openai.responses.requests import CreateResponse
from gateway.openai.speech import CreateSpeechRequest
from gateway.openai.transcriptions import CreateTranscriptionRequest, CreateTranslationRequest
from gateway.translate.chat.params import CHAT
from gateway.translate.completions.params import COMPLETIONS
from gateway.translate.embeddings.params import EMBEDDINGS
from gateway.translate.params import Converted, Renamed, Rule, Same, Table
from gateway.translate.responses.params import RESPONSES
from gateway.translate.speech.params import SPEECH
from gateway.translate.transcriptions.params import TRANSCRIPTIONS, TRANSLATIONS


def names(kind: type[Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(kind)}


CHAT_FIELDS = names(glm.ChatRequest)
FORM_FIELDS = {"model", "file", "prompt", "hotwords", "stream", "request_id", "user_id"}
"""Of a transcription, which is a form and so no Struct."""

ROWS: list[tuple[type[Struct], Table, Collection[str]]] = [
    (CreateChatCompletionRequest, CHAT, CHAT_FIELDS),
    (CreateResponse, RESPONSES, CHAT_FIELDS),
    (CreateCompletionRequest, COMPLETIONS, CHAT_FIELDS),
    (CreateEmbeddingRequest, EMBEDDINGS, names(EmbeddingRequest)),
    (CreateSpeechRequest, SPEECH, names(SpeechRequest)),
    (CreateTranscriptionRequest, TRANSCRIPTIONS, FORM_FIELDS),
    (CreateTranslationRequest, TRANSLATIONS, FORM_FIELDS | CHAT_FIELDS),
]
"""Each kind of request with its table, and the fields that Zhipu knows of what it becomes."""

IDS = [kind.__name__ for kind, _, _ in ROWS]


@pytest.mark.parametrize(("kind", "table"), [(kind, table) for kind, table, _ in ROWS], ids=IDS)
def test_table_has_a_row_for_every_field_and_no_other(kind: type[Struct], table: Table) -> None:
    """No parameter can be forgotten, and no row outlives its parameter."""
    assert names(kind) == {*table}


@pytest.mark.parametrize(("table", "known"), [(table, known) for _, table, known in ROWS], ids=IDS)
def test_rows_point_at_fields_of_glms(table: Table, known: Collection[str]) -> None:
    """What a field becomes has a name that Zhipu documents."""
    assert {target for name, rule in table.items() for target in targets(name, rule)} <= set(known)


def targets(name: str, rule: Rule) -> list[str]:
    match rule:
        case Same():
            return [name]
        case Renamed(to=to) | Converted(to=to):
            return [target.strip() for target in to.split(",") if target.strip()]
        case _:
            return []
