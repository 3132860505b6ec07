"""
Keys for browsers: short-lived, made by a caller out of its own rights, with the session that they are for.

A key is a signed token; whoever has it can read what is in it, which is no key of anybody's.
"""

import time
from collections.abc import Callable
from typing import Any

import msgspec

from gateway.auth.callers import Caller
from gateway.errors import AuthenticationFailed
from gateway.openai.realtime.session import SessionChange

PREFIX = "ek_"
AUDIENCE = "glm-gateway/realtime"
ALGORITHM = "HS256"


class ClientSecrets:
    """Makes and reads keys for browsers; ``secret`` signs them, and all replicas need the same."""

    def __init__(self, secret: bytes, *, now: Callable[[], float] = time.time) -> None:
        self._secret = secret
        self._now = now

    def make(self, caller: Caller, session: dict[str, Any], *, seconds: int) -> tuple[str, int]:
        """Return a key of the caller's rights for so many seconds, and when it expires (Unix seconds)."""
        import jwt  # noqa: PLC0415 - see gateway.auth

        expires_at = int(self._now()) + seconds
        claims = {
            "aud": AUDIENCE,
            "exp": expires_at,
            "caller": msgspec.to_builtins(caller),
            "session": session,
        }
        return PREFIX + jwt.encode(claims, self._secret, algorithm=ALGORITHM), expires_at

    def knows(self, credential: str) -> bool:
        """Tell whether a credential looks like a key of this kind."""
        return credential.startswith(PREFIX)

    def read(self, credential: str) -> tuple[Caller, SessionChange]:
        """Return whose rights a key has, and the session it is for; raise AuthenticationFailed."""
        import jwt  # noqa: PLC0415 - see gateway.auth

        try:
            claims = jwt.decode(
                credential.removeprefix(PREFIX),
                self._secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                options={"require": ["exp", "aud"], "verify_exp": False},
            )
        except jwt.PyJWTError:
            raise AuthenticationFailed(
                "This client secret is none of this gateway's. Make one with POST /v1/realtime/client_secrets."
            ) from None
        if claims["exp"] <= self._now():
            raise AuthenticationFailed(
                "This client secret has expired. Make another with POST /v1/realtime/client_secrets.",
                code="token_expired",
            )
        return msgspec.convert(claims["caller"], Caller), msgspec.convert(claims["session"], SessionChange)
