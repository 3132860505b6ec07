"""From the headers of a request to its caller: the one place where credentials are read."""

import time
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import TYPE_CHECKING

from gateway.auth.callers import Caller, Tenant
from gateway.auth.issuers import Admission, Issuer
from gateway.errors import AuthenticationFailed

if TYPE_CHECKING:
    from gateway.auth.keys import IssuerKeys
    from gateway.auth.tokens import Tokens

HOW_TO_SEND_A_KEY = "Send your key in an 'Authorization: Bearer <key>' header, or in 'x-api-key' or 'api-key'."
DOTS_OF_A_TOKEN = 2


class Authenticator:
    """
    Tells callers apart by their keys, and by tokens where there are issuers.

    A key is looked up by its digest. How long a comparison of digests takes says nothing about the key, since
    whoever could choose a digest byte by byte would have broken SHA-256; so an ordinary dict is safe here.
    """

    __slots__ = ("_callers", "_tokens")

    def __init__(
        self,
        tenants: Iterable[Tenant],
        *,
        model_id: Callable[[str], str] = str,
        issuers: Iterable[tuple[Issuer, "IssuerKeys"]] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        """
        Take the tenants, and the issuers of tokens with their keys.

        ``model_id`` turns a name in ``models`` into the catalogue's id; ``now`` is Unix time.
        """
        listed = [(tenant, Caller.of(tenant, model_id=model_id)) for tenant in tenants]
        by_name = {caller.name: caller for _, caller in listed}
        admitted = [
            (issuer, keys, Admission(issuer, tenants=by_name, model_id=model_id)) for issuer, keys in issuers
        ]
        self._callers = {key: caller for tenant, caller in listed for key in tenant.key_sha256}
        self._tokens = tokens_of(admitted, now=now) if admitted else None

    async def authenticate(self, headers: Iterable[tuple[bytes, bytes]]) -> Caller:
        """
        Return the caller whose key or token is in the headers of an ASGI scope; waits only for an issuer's keys.

        Raises AuthenticationFailed when there is none or nobody has it, the caller's fault, and
        KeysUnavailable when an issuer's keys cannot be had.
        """
        credential = presented_credential(headers)
        caller = self._callers.get(sha256(credential).hexdigest())
        if caller is not None:
            return caller
        if self._tokens is not None and credential.count(b".") == DOTS_OF_A_TOKEN:
            return await self._tokens.authenticate(credential)
        raise refusal_of(credential)


def presented_credential(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """
    Return the key or token that a request presents, empty when it presents none.

    OpenAI's clients send ``Authorization: Bearer``, Azure's ``api-key``, Anthropic-style ones ``x-api-key``.
    ``Authorization`` is believed first, whatever the order, so that one request means one caller.
    """
    other = b""
    for name, value in headers:
        if name == b"authorization":
            scheme, _, credential = value.partition(b" ")
            if scheme.lower() == b"bearer":
                return credential.strip()
        elif name in (b"x-api-key", b"api-key"):
            other = other or value.strip()
    return other


def tokens_of(admitted: Iterable[tuple[Issuer, "IssuerKeys", Admission]], *, now: Callable[[], float]) -> "Tokens":
    from gateway.auth.tokens import Tokens, Trust  # noqa: PLC0415 - see gateway.auth

    return Tokens((Trust(*one) for one in admitted), now=now)


def refusal_of(credential: bytes) -> AuthenticationFailed:
    if not credential:
        return AuthenticationFailed(
            f"This request carries no API key. {HOW_TO_SEND_A_KEY}", code="missing_api_key"
        )
    return AuthenticationFailed(
        "Incorrect API key: no tenant of this gateway has it. Use a key that the gateway's operator "
        "gave you; keys of OpenAI or Zhipu do not work here."
    )
