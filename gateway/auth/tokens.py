"""
JSON Web Tokens: which issuer one claims to be from, whether that is so, and the caller it means.

Nothing in a token is believed before its signature is verified, but for the choice of whose key to try.
"""

import time
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any

import jwt
from msgspec import Struct

from gateway.auth.callers import Caller
from gateway.auth.issuers import Admission, Issuer
from gateway.auth.keys import IssuerKeys
from gateway.errors import AuthenticationFailed

REMEMBERED_SECONDS = 60.0
MAX_REMEMBERED = 10_000

REFUSALS: tuple[tuple[type[jwt.PyJWTError], str, str], ...] = (
    (jwt.ExpiredSignatureError, "token_expired", "The token has expired. Get a new one from its issuer."),
    (jwt.ImmatureSignatureError, "invalid_token", "The token is not valid yet. Check the clock of its issuer."),
    (jwt.InvalidAudienceError, "invalid_token", "The token is for somebody else: its claim 'aud' is not ours."),
    (jwt.MissingRequiredClaimError, "invalid_token", "The token lacks one of the claims 'exp', 'iss' and 'aud'."),
    (
        jwt.InvalidAlgorithmError,
        "invalid_token",
        "The token is signed in a way that is not allowed to its issuer.",
    ),
    (jwt.InvalidSignatureError, "invalid_token", "The token's signature is wrong. Get a new one from its issuer."),
    (jwt.PyJWTError, "invalid_token", "The token cannot be read or verified. Get a new one from its issuer."),
)
"""What PyJWT says against a token, the most specific first: the code and the sentence for the caller."""


class Trust(Struct, frozen=True):
    """One issuer, its keys, and whom its tokens mean."""

    issuer: Issuer
    keys: IssuerKeys
    admission: Admission


class Tokens:
    """
    Tells callers apart by tokens.

    What was verified is remembered for a minute, never beyond its expiry, under the SHA-256 of the whole token.
    """

    def __init__(self, trusts: Iterable[Trust], *, now: Callable[[], float] = time.time) -> None:
        """Take the issuers that are believed; ``now`` is Unix time."""
        self._trusts = {trust.issuer.issuer: trust for trust in trusts}
        self._now = now
        self._remembered: dict[bytes, tuple[Caller, float]] = {}

    async def authenticate(self, token: bytes) -> Caller:
        """
        Return the caller that a token means.

        Raises AuthenticationFailed, the caller's fault, and KeysUnavailable, its issuer's.
        """
        key = sha256(token).digest()
        caller, until = self._remembered.get(key, (None, 0.0))
        if caller is not None and self._now() < until:
            return caller
        try:
            caller, expires_at = await self._verify(token)
        except jwt.PyJWTError as error:
            raise refusal(error) from None  # what PyJWT says may quote the token
        self._remember(key, caller, until=min(expires_at, self._now() + REMEMBERED_SECONDS))
        return caller

    async def _verify(self, token: bytes) -> tuple[Caller, int]:
        unverified = jwt.decode_complete(token, options={"verify_signature": False})
        trust = self._trust(unverified["payload"])
        key_id = unverified["header"].get("kid", "")
        key = await trust.keys.find(key_id)
        if key is None:
            raise AuthenticationFailed(
                "The token is signed with a key that its issuer does not have, or has no more.",
                code="invalid_token",
            )
        claims = jwt.decode(
            token,
            key,
            algorithms=list(trust.issuer.algorithms),
            issuer=trust.issuer.issuer,
            audience=list(trust.issuer.audience),
            leeway=trust.issuer.leeway_seconds,
            options={"require": ["exp", "iss", "aud"], "enforce_minimum_key_length": True},
        )
        return trust.admission.caller(claims), int(claims["exp"])

    def _trust(self, claims: dict[str, Any]) -> Trust:
        issuer = claims.get("iss")
        trust = self._trusts.get(issuer) if isinstance(issuer, str) else None
        if trust is None:
            raise AuthenticationFailed(
                "The token is from nobody that this gateway trusts: its claim 'iss' is none of the issuers that "
                "the operator has listed.",
                code="invalid_token",
            )
        return trust

    def _remember(self, key: bytes, caller: Caller, *, until: float) -> None:
        self._remembered.pop(key, None)
        if len(self._remembered) >= MAX_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[key] = (caller, until)


def refusal(error: jwt.PyJWTError) -> AuthenticationFailed:
    """Return what the caller is told; never what the token says."""
    code, message = next((code, said) for kind, code, said in REFUSALS if isinstance(error, kind))
    return AuthenticationFailed(message, code=code)
