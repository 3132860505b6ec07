"""Zhipu's business codes and error body."""

from typing import get_args

import msgspec
import pytest

from gateway.glm.chat import ErrorDetail
from gateway.glm.errors import BUSINESS_CODES, ContentFilter, ErrorBody, Kind

# docs.bigmodel.cn/cn/api/api-code, read 2026-07-11
CURRENT = {
    500: "500 1200 1230 1234",
    401: "1000 1001 1003 1005",
    400: "1210 1211 1212 1213 1214 1215 1221 1222 1261 1301",
    403: "1220",
    429: "1113 1302 1305 1308 1309 1310 1311 1313 1314 1315 1316 1317 1318 1319 1320 1321",
}
OLDER = "1002 1004 1100 1110 1111 1112 1120 1121 1231 1300 1303 1304 1312 1701 1702 1703"


@pytest.mark.parametrize(("http_status", "codes"), CURRENT.items())
def test_code_travels_with_the_documented_status(http_status: int, codes: str) -> None:
    """Each code of the current table has its HTTP status."""
    assert {code: BUSINESS_CODES[code].http_status for code in codes.split()} == dict.fromkeys(
        codes.split(), http_status
    )


def test_table_is_the_current_one_and_what_older_editions_add() -> None:
    """No code is missing, and none is made up."""
    documented = {*" ".join(CURRENT.values()).split(), *OLDER.split()}

    assert BUSINESS_CODES.keys() == documented


def test_every_kind_has_a_code() -> None:
    """A kind that no code has would be a branch nobody can reach."""
    assert {row.kind for row in BUSINESS_CODES.values()} == set(get_args(Kind))


def test_money_and_plans_are_never_worth_a_retry() -> None:
    """HTTP 429 invites retries; codes that mean money, plans or quotas must not."""
    retried = {row.kind for row in BUSINESS_CODES.values() if row.retryable}

    assert not retried & {"billing", "quota", "permission", "auth", "request", "policy"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            b'{"error":{"code":"1302","message":"m"}}',
            ErrorBody(error=ErrorDetail(code="1302", message="m")),
            id="plain",
        ),
        pytest.param(
            b'{"error":{"code":1302,"message":"m"},"request_id":"r","new":1}',
            ErrorBody(error=ErrorDetail(code=1302, message="m"), request_id="r"),
            id="numeric code, request id, unknown field",
        ),
        pytest.param(
            b'{"contentFilter":[{"level":1,"role":"user"}],"error":{"code":"1301","message":"m"}}',
            ErrorBody(
                error=ErrorDetail(code="1301", message="m"), content_filter=[ContentFilter(role="user", level=1)]
            ),
            id="moderation",
        ),
    ],
)
def test_error_body_is_read_in_every_shape_it_comes_in(body: bytes, expected: ErrorBody) -> None:
    """All recorded shapes of the body are understood."""
    assert msgspec.json.decode(body, type=ErrorBody) == expected
