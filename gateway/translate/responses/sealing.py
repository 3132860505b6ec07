"""
Reasoning in an envelope that only this gateway opens, and only for the tenant it was given to.

AES-SIV (RFC 5297) with the tenant as associated data: it needs no random number, so that nothing here is random,
and the same text gives the same envelope, which tells its holder nothing that it does not know.
"""

import base64
import binascii
import zlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

MAX_TEXT_BYTES = 16 * 1024 * 1024


class Sealer:
    """
    Seals texts and opens them again.

    ``secret`` is of 64 bytes; replicas that have the same open each other's envelopes.
    """

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESSIV(secret)

    def seal(self, text: str, *, tenant: str) -> str:
        """Return ``text`` in an envelope."""
        sealed = self._cipher.encrypt(zlib.compress(text.encode()), [tenant.encode()])
        return base64.urlsafe_b64encode(sealed).decode()

    def unseal(self, envelope: str, *, tenant: str) -> str | None:
        """Return what is in an envelope; None when it is another's, of another tenant, or damaged."""
        try:
            packed = self._cipher.decrypt(base64.urlsafe_b64decode(envelope.encode()), [tenant.encode()])
        except (binascii.Error, ValueError, InvalidTag):
            return None
        return zlib.decompressobj().decompress(packed, MAX_TEXT_BYTES).decode(errors="ignore")
