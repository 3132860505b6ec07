"""Who a request belongs to."""

import base64
import hashlib
import hmac
import json
from typing import Any

import httpx
import pytest

from gateway.simulator import DEMO_ACCOUNTS, DEMO_KEY, Running
from gateway.simulator.accounts import authenticate
from gateway.simulator.refusals import Refusal

NOW = 1_800_000_000.0
KEY_ID, SECRET = DEMO_KEY.split(".")


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _token(
    *, header: dict[str, Any] | None = None, claims: dict[str, Any] | None = None, secret: str = SECRET
) -> str:
    head = {"alg": "HS256", "sign_type": "SIGN"} if header is None else header
    body = {"api_key": KEY_ID, "exp": (NOW + 60) * 1000, "timestamp": NOW * 1000} | (claims or {})
    signed = f"{_part(head)}.{_part(body)}"
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param(f"Bearer {DEMO_KEY}", id="key"),
        pytest.param(DEMO_KEY, id="key without Bearer"),
        pytest.param(f"Bearer {_token()}", id="token, exp in milliseconds"),
        pytest.param(f"Bearer {_token(claims={'exp': NOW + 60})}", id="token, exp in seconds"),
        pytest.param(_token(), id="token without Bearer"),
    ],
)
def test_account_is_found_when_the_header_holds_a_key_or_a_token(authorization: str) -> None:
    """Every way the platform's own clients authenticate is taken."""
    account = authenticate(authorization, accounts=DEMO_ACCOUNTS, now=NOW)

    assert account.name == "demo"


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        pytest.param(None, "1001", id="no header"),
        pytest.param("Bearer ", "1001", id="nothing after Bearer"),
        pytest.param("Bearer sk-openai", "1002", id="neither key nor token"),
        pytest.param("Bearer a.b.c.d", "1002", id="too many dots"),
        pytest.param("Bearer a.b.c", "1002", id="not base64 of JSON"),
        pytest.param("Bearer nobody.secret", "1000", id="unknown key"),
        pytest.param(f"Bearer {KEY_ID}.wrong", "1000", id="wrong secret"),
        pytest.param(_token(secret="wrong"), "1000", id="wrong signature"),
        pytest.param(_token(claims={"api_key": "nobody"}), "1000", id="unknown api_key"),
        pytest.param(_token(header={"alg": "HS256"}), "1002", id="no sign_type"),
        pytest.param(_token(header={"alg": "none", "sign_type": "SIGN"}), "1002", id="another algorithm"),
        pytest.param(_token(claims={"exp": "soon"}), "1002", id="exp is text"),
        pytest.param(_token(claims={"timestamp": None}), "1002", id="no timestamp"),
        pytest.param(_token(claims={"exp": (NOW - 1) * 1000}), "1003", id="expired, in milliseconds"),
        pytest.param(_token(claims={"exp": NOW - 1}), "1003", id="expired, in seconds"),
    ],
)
def test_code_says_why_when_authentication_fails(authorization: str | None, code: str) -> None:
    """Each way to fail has the platform's code."""
    with pytest.raises(Refusal) as refusal:
        authenticate(authorization, accounts=DEMO_ACCOUNTS, now=NOW)

    assert code == refusal.value.code.code


def test_answer_is_401_in_the_platforms_shape_when_there_is_no_header(zhipu: Running) -> None:
    """An unknown caller gets a code as a string, no request id, and the load balancer's cookie."""
    answer = httpx.post(f"{zhipu.url}/chat/completions", json={})

    assert answer.status_code == 401
    assert answer.json() == {
        "error": {"code": "1001", "message": "Header中未收到Authorization参数，无法进行身份验证。"}
    }
    assert "acw_tc" in answer.cookies
