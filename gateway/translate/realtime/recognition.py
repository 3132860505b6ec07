"""What GLM's speech recognition is asked to make out, and how its failures are told."""

from gateway.errors import GatewayError
from gateway.openai.realtime import server
from gateway.openai.realtime.session import Transcription
from gateway.translate.realtime.effects import Recognition


def transcription_error(error: GatewayError) -> server.TranscriptionError:
    return server.TranscriptionError(type=error.type, code=error.code, message=error.message, param=error.param)


def recognition(pcm: bytes, asked: Transcription, *, model: str) -> Recognition:
    """Return what is to be heard in a turn; ``model`` where the client names none."""
    return Recognition(
        pcm=pcm,
        model=asked.model or model,
        prompt=asked.prompt,
        language=asked.language,
        keywords=tuple(asked.keywords or ()),
    )
