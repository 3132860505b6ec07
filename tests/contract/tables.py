"""The fate tables, in the order in which the README shows them."""

from gateway.translate.chat.params import CHAT
from gateway.translate.completions.params import COMPLETIONS
from gateway.translate.embeddings.params import EMBEDDINGS
from gateway.translate.params import Table
from gateway.translate.responses.params import RESPONSES
from gateway.translate.speech.params import SPEECH
from gateway.translate.transcriptions.params import TRANSCRIPTIONS, TRANSLATIONS

TABLES: dict[str, Table] = {
    "chat": CHAT,
    "responses": RESPONSES,
    "completions": COMPLETIONS,
    "embeddings": EMBEDDINGS,
    "speech": SPEECH,
    "transcriptions": TRANSCRIPTIONS,
    "translations": TRANSLATIONS,
}
