"""The errors of the contract file: for each status the codes that it may come with, as the taxonomy has them."""

import inspect
from copy import deepcopy
from http import HTTPStatus
from typing import Any, Final

from gateway import errors
from gateway.errors import GatewayError

INTERNAL: Final = ("internal_error", "The gateway made a mistake. Its log has more under request id req_1.")
EXAMPLES: Final[dict[type[GatewayError], tuple[str, str | None]]] = {
    errors.InvalidRequest: ("'temperature' must be a number from 0 to 2.", "temperature"),
    errors.AuthenticationFailed: ("Incorrect API key: no tenant of this gateway has it.", None),
    errors.ModelNotFound: ("There is no model 'glm-9'. GET /v1/models lists those there are.", "model"),
    errors.RouteNotFound: ("There is nothing at POST /v1/chats.", None),
    errors.ResponseNotFound: ("Nothing is kept under the id 'resp_1'.", None),
    errors.MethodNotAllowed: ("/v1/embeddings takes POST.", None),
    errors.BodyTooSlow: ("The rest of the body did not arrive within 30 s.", None),
    errors.PayloadTooLarge: ("The body is larger than 64 MiB.", None),
    errors.UnsupportedMediaType: (
        "Send the body as JSON, with the header 'Content-Type: application/json'.",
        None,
    ),
    errors.HttpInstead: ("Responses are told over HTTP, not over a WebSocket: POST /v1/responses", None),
    errors.HeadersTooLarge: ("The headers are larger than 64 KiB.", None),
    errors.NotOffered: ("GLM-Realtime has no WebRTC. Connect a WebSocket to /v1/realtime instead.", None),
    errors.ContentFiltered: ("GLM's moderation refused the input (GLM 1301).", None),
    errors.RateLimited: ("All 5 slots of your tier are in use. Try again shortly.", None),
    errors.UpstreamRateLimited: ("GLM answers that there is too much at once (GLM 1302).", None),
    errors.Overloaded: ("The model is overloaded; try again later (GLM 1305).", None),
    errors.QuotaExhausted: ("The gateway's account at Zhipu has no balance (GLM 1113).", None),
    errors.NoAccount: ("No account serves 'glm-4.7' at the moment.", None),
    errors.SlotsUnavailable: ("Slots cannot be counted at the moment. Try again shortly.", None),
    errors.StoreUnavailable: ("What was kept cannot be looked up at the moment. Try again shortly.", None),
    errors.NoRoom: ("The gateway has no room for the upload at the moment. Try again shortly.", None),
    errors.SlotLost: ("The slot of this request was given to others. Try again shortly.", None),
    errors.Draining: ("This process is shutting down. Try again.", None),
    errors.KeysUnavailable: ("The token cannot be verified at the moment: its issuer's keys cannot be had.", None),
    errors.UpstreamUnavailable: ("GLM cannot be reached.", None),
    errors.UpstreamFailed: ("GLM failed (GLM 500).", None),
    errors.UpstreamTimeout: ("GLM did not answer in time.", None),
    errors.UpstreamProtocolError: ("GLM's answer cannot be read.", None),
    errors.UpstreamRejected: ("GLM refuses the gateway's account; its operator has to act (GLM 1000).", None),
    errors.InvalidOutput: ("The answer does not match the schema: 'city' is missing.", None),
}
"""A message of each, and the field at fault. Those of the gateway say more."""

RENAMED = {413: "Content Too Large", 422: "Unprocessable Content"}
"""What RFC 9110 calls statuses, and Python from 3.13 on."""


def by_status() -> dict[int, list[type[GatewayError]]]:
    """Return the classes by their status, in the order of statuses."""
    found: dict[int, list[type[GatewayError]]] = {}
    for kind in EXAMPLES:
        found.setdefault(kind.status, []).append(kind)
    return dict(sorted(found.items()))


def name_of(status: int) -> str:
    """Return the name of the response that all operations share for a status, the same on every Python."""
    phrase = RENAMED.get(status, HTTPStatus(status).phrase)
    return "".join(word.capitalize() for word in phrase.replace("-", " ").split())


def reference(status: int) -> dict[str, Any]:
    return {"$ref": f"#/components/responses/{name_of(status)}"}


def components(headers: dict[str, Any]) -> dict[str, Any]:
    """Return the shared responses; ``headers`` are those of every error."""
    shared = {name_of(status): _response(kinds, headers) for status, kinds in by_status().items()}
    code, message = INTERNAL
    told = {"message": message, "type": "server_error", "param": None, "code": code}
    failed = _content({code: {"value": {"error": told}}})
    return {
        **shared,
        name_of(500): {"description": "A fault of the gateway's.", "headers": deepcopy(headers), **failed},
    }


def _response(kinds: list[type[GatewayError]], headers: dict[str, Any]) -> dict[str, Any]:
    said = "\n".join(
        f"- `{kind.default_code or 'null, or what is wrong in one word'}`: {_when(kind)}" for kind in kinds
    )
    examples = {kind.default_code or kind.type: {"value": {"error": _body(kind)}} for kind in kinds}
    return {"description": said, "headers": deepcopy(headers), **_content(examples)}


def _content(examples: dict[str, Any]) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ErrorResponse"}
    return {"content": {"application/json": {"schema": schema, "examples": examples}}}


def _body(kind: type[GatewayError]) -> dict[str, Any]:
    message, param = EXAMPLES[kind]
    return {"message": message, "type": kind.type, "param": param, "code": kind.default_code}


def _when(kind: type[GatewayError]) -> str:
    first = (inspect.getdoc(kind) or "").split("\n\n")[0].replace("\n", " ")
    return first.removeprefix("Raised ")
