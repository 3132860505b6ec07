"""
Who calls: tenants, their keys and tokens, and the one place where credentials are read off a request.

Knows ASGI header pairs, digests and signatures. Keeps no plain key, knows no route, no slot, no HTTP framework.

PyJWT is imported where the first token is made or read, as are ``keys`` and ``tokens`` where there are issuers,
because it brings cryptography along: 0.09 s of a start.
"""

from gateway.auth.authenticator import Authenticator, presented_credential
from gateway.auth.callers import Caller, Name, Tenant, digest
from gateway.auth.issuers import Algorithm, Issuer
from gateway.auth.key_ring import KeyRing

__all__ = [
    "Algorithm",
    "Authenticator",
    "Caller",
    "Issuer",
    "KeyRing",
    "Name",
    "Tenant",
    "digest",
    "presented_credential",
]
