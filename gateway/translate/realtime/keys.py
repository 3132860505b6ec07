"""Keys for browsers: what a caller says of the session, checked and told whole, before there is a session."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from gateway.errors import InvalidRequest
from gateway.openai.realtime.secrets import (
    BetaSessionResponse,
    CreateBetaSessionRequest,
    CreateClientSecretRequest,
    CreateClientSecretResponse,
)
from gateway.openai.realtime.session import (
    BetaSession,
    BetaTranscriptionSession,
    ClientSecret,
    Kind,
    RealtimeSession,
    SessionChange,
    TranscriptionSession,
)
from gateway.translate.realtime.changes import changed
from gateway.translate.realtime.config import Config
from gateway.translate.realtime.shapes import Beta, Today
from gateway.translate.requests import Reader

DEFAULT_MODEL = "glm-realtime"
DEFAULT_SECONDS = 600

today_reader = Reader(CreateClientSecretRequest)
beta_reader = Reader(CreateBetaSessionRequest)


class Wish:
    """The key that a caller wants: what it said of the session, and for how many seconds."""

    def __init__(self, change: SessionChange, *, seconds: int, at: str) -> None:
        self.change = change
        self.seconds = seconds
        self._at = at

    @property
    def kind(self) -> Kind:
        """What the session is for."""
        return self.change.type or "realtime"

    def model(self, *, transcriber: str) -> str:
        """Return the model that it named, or the one there is: ``transcriber`` for what is only written down."""
        if self.kind == "realtime":
            return self.change.model or DEFAULT_MODEL
        said = self.change.input_audio_transcription
        if self.change.audio and self.change.audio.input:
            said = self.change.audio.input.transcription or said
        return (said.model if said else None) or transcriber

    def config(self, first: Config) -> Config:
        """Return what will hold; raise InvalidRequest for what cannot."""
        return changed(first, self.change, at=self._at)

    def kept(self) -> dict[str, Any]:
        """Return what the key has to carry."""
        kept: dict[str, Any] = msgspec.to_builtins(self.change)
        return {name: value for name, value in kept.items() if name in SessionChange.__struct_fields__}


def read_today(body: bytes) -> Wish:
    """Read a request of today's shape; raise InvalidRequest."""
    request, _ = today_reader.read(body or b"{}")
    seconds = request.expires_after.seconds if request.expires_after is not None else DEFAULT_SECONDS
    return Wish(request.session or SessionChange(), seconds=seconds, at="session")


def read_beta(body: bytes, *, transcription: bool) -> Wish:
    """Read a request of beta's shape, which is the session itself; raise InvalidRequest."""
    request, _ = beta_reader.read(body or b"{}")
    secret = request.client_secret
    expires = (secret.expires_after or secret.expires_at) if secret is not None else None
    change = msgspec.structs.replace(request, type="transcription") if transcription else request
    if change.type is not UNSET and (change.type == "transcription") != transcription:
        raise InvalidRequest("'type' is not that of this address.", param="type", code="invalid_value")
    return Wish(change, seconds=expires.seconds if expires is not None else DEFAULT_SECONDS, at="session")


def tell_today(config: Config, *, session_id: str, value: str, expires_at: int) -> CreateClientSecretResponse:
    """Return a key, and the session it is for."""
    session = Today().session(config, session_id=session_id, expires_at=0)
    assert isinstance(session, RealtimeSession | TranscriptionSession)  # noqa: S101 - it is of today's shape
    return CreateClientSecretResponse(value=value, expires_at=expires_at, session=session)


def tell_beta(
    config: Config, *, session_id: str, value: str, expires_at: int
) -> BetaSessionResponse | BetaTranscriptionSession:
    """Return the session with a key in it."""
    secret = ClientSecret(value=value, expires_at=expires_at)
    session = Beta().session(config, session_id=session_id, expires_at=0)
    if isinstance(session, BetaTranscriptionSession):
        return msgspec.structs.replace(session, client_secret=secret)
    assert isinstance(session, BetaSession)  # noqa: S101 - it is of beta's shape
    fields: Mapping[str, Any] = {name: getattr(session, name) for name in session.__struct_fields__}
    return BetaSessionResponse(**fields, client_secret=secret)
