"""The keys that issuers publish, kept for as long as the gateway runs."""

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from gateway.auth.keys import JwksKeys

TIMEOUT_SECONDS = 5.0


def create_client() -> httpx.AsyncClient:
    """Return a client for key sets: no redirects, which could lead anywhere, no proxy, no cookies."""
    return httpx.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False)


class KeyRing:
    """The published keys of every issuer, by address. It outlives a reload, so that nothing is fetched anew."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None
        self._published: dict[str, JwksKeys] = {}

    def published(self, url: str) -> "JwksKeys":
        """Return the keys at an address of an issuer's."""
        if self._client is None:
            self._client = create_client()  # takes 0.1 s, so not before there is an issuer
        if url not in self._published:
            from gateway.auth.keys import JwksKeys  # noqa: PLC0415 - see gateway.auth

            self._published[url] = JwksKeys(url, client=self._client)
        return self._published[url]

    async def aclose(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.aclose()
