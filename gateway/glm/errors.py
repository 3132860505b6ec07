"""
Zhipu's business codes and the body that carries them. Data only: what a code means to a caller is decided in
``translate``.

Source: docs.bigmodel.cn/cn/api/api-code (read 2026-07-11). Codes that only its older editions list
(docs.z.ai/api-reference/api-code) are kept, because servers and proxies still send them.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from gateway.glm.chat import ErrorDetail

Kind = Literal[
    "auth",
    "account",
    "billing",
    "request",
    "model_not_found",
    "context_length",
    "permission",
    "gone",
    "network",
    "policy",
    "rate_limit",
    "quota",
    "overload",
    "internal",
    "search",
]


class BusinessCode(Struct, frozen=True):
    """
    One row of Zhipu's table.

    ``http_status`` is what the code travels with; 429 alone says little, as it covers concurrency, money and
    plans alike. ``kind`` sorts codes by what can be done about them. ``meaning`` is Zhipu's, in English.
    ``retryable`` says that the same request, sent again soon, may succeed. ``bars`` is what the account that got
    it is of no use for until something changes: nothing, this model, or any.
    """

    code: str
    http_status: int
    kind: Kind
    meaning: str
    retryable: bool = False
    bars: Literal["nothing", "model", "account"] = "nothing"


class ContentFilter(Struct, frozen=True, kw_only=True):
    """Which part of a conversation was found sensitive; ``level`` 0 is the most severe, 3 the least."""

    role: str | UnsetType = UNSET
    level: int | UnsetType = UNSET


class ErrorBody(Struct, frozen=True, kw_only=True, rename={"content_filter": "contentFilter"}):
    """The body of every answer that is not a success; ``content_filter`` comes with code 1301."""

    error: ErrorDetail
    request_id: str | UnsetType = UNSET
    content_filter: list[ContentFilter] | UnsetType = UNSET


# Older editions give no HTTP status for 1100, 1110-1121, 1231, 1300 and 1701-1703; theirs is that of their
# neighbours (the FAQ counts locked and suspended accounts under 429).
# 1113 bars the model alone: free models, and those with a resource package of their own, go on answering.
ROWS = (
    BusinessCode("500", 500, "internal", "internal error", retryable=True),
    BusinessCode("1000", 401, "auth", "authentication failed", bars="account"),
    BusinessCode("1001", 401, "auth", "the Authorization header is missing", bars="account"),
    BusinessCode("1002", 401, "auth", "the authentication token is not valid", bars="account"),
    BusinessCode("1003", 401, "auth", "the authentication token has expired", bars="account"),
    BusinessCode("1004", 401, "auth", "the authentication token could not be verified", bars="account"),
    BusinessCode("1005", 401, "auth", "the account is protected by a second factor", bars="account"),
    BusinessCode("1100", 401, "account", "the account could not be read or written"),
    BusinessCode("1110", 429, "account", "the account is inactive", bars="account"),
    BusinessCode("1111", 429, "account", "the account does not exist", bars="account"),
    BusinessCode("1112", 429, "account", "the account is locked", bars="account"),
    BusinessCode("1113", 429, "billing", "the account has no balance and no resource package", bars="model"),
    BusinessCode("1120", 429, "account", "the account cannot be reached at the moment", retryable=True),
    BusinessCode("1121", 429, "account", "the account is locked for a violation of the rules", bars="account"),
    BusinessCode("1200", 500, "internal", "the API call failed", retryable=True),
    BusinessCode("1210", 400, "request", "the parameters of the call are wrong"),
    BusinessCode("1211", 400, "model_not_found", "the model does not exist"),
    BusinessCode("1212", 400, "request", "the model does not support this way of calling it"),
    BusinessCode("1213", 400, "request", "a required parameter is missing"),
    BusinessCode("1214", 400, "request", "a parameter is not valid"),
    BusinessCode("1215", 400, "request", "two parameters exclude each other"),
    BusinessCode("1220", 403, "permission", "the account may not use this API", bars="model"),
    BusinessCode("1221", 400, "gone", "the API has been taken offline"),
    BusinessCode("1222", 400, "gone", "the API does not exist"),
    BusinessCode("1230", 500, "internal", "the call went wrong on its way through the platform", retryable=True),
    BusinessCode("1231", 400, "request", "there already is a request with this request_id"),
    BusinessCode("1234", 500, "network", "network error inside the platform", retryable=True),
    BusinessCode("1261", 400, "context_length", "the prompt is longer than the model's context"),
    BusinessCode("1300", 400, "policy", "the call was blocked by policy"),
    BusinessCode("1301", 400, "policy", "the input or output may be unsafe or sensitive"),
    BusinessCode("1302", 429, "rate_limit", "too many requests of the account are in flight", retryable=True),
    BusinessCode("1303", 429, "rate_limit", "the account calls too frequently", retryable=True),
    BusinessCode("1304", 429, "quota", "the API's calls for today are used up", bars="model"),
    BusinessCode("1305", 429, "overload", "the model is overloaded", retryable=True),
    BusinessCode(
        "1308",
        429,
        "quota",
        "the quota of the period is used up; the message names its reset time",
        bars="account",
    ),
    BusinessCode("1309", 429, "billing", "the coding plan has expired", bars="account"),
    BusinessCode(
        "1310",
        429,
        "quota",
        "the weekly or monthly quota is used up; the message names its reset time",
        bars="account",
    ),
    BusinessCode("1311", 429, "permission", "the plan does not include the model", bars="model"),
    BusinessCode("1312", 429, "overload", "the model is overloaded; the message names another", retryable=True),
    BusinessCode("1313", 429, "rate_limit", "the account is throttled for unfair use", bars="account"),
    BusinessCode("1314", 429, "billing", "the enterprise plan is no longer valid", bars="account"),
    BusinessCode("1315", 429, "permission", "the key is only for the enterprise coding plan", bars="account"),
    BusinessCode(
        "1316", 429, "quota", "the 5-hour quota is used up, and the main account has no balance", bars="account"
    ),
    BusinessCode(
        "1317", 429, "quota", "the 7-day quota is used up, and the main account has no balance", bars="account"
    ),
    BusinessCode(
        "1318", 429, "quota", "the 5-hour quota and the sub-account's monthly cap are used up", bars="account"
    ),
    BusinessCode(
        "1319", 429, "quota", "the 7-day quota and the sub-account's monthly cap are used up", bars="account"
    ),
    BusinessCode(
        "1320", 429, "quota", "the 5-hour quota and the enterprise's monthly cap are used up", bars="account"
    ),
    BusinessCode(
        "1321", 429, "quota", "the 7-day quota and the enterprise's monthly cap are used up", bars="account"
    ),
    BusinessCode("1701", 429, "search", "too many web searches at once", retryable=True),
    BusinessCode("1702", 400, "search", "no search engine is available to the account"),
    BusinessCode("1703", 400, "search", "the search engine found nothing"),
)

BUSINESS_CODES: Mapping[str, BusinessCode] = {row.code: row for row in ROWS}
"""Zhipu's whole table by code."""
