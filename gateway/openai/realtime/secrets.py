"""
Making keys for browsers: what is asked and answered, in today's shape and in beta's.

Source: the official SDK's types (openai 3.54, ``types.realtime`` and ``types.beta.realtime``).
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from gateway.openai.realtime.session import (
    BetaSession,
    ClientSecret,
    RealtimeSession,
    SessionChange,
    TranscriptionSession,
)


class ExpiresAfter(Struct, frozen=True, kw_only=True):
    """How long a key is good for."""

    anchor: Literal["created_at"] = "created_at"
    seconds: Annotated[int, Meta(ge=10, le=7200)] = 600


class CreateClientSecretRequest(Struct, frozen=True, kw_only=True):
    """A key is wanted, for a session like this."""

    expires_after: ExpiresAfter | None = None
    session: SessionChange | None = None


class CreateClientSecretResponse(Struct, frozen=True, kw_only=True):
    """A key, and the whole session that it is for."""

    value: str
    expires_at: int
    session: RealtimeSession | TranscriptionSession


class SecretRequest(Struct, frozen=True, kw_only=True):
    """How long beta's key is to be good for."""

    expires_after: ExpiresAfter | None = None
    expires_at: ExpiresAfter | None = None


class CreateBetaSessionRequest(SessionChange, frozen=True, kw_only=True):
    """A key is wanted, in beta's shape: the session itself, and the key within it."""

    client_secret: SecretRequest | None = None


class BetaSessionResponse(BetaSession, frozen=True, kw_only=True):
    """The session and its key."""

    client_secret: ClientSecret
