"""Errors between the two worlds: whose fault, in OpenAI's terms, and whether to come back."""

import msgspec
import pytest

from gateway.errors import GatewayError, InvalidRequest
from gateway.glm.chat import ErrorDetail
from gateway.glm.errors import BUSINESS_CODES
from gateway.translate.errors import from_glm, internal_error, read_error, to_openai

NO, YES, OWN = False, True, None  # x-should-retry: false, true, absent

Facts = tuple[int, str, str | None, bool | None, float | None]
"""Status, type, code, should_retry, retry_after_seconds."""

REFUSED: Facts = (502, "server_error", "upstream_account_rejected", NO, None)
NO_QUOTA: Facts = (429, "insufficient_quota", "insufficient_quota", NO, 60)
BAD_REQUEST: Facts = (400, "invalid_request_error", None, OWN, None)
FILTERED: Facts = (400, "invalid_request_error", "content_filter", OWN, None)
FAILED: Facts = (502, "server_error", "upstream_error", OWN, None)
BUSY: Facts = (429, "rate_limit_error", "upstream_rate_limit_exceeded", YES, 1)
OVERLOADED: Facts = (503, "server_error", "upstream_overloaded", YES, 5)

BY_CODE: dict[str, Facts] = {
    **dict.fromkeys(("1000", "1001", "1002", "1003", "1004", "1005"), REFUSED),
    **dict.fromkeys(("1100", "1110", "1111", "1112", "1120", "1121", "1220", "1221", "1222", "1702"), REFUSED),
    **dict.fromkeys(("1113", "1304", "1308", "1309", "1310", "1311", "1313", "1314", "1315"), NO_QUOTA),
    **dict.fromkeys(("1316", "1317", "1318", "1319", "1320", "1321"), NO_QUOTA),
    **dict.fromkeys(("1210", "1212", "1213", "1214", "1215", "1231", "1703"), BAD_REQUEST),
    **dict.fromkeys(("1300", "1301"), FILTERED),
    **dict.fromkeys(("500", "1200", "1230", "1234", "1701"), FAILED),
    **dict.fromkeys(("1302", "1303"), BUSY),
    **dict.fromkeys(("1305", "1312"), OVERLOADED),
    "1211": (404, "invalid_request_error", "model_not_found", OWN, None),
    "1261": (400, "invalid_request_error", "context_length_exceeded", OWN, None),
}


def facts(error: GatewayError) -> Facts:
    return error.status, error.type, error.code, error.should_retry, error.retry_after_seconds


def test_every_business_code_has_its_answer() -> None:
    """The table below is Zhipu's whole table."""
    assert BY_CODE.keys() == BUSINESS_CODES.keys()


@pytest.mark.parametrize("code", BY_CODE)
def test_business_code_is_told_in_openais_terms(code: str) -> None:
    """Status, type, code and retry advice follow the code, with the code in the tail, whatever the HTTP status."""
    error = from_glm(ErrorDetail(code=code, message="m"), http_status=BUSINESS_CODES[code].http_status)

    assert BY_CODE[code] == facts(error)
    assert error.message.endswith(f" (GLM {code})")
    assert error.glm_code == code
    assert (
        BY_CODE[code]
        == facts(from_glm(ErrorDetail(code=int(code), message="m"), http_status=200))
        == BY_CODE[code]
    )


@pytest.mark.parametrize("code", [code for code, expected in BY_CODE.items() if expected in (REFUSED, NO_QUOTA)])
def test_fault_of_our_account_never_looks_like_the_callers(code: str) -> None:
    """No 401 or 403, nothing of Zhipu's words about the account, and no invitation to try again."""
    secret = "account 12345 has no balance, please recharge"

    error = from_glm(ErrorDetail(code=code, message=secret), http_status=401)

    assert error.status not in (400, 401, 403)
    assert "12345" not in error.message
    assert error.should_retry is False


@pytest.mark.parametrize(
    ("http_status", "expected"),
    [
        (400, BAD_REQUEST),
        (401, REFUSED),
        (403, REFUSED),
        (404, REFUSED),
        (422, BAD_REQUEST),
        (429, BUSY),
        (434, REFUSED),
        (500, FAILED),
        (502, FAILED),
        (503, OVERLOADED),
        (200, FAILED),
    ],
)
@pytest.mark.parametrize(
    "detail", [None, ErrorDetail(), ErrorDetail(code="", message=""), ErrorDetail(code="odd")]
)
def test_http_status_decides_when_there_is_no_code(
    http_status: int, expected: object, detail: ErrorDetail | None
) -> None:
    """A proxy's answer without Zhipu's body is understood too; inside a success it is GLM's failure."""
    error = from_glm(detail, http_status=http_status)

    assert facts(error) == expected
    assert error.message.endswith(f"(GLM HTTP {http_status})")
    assert error.glm_code is None


