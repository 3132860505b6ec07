"""
Accounts of the platform, and who a request's Authorization belongs to.

Source: docs.bigmodel.cn, authentication; the platform's own SDKs (``zai``, ``zhipuai``) for what they send.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from gateway.simulator.refusals import Refusal

Tier = Literal["V0", "V1", "V2", "V3"]


class Account(Struct, frozen=True, kw_only=True):
    """
    A customer of the platform.

    ``key`` is ``{id}.{secret}``. Without ``balance`` only free models answer. ``refusal`` is a business code
    with which every call is refused (a locked account, an expired plan); None when the account is in order.
    """

    name: str
    key: str
    tier: Tier = "V0"
    balance: bool = True
    refusal: str | None = None

    @property
    def id(self) -> str:
        """The public half of the key."""
        return self.key.partition(".")[0]

    @property
    def secret(self) -> str:
        """The half that signs tokens."""
        return self.key.partition(".")[2]

    def check_paid(self) -> None:
        """Refuse an account that is not in order, or has no money left."""
        if self.refusal is not None:
            raise Refusal(self.refusal)
        if not self.balance:
            raise Refusal("1113")


DEMO_KEY = "5e1f0000000000000000000000000000.simulatorDemoV0a"
"""Key of the demo account, tier V0; worth nothing at the real platform."""

DEMO_ACCOUNTS: Sequence[Account] = (
    Account(name="demo", key=DEMO_KEY),
    Account(name="demo-v1", key="5e1f0000000000000000000000000001.simulatorDemoV1a", tier="V1"),
    Account(name="demo-v2", key="5e1f0000000000000000000000000002.simulatorDemoV2a", tier="V2"),
    Account(name="demo-v3", key="5e1f0000000000000000000000000003.simulatorDemoV3a", tier="V3"),
    Account(name="demo-poor", key="5e1f0000000000000000000000000009.simulatorDemoPoor", balance=False),
)


def authenticate(authorization: str | None, *, accounts: Sequence[Account], now: float) -> Account:
    """
    Return the account an Authorization header belongs to: a key or a signed token, with or without ``Bearer``.

    ``now`` is in Unix seconds. Raises Refusal with 1001 (no header), 1002 (neither key nor token), 1000
    (unknown key or wrong signature) or 1003 (expired token).
    """
    token = (authorization or "").removeprefix("Bearer ").strip()
    if not token:
        raise Refusal("1001")
    parts = token.split(".")
    if len(parts) == 2 and all(parts):
        return _owner(parts[0], secret=parts[1], accounts=accounts)
    if len(parts) == 3:
        return _signer(token, accounts=accounts, now=now)
    raise Refusal("1002")


def _owner(key_id: str, *, secret: str, accounts: Sequence[Account]) -> Account:
    for account in accounts:
        if account.id == key_id and hmac.compare_digest(account.secret.encode(), secret.encode()):
            return account
    raise Refusal("1000")


def _signer(token: str, *, accounts: Sequence[Account], now: float) -> Account:
    signed, _, signature = token.rpartition(".")
    header, claims = (_json(part) for part in signed.split("."))
    if header.get("alg") != "HS256" or header.get("sign_type") != "SIGN":
        raise Refusal("1002")
    expiry = claims.get("exp")
    if not isinstance(expiry, int | float) or not isinstance(claims.get("timestamp"), int | float):
        raise Refusal("1002")
    account = next((account for account in accounts if account.id == claims.get("api_key")), None)
    if account is None:
        raise Refusal("1000")
    expected = hmac.new(account.secret.encode(), signed.encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(expected, _base64url(signature)):
        raise Refusal("1000")
    if _seconds(expiry) < now:
        raise Refusal("1003")
    return account


def _seconds(moment: float) -> float:
    # The HTTP pages and SDKs write exp in milliseconds, the realtime page's sample in seconds.
    return moment / 1000 if moment > 1e11 else moment


def _json(part: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(_base64url(part), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Refusal("1002") from error


def _base64url(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError) as error:
        raise Refusal("1002") from error
