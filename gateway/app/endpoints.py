"""The operations, each with its routes."""

from litestar.handlers import HTTPRouteHandler

from gateway.app.terms import secret_for
from gateway.routes.chat import chat_routes
from gateway.routes.completions import completion_routes
from gateway.routes.embeddings import embedding_routes
from gateway.routes.front import Front
from gateway.routes.models import model_routes
from gateway.routes.responses import Background, response_routes
from gateway.routes.speech import speech_routes
from gateway.routes.transcriptions import transcription_routes
from gateway.routes.uploads import UploadLimits
from gateway.settings import Settings
from gateway.translate.chat.claims import Tagger
from gateway.translate.chat.endpoint import chat_endpoint
from gateway.translate.embeddings.endpoint import embeddings_endpoint
from gateway.translate.endpoint import Endpoint
from gateway.translate.responses.endpoint import input_tokens_endpoint, responses_endpoint
from gateway.translate.responses.sealing import Sealer
from gateway.translate.speech.endpoint import speech_endpoint
from gateway.translate.speech.voices import VOICES
from gateway.translate.transcriptions.endpoint import transcriptions_endpoint
from gateway.translate.transcriptions.translation import translations_endpoint
from gateway.vocabularies import read_vocabulary


def create_routes(
    settings: Settings, *, front: Front, sealer: Sealer, responses: Endpoint[bytes], background: Background
) -> list[HTTPRouteHandler]:
    """Return the routes of everything that OpenAI's clients ask for by HTTP."""
    return [
        *chat_routes(front, create_chat_endpoint(settings)),
        *completion_routes(front),
        *embedding_routes(front, create_embeddings_endpoint(settings)),
        *response_routes(front, responses, background, counting=input_tokens_endpoint(sealer)),
        *create_transcription_routes(settings, front),
        *speech_routes(front, create_speech_endpoint(settings)),
        *model_routes(front),
    ]


def create_chat_endpoint(settings: Settings) -> Endpoint[bytes]:
    """Return the endpoint of chats; all of one configuration know whose a spoken answer is."""
    return chat_endpoint(Tagger(secret_for("spoken answers", settings, own=None)))


def create_embeddings_endpoint(settings: Settings) -> Endpoint[bytes]:
    embeddings = settings.embeddings
    return embeddings_endpoint(
        find_vocabulary=read_vocabulary,
        dimensions_mode=embeddings.dimensions_mode,
        remembers=embeddings.cache_seconds > 0,
    )


def create_responses_endpoint(settings: Settings, *, sealer: Sealer) -> Endpoint[bytes]:
    responses = settings.responses
    return responses_endpoint(sealer, keeps=bool(responses.store_seconds and responses.store_bytes))


def create_sealer(settings: Settings) -> Sealer:
    """Return who seals the reasoning that clients carry, which every replica with the same configuration opens."""
    return Sealer(secret_for("sealed reasoning", settings, own=settings.responses.seal_secret))


def create_transcription_routes(settings: Settings, front: Front) -> list[HTTPRouteHandler]:
    audio = settings.audio
    return transcription_routes(
        front,
        transcriptions=transcriptions_endpoint(slots_per_upload=audio.slots_per_upload),
        translations=translations_endpoint(
            slots_per_upload=audio.slots_per_upload,
            find_translator=lambda: front.desk.terms.catalog.resolve(audio.translation_model),
        ),
        limits=UploadLimits(
            max_bytes=audio.max_upload_bytes,
            max_seconds=audio.max_seconds,
            max_work_seconds=audio.max_work_seconds,
        ),
    )


def create_speech_endpoint(settings: Settings) -> Endpoint[bytes]:
    return speech_endpoint(voices=VOICES if settings.speech.voices is None else settings.speech.voices)