def test_code_is_told_when_the_table_does_not_have_it() -> None:
    """A code that Zhipu adds tomorrow is in the message, and its HTTP status decides."""
    error = from_glm(ErrorDetail(code="1399", message="m"), http_status=429)

    assert facts(error) == BUSY
    assert error.message.endswith("(GLM 1399)")


def test_zhipus_words_are_passed_on_when_they_are_about_the_request() -> None:
    """A 1210 says what is wrong, at most so much of it, and braces in it do no harm."""
    error = from_glm(ErrorDetail(code="1210", message="max_tokens {range} 1-1024" + "x" * 1000), http_status=400)

    assert error.message.startswith("GLM refuses the request: max_tokens {range} 1-1024xxx")
    assert len(error.message) < 600


@pytest.mark.parametrize("code", ["1399", "", "odd"])
def test_zhipus_words_are_kept_back_when_the_code_is_not_known(code: str) -> None:
    """They may be about our account, or hold its key."""
    error = from_glm(ErrorDetail(code=code, message="account 12345 is not verified"), http_status=400)

    assert facts(error) == BAD_REQUEST
    assert "12345" not in error.message


def test_redirect_names_the_setting_to_correct() -> None:
    """An address with http for https, or without its path, is answered so; asking again does not help."""
    error = from_glm(None, http_status=301)

    assert facts(error) == (502, "server_error", "upstream_protocol_error", OWN, None)
    assert "GATEWAY_UPSTREAM_URL" in error.message
    assert error.message.endswith("(GLM HTTP 301)")


def test_reset_time_is_told_when_a_quota_has_one() -> None:
    """1308 carries the time at which the quota comes back; that much of the message is the caller's business."""
    said = "Usage limit reached for 5 hour. Your limit will reset at 2026-11-21 18:30:00, user 12345"

    error = from_glm(ErrorDetail(code="1308", message=said), http_status=429)

    assert "comes back at 2026-11-21 18:30:00, Beijing time." in error.message
    assert "12345" not in error.message


@pytest.mark.parametrize(
    ("code", "param"), [("1231", "request_id"), ("1211", "model"), ("1261", "messages"), ("1210", None)]
)
def test_param_is_named_when_the_code_says_which(code: str, param: str | None) -> None:
    """Where the code alone tells the field, it is in ``param``."""
    assert from_glm(ErrorDetail(code=code), http_status=400).param == param


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"error":{"code":"1302","message":"m"}}', "1302"),
        (b'{"error":{"code":1302,"message":"m"},"request_id":"r"}', 1302),
        (b'{"error":{"code":"1301"},"request_id":null,"contentFilter":null}', "1301"),
        (b'{"error":{"code":"1301"},"contentFilter":[{"role":"user","level":"1"}]}', "1301"),
        (b"<html>502</html>", None),
        (b'{"error":"text"}', None),
        (b"", None),
        (b"\xff", None),
        (b'{"error":' + b"[" * 100_000, None),
    ],
    ids=["plain", "number", "null beside it", "text beside it", "html", "text", "empty", "not UTF-8", "nested"],
)
def test_error_body_is_read_or_passed_over(body: bytes, code: object) -> None:
    """A body that cannot be read is no error of ours."""
    detail = read_error(body)

    assert (detail.code if detail is not None else None) == code


def test_openais_body_always_has_its_four_keys() -> None:
    """Clients read all four; two may be null."""
    body = msgspec.json.decode(to_openai(InvalidRequest("m")))

    assert body == {"error": {"message": "m", "type": "invalid_request_error", "param": None, "code": None}}


def test_mistake_of_ours_says_nothing_but_where_to_look() -> None:
    """An internal error has a request id and no detail."""
    body = msgspec.json.decode(to_openai(internal_error("req_1")))

    assert body["error"]["type"] == "server_error"
    assert body["error"]["code"] == "internal_error"
    assert "req_1" in body["error"]["message"]
