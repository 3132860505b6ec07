"""
Who calls: tenants, their keys and tokens, and the one place where credentials are read off a request.

Knows ASGI header pairs, digests and signatures. Keeps no plain key, knows no route, no slot, no HTTP framework.
"""

from gateway.auth.authenticator import Authenticator, presented_credential
from gateway.auth.callers import Caller, Name, Tenant, digest
from gateway.auth.issuers import Algorithm, Issuer
from gateway.auth.keys import IssuerKeys, JwksKeys, KeyRing, KeysUnavailable, SharedSecret

__all__ = [
    "Algorithm",
    "Authenticator",
    "Caller",
    "Issuer",
    "IssuerKeys",
    "JwksKeys",
    "KeyRing",
    "KeysUnavailable",
    "Name",
    "SharedSecret",
    "Tenant",
    "digest",
    "presented_credential",
]
