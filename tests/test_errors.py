"""The taxonomy: what every leaf tells an SDK."""

import pytest

from gateway import errors
from gateway.errors import (
    CapacityError,
    ClientError,
    Fault,
    GatewayError,
    GatewayUnavailable,
    ModelNotFound,
    UpstreamError,
)

BRANCHES = (ClientError, CapacityError, UpstreamError)


def leaves(kind: type[GatewayError]) -> list[type[GatewayError]]:
    return [kind, *(leaf for child in kind.__subclasses__() for leaf in leaves(child))]


LEAVES = [
    leaf
    for leaf in leaves(GatewayError)
    if leaf not in (GatewayError, GatewayUnavailable, *BRANCHES) and leaf.__module__ == errors.__name__
]

FACTS = {
    "InvalidRequest": (400, "invalid_request_error", None, None),
    "ContentFiltered": (400, "invalid_request_error", "content_filter", None),
    "SessionExpired": (400, "invalid_request_error", "session_expired", None),
    "AuthenticationFailed": (401, "authentication_error", "invalid_api_key", None),
    "BodyTooSlow": (408, "invalid_request_error", "request_timeout", None),
    "ModelNotFound": (404, "invalid_request_error", "model_not_found", None),
    "RouteNotFound": (404, "invalid_request_error", "unknown_url", None),
    "ResponseNotFound": (404, "invalid_request_error", "response_not_found", None),
    "MethodNotAllowed": (405, "invalid_request_error", "method_not_allowed", None),
    "PayloadTooLarge": (413, "invalid_request_error", "request_too_large", None),
    "UnsupportedMediaType": (415, "invalid_request_error", "unsupported_media_type", None),
    "HttpInstead": (426, "invalid_request_error", "websocket_not_offered", None),
    "HeadersTooLarge": (431, "invalid_request_error", "headers_too_large", None),
    "NotOffered": (501, "invalid_request_error", "not_implemented", False),
    "RateLimited": (429, "rate_limit_error", "rate_limit_exceeded", True),
    "UpstreamRateLimited": (429, "rate_limit_error", "upstream_rate_limit_exceeded", True),
    "QuotaExhausted": (429, "insufficient_quota", "insufficient_quota", False),
    "Overloaded": (503, "server_error", "upstream_overloaded", True),
    "NoAccount": (503, "server_error", "no_account", True),
    "SlotsUnavailable": (503, "server_error", "slots_unavailable", True),
    "StoreUnavailable": (503, "server_error", "store_unavailable", True),
    "NoRoom": (503, "server_error", "no_room", True),
    "KeysUnavailable": (503, "server_error", "issuer_keys_unavailable", True),
    "SlotLost": (503, "server_error", "slot_lost", True),
    "Draining": (503, "server_error", "shutting_down", True),
    "UpstreamUnavailable": (502, "server_error", "upstream_unavailable", None),
    "UpstreamUnreachable": (502, "server_error", "upstream_unavailable", None),
    "UpstreamFailed": (502, "server_error", "upstream_error", None),
    "UpstreamTimeout": (504, "server_error", "upstream_timeout", None),
    "UpstreamProtocolError": (502, "server_error", "upstream_protocol_error", None),
    "UpstreamRejected": (502, "server_error", "upstream_account_rejected", False),
    "InvalidOutput": (502, "server_error", "invalid_structured_output", False),
}

OUTCOMES: dict[Fault, set[str]] = {
    "rejected": {"RateLimited"},
    "upstream_timeout": {"UpstreamTimeout"},
    "gateway_error": {"SlotsUnavailable", "StoreUnavailable", "NoRoom", "KeysUnavailable", "SlotLost", "Draining"},
}
"""Those that are not told by the branch: a client's errors are its own, all the others are GLM's."""


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_leaf_tells_what_sdks_branch_on(leaf: type[GatewayError]) -> None:
    """Status, type, code and whether to try again are part of the contract."""
    error = leaf("m")

    assert (error.status, error.type, error.code, error.should_retry) == FACTS[leaf.__name__]


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_leaf_tells_whose_fault_it_was(leaf: type[GatewayError]) -> None:
    """Alerts and dashboards count outcomes."""
    branch = "client_error" if issubclass(leaf, ClientError) else "upstream_error"
    expected = next((outcome for outcome, names in OUTCOMES.items() if leaf.__name__ in names), branch)

    assert expected == leaf.outcome


@pytest.mark.parametrize(
    "leaf", [leaf for leaf in LEAVES if leaf.status in (429, 503)], ids=lambda leaf: leaf.__name__
)
def test_caller_is_told_when_to_come_back(leaf: type[GatewayError]) -> None:
    """Every 429 and 503 has a `retry-after`, that of whoever raises it or what is usual."""
    usual, given = leaf("m").retry_after_seconds, leaf("m", retry_after_seconds=7).retry_after_seconds

    assert (True, 7) == (usual is not None and usual >= 1, given)


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_leaf_is_drawn_in_the_tree(leaf: type[GatewayError]) -> None:
    """The module's docstring shows the whole tree, or the part that a leaf refines."""
    assert errors.__doc__ is not None
    assert any(kind.__name__ in errors.__doc__ for kind in leaf.__mro__ if kind not in (GatewayError, *BRANCHES))


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_fault_is_told_by_the_status(leaf: type[GatewayError]) -> None:
    """A caller's fault is 4xx, or 501 for what there is not; GLM's is 5xx; no room alone is 429, or 503."""
    allowed = {
        ClientError: {*range(400, 429), 431, 501},
        CapacityError: (429, 503),
        UpstreamError: range(500, 600),
    }
    branch = next(branch for branch in BRANCHES if issubclass(leaf, branch))

    assert leaf.status in allowed[branch]


def test_own_code_wins_over_that_of_the_class() -> None:
    """A call site may know better."""
    assert errors.InvalidRequest("m", code="context_length_exceeded").code == "context_length_exceeded"
    assert ModelNotFound("m").param == "model"
