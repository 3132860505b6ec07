"""Realtime calls, and keys for browsers."""

from collections.abc import Callable

from gateway.app.endpoints import create_chat_endpoint, create_speech_endpoint
from gateway.app.terms import api_keys, secret_for
from gateway.auth.secrets import ClientSecrets
from gateway.exchange import Desk
from gateway.session import SessionDesk, SessionPolicy
from gateway.session.errands import Endpoints
from gateway.session.sound import CallSound
from gateway.settings import Settings
from gateway.translate.realtime import Policy as RealtimePolicy
from gateway.translate.transcriptions.endpoint import transcriptions_endpoint
from gateway.upstream.realtime import RealtimeUpstream

SECONDS_TO_SAY_GOODBYE = 2.0


def create_session_desk(settings: Settings, *, desk: Desk, is_draining: Callable[[], bool]) -> SessionDesk:
    realtime = settings.realtime
    return SessionDesk(
        desk=desk,
        upstream=RealtimeUpstream(
            url=settings.realtime_url,
            api_keys=api_keys(settings),
            connect_seconds=settings.upstream.connect_timeout_seconds,
            authorization=realtime.authorization,
        ),
        sound=CallSound(),
        endpoints=Endpoints(
            transcriptions=transcriptions_endpoint(slots_per_upload=settings.audio.slots_per_upload),
            chat=create_chat_endpoint(settings),
            speech=create_speech_endpoint(settings),
            speech_model=realtime.speech_model,
        ),
        policy=SessionPolicy(
            translation=RealtimePolicy(
                typed_text=realtime.typed_text,
                turn_detection=realtime.turn_detection,
                text_model=realtime.text_model,
                transcription_model=realtime.transcription_model,
            ),
            queue_seconds=settings.realtime_queue_timeout_seconds,
            max_seconds=realtime.max_session_seconds,
            idle_seconds=realtime.idle_timeout_seconds,
            # Sessions are told why they end, which the server would not do at its own limit.
            drain_seconds=max(0.0, settings.drain_seconds - SECONDS_TO_SAY_GOODBYE),
        ),
        is_draining=is_draining,
    )


def create_secrets(settings: Settings) -> ClientSecrets:
    """Return who makes keys for browsers, which every replica with the same configuration understands."""
    return ClientSecrets(secret_for("client secrets", settings, own=settings.realtime.client_secret_key))
