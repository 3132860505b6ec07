"""
Where the keys come from that tokens are verified with: a secret that is shared, or an address of the issuer's.

The address is the operator's. What a token says about where its key is (``jku``, ``x5u``, ``jwk``) is not read.
"""

import asyncio
import logging
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any, Protocol

import httpx
import jwt
import msgspec
from msgspec import Struct

from gateway.auth.key_ring import TIMEOUT_SECONDS
from gateway.errors import KeysUnavailable

FRESH_SECONDS = 600.0
PAUSE_SECONDS = 10.0
MAX_BYTES = 1024 * 1024

logger = logging.getLogger(__name__)


class IssuerKeys(Protocol):
    """The keys of one issuer."""

    async def find(self, key_id: str) -> jwt.PyJWK | None:
        """Return the key of that id, None when the issuer has none; "" is the id of a key without one."""


class SharedSecret:
    """A secret that issuer and gateway both know (HS256); it is the key of every id."""

    def __init__(self, secret: str) -> None:
        text = urlsafe_b64encode(secret.encode()).rstrip(b"=").decode()
        self._key = jwt.PyJWK({"kty": "oct", "k": text, "alg": "HS256"})

    async def find(self, key_id: str) -> jwt.PyJWK:
        """Return the secret as a key."""
        del key_id
        return self._key


class JwksKeys:
    """
    The public keys that an issuer publishes as a JSON Web Key Set.

    Fetched when first needed, again after ten minutes, and at once for an id that is not known, since issuers
    change keys; but at most every ten seconds, whatever tokens arrive. While the address does not answer, the
    keys that are known stay in use.

    Source: RFC 7517.
    """

    def __init__(
        self, url: str, *, client: httpx.AsyncClient, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url
        self._client = client
        self._clock = clock
        self._fetching = asyncio.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")

    async def find(self, key_id: str) -> jwt.PyJWK | None:
        """Return the key of that id; raise KeysUnavailable when none could be fetched yet."""
        known = self._keys.get(key_id)
        if known is not None and (self._fresh() or self._fetching.locked()):
            return known
        async with self._fetching:
            # Whoever was here before may have fetched it.
            wanted = key_id not in self._keys or not self._fresh()
            if wanted and self._clock() - self._tried_at >= PAUSE_SECONDS:
                await self._fetch()
        if not self._keys:
            raise KeysUnavailable(
                "The token could not be verified: the keys of its issuer cannot be fetched at the moment.",
                retry_after_seconds=PAUSE_SECONDS,
            )
        return self._keys.get(key_id)

    def _fresh(self) -> bool:
        return self._clock() - self._fetched_at < FRESH_SECONDS

    async def _fetch(self) -> None:
        self._tried_at = self._clock()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                body = await self._read()
            keys = usable_keys(body)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, msgspec.MsgspecError, ValueError) as error:
            reason = str(error) or type(error).__name__
            logger.warning("The keys at %s could not be fetched: %s", self._url, reason)
            return
        self._keys, self._fetched_at = keys, self._clock()

    async def _read(self) -> bytes:
        headers = {"accept": "application/jwk-set+json, application/json"}
        async with self._client.stream("GET", self._url, headers=headers) as answer:
            if answer.status_code != httpx.codes.OK:
                raise ValueError(f"HTTP status {answer.status_code}")
            body = b""
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > MAX_BYTES:
                    raise ValueError(f"more than {MAX_BYTES} bytes")
            return body


class KeySet(Struct):
    """What an issuer publishes; the keys are read one by one."""

    keys: list[dict[str, Any]]


def usable_keys(body: bytes) -> dict[str, jwt.PyJWK]:
    """
    Read a key set; keys of unknown kinds, for encryption or secret ones are passed over.

    Raises ValueError or msgspec's errors when it is none, or when nothing in it can be used.
    """
    keys: dict[str, jwt.PyJWK] = {}
    for row in msgspec.json.decode(body, type=KeySet).keys:
        if row.get("use", "sig") != "sig" or row.get("kty") == "oct":
            continue
        try:
            keys[str(row.get("kid", ""))] = jwt.PyJWK(row)
        except jwt.PyJWTError:
            continue
    if not keys:
        raise ValueError("no key in it can verify a signature")
    return keys
