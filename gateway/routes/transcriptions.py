"""``POST /v1/audio/transcriptions`` and ``POST /v1/audio/translations``."""

from functools import partial

from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from gateway.routes.front import Front, Serving
from gateway.routes.middleware import exchange_of
from gateway.routes.recording import SpooledRecording
from gateway.routes.uploads import UploadLimits, read_upload
from gateway.translate.endpoint import Endpoint
from gateway.translate.transcriptions.upload import Upload


def transcription_routes(
    front: Front, *, transcriptions: Endpoint[Upload], translations: Endpoint[Upload], limits: UploadLimits
) -> list[HTTPRouteHandler]:
    """Return the routes that take recordings."""
    transcribe = Receiving(front, transcriptions, limits=limits)
    translate = Receiving(front, translations, limits=limits)

    @post(["/v1/audio/transcriptions", "/audio/transcriptions"], status_code=200, name="createTranscription")
    async def create_transcription() -> ASGIApp:
        return transcribe

    @post(["/v1/audio/translations", "/audio/translations"], status_code=200, name="createTranslation")
    async def create_translation() -> ASGIApp:
        return translate

    return [create_transcription, create_translation]


class Receiving:
    """Serves the uploads of one endpoint; each recording is removed when its request has ended, however it did."""

    def __init__(self, front: Front, endpoint: Endpoint[Upload], *, limits: UploadLimits) -> None:
        self._front = front
        self._endpoint = endpoint
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        recordings: list[SpooledRecording] = []

        def make(param: str) -> SpooledRecording:
            recordings.append(
                SpooledRecording(
                    max_seconds=self._limits.max_seconds,
                    max_work_seconds=self._limits.max_work_seconds,
                    param=param,
                )
            )
            return recordings[-1]

        read = partial(read_upload, make=make, max_bytes=self._limits.max_bytes, read_json=self._front.read_json)
        try:
            await Serving(self._front, self._endpoint, read=read)(scope, receive, send)
        finally:
            for recording in recordings:
                exchange_of(scope).record.audio_seconds += recording.seconds
                recording.close()
