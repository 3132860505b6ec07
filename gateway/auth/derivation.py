"""
Secrets of the gateway's own, one for each purpose.

Each follows from what the operator keeps secret anyway, so that all replicas of one configuration have the same
and nobody has to hand them round. A purpose's secret tells nothing of another's, nor of what it follows from.
"""

import os
from collections.abc import Collection
from typing import Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Purpose = Literal["sealed reasoning", "client secrets", "spoken answers"]
"""What a secret is for; the label that it is derived with."""

SECRET_BYTES = 64


def derive(purpose: Purpose, *, own: str | None, api_keys: Collection[str]) -> bytes:
    """
    Return the secret for a purpose: HKDF-SHA256 of the operator's ``own`` one, or else of all accounts' keys.

    The order of the keys does not matter. Where there is neither, the secret is of this process alone.
    """
    source = own.encode() if own is not None else "\n".join(sorted(api_keys)).encode() or os.urandom(SECRET_BYTES)
    label = f"glm-gateway {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=SECRET_BYTES, salt=None, info=label).derive(source)
