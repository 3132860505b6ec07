"""
The taxonomy: every error whose text may reach a caller, sorted by whose fault it is.

GatewayError
├── ClientError            the caller's request
│   ├── InvalidRequest         400  malformed, out of range, or not to be had from GLM
│   ├── AuthenticationFailed   401  no key, or one we do not know
│   ├── ModelNotFound          404  no such model, or not for this caller
│   ├── RouteNotFound          404  no such address
│   ├── ResponseNotFound       404  no such stored response, or not this caller's
│   ├── MethodNotAllowed       405  the address exists, the method does not
│   ├── BodyTooSlow            408  the rest of a body does not come
│   ├── PayloadTooLarge        413  body over the limit
│   ├── UnsupportedMediaType   415  a body that is not what the route takes
│   ├── HttpInstead            426  a WebSocket where HTTP alone serves
│   ├── HeadersTooLarge        431  headers over the limit
│   ├── NotOffered             501  something of OpenAI's that GLM has no counterpart of
│   ├── SessionExpired         400  a realtime session that has lasted as long as it may
│   └── ContentFiltered        400  GLM's moderation refused the input
├── CapacityError          nobody's fault, try later
│   ├── RateLimited            429  no slot came free: the caller's tier is full, or the gateway's accounts are
│   ├── UpstreamRateLimited    429  GLM says there is too much at once
│   ├── Overloaded             503  the model has no room for anybody
│   ├── QuotaExhausted         429  GLM's account cannot pay; waiting does not help
│   ├── NoAccount              503  no account serves the model at the moment
│   └── GatewayUnavailable     503  what is missing is the gateway's own
│       ├── SlotsUnavailable       slots cannot be counted at the moment
│       ├── StoreUnavailable       what was kept cannot be looked up at the moment
│       ├── NoRoom                 the disk that takes uploads is full
│       ├── KeysUnavailable        an issuer's keys cannot be had at the moment
│       ├── SlotLost               the slot was given to others while it was used
│       └── Draining               this process is shutting down
└── UpstreamError          GLM's fault, or ours for how we reach it
    ├── UpstreamUnavailable    502  no connection, or it broke
    ├── UpstreamFailed         502  GLM answered with an error of its own
    ├── UpstreamTimeout        504  GLM did not answer in time
    ├── UpstreamProtocolError  502  an answer we cannot read
    ├── UpstreamRejected       502  GLM refuses our account, not the caller
    └── InvalidOutput          502  the model did not keep to the schema it was given

Imports nothing of ours. Anything that is not a GatewayError is shown as "internal error".
"""

from typing import ClassVar, Literal

Fault = Literal["client_error", "rejected", "upstream_error", "upstream_timeout", "gateway_error"]
"""The outcomes of exchanges that fail, by whose fault it was."""


class GatewayError(Exception):
    """
    An error that a caller may read.

    ``message`` says what was wrong and what would be right, and never holds a key, a prompt or audio.
    ``param`` names the request field at fault, None when no field is. ``retry_after_seconds`` says when to come
    back: as given, else what is usual for its kind, None where there is no such time. ``should_retry`` None leaves
    it to the client's own rules.
    ``glm_code`` is Zhipu's business code when one caused this, None otherwise. ``resets_at`` is when a quota comes
    back, as Zhipu wrote it, by Beijing's clock; None when it did not. ``outcome`` is what
    the record of an exchange says that ended with this.
    """

    status: ClassVar[int] = 500
    outcome: ClassVar[Fault] = "gateway_error"
    type: ClassVar[str] = "server_error"
    default_code: ClassVar[str | None] = None
    should_retry: ClassVar[bool | None] = None
    usual_retry_after_seconds: ClassVar[float | None] = None

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after_seconds: float | None = None,
        glm_code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code if code is not None else self.default_code
        self.retry_after_seconds = (
            retry_after_seconds if retry_after_seconds is not None else self.usual_retry_after_seconds
        )
        self.glm_code = glm_code
        self.resets_at: str | None = None


class ClientError(GatewayError):
    """The caller's request is at fault; sending it again unchanged gives the same answer."""

    status = 400
    outcome = "client_error"
    type = "invalid_request_error"


class InvalidRequest(ClientError):
    """Raised when a request is malformed, out of range, or asks what GLM cannot do."""


class AuthenticationFailed(ClientError):
    """Raised when a request carries no key, or one that no tenant has."""

    status = 401
    type = "authentication_error"
    default_code = "invalid_api_key"


class ModelNotFound(ClientError):
    """Raised when a model name means nothing here, or nothing to this caller."""

    status = 404
    default_code = "model_not_found"

    def __init__(self, message: str, *, param: str | None = "model") -> None:
        super().__init__(message, param=param)


class RouteNotFound(ClientError):
    """Raised when no route has the address."""

    status = 404
    default_code = "unknown_url"


class ResponseNotFound(ClientError):
    """Raised when nothing is kept under the id of a response or item, or not for this caller."""

    status = 404
    default_code = "response_not_found"


class MethodNotAllowed(ClientError):
    """Raised when a route exists but does not take the method."""

    status = 405
    default_code = "method_not_allowed"


class BodyTooSlow(ClientError):
    """Raised when the rest of a body does not arrive."""

    status = 408
    default_code = "request_timeout"


class PayloadTooLarge(ClientError):
    """Raised when a body is larger than the configured limit."""

    status = 413
    default_code = "request_too_large"


class UnsupportedMediaType(ClientError):
    """Raised when the content type or encoding of a body is not what the route takes."""

    status = 415
    default_code = "unsupported_media_type"


class HttpInstead(ClientError):
    """Raised when a WebSocket is asked for where HTTP alone serves; clients that know both may go on with that."""

    status = 426
    default_code = "websocket_not_offered"


class HeadersTooLarge(ClientError):
    """Raised when the headers of a request are larger than the configured limit."""

    status = 431
    default_code = "headers_too_large"


class NotOffered(ClientError):
    """Raised for a route of OpenAI's that there is nothing behind, to say what there is instead."""

    status = 501
    default_code = "not_implemented"
    should_retry = False


class SessionExpired(ClientError):
    """Raised when a session has lasted as long as it may, or its client has been silent for too long."""

    default_code = "session_expired"


class ContentFiltered(ClientError):
    """Raised when GLM's moderation refuses the input (business code 1301)."""

    default_code = "content_filter"


class CapacityError(GatewayError):
    """There is no room at the moment; nobody did anything wrong."""

    status = 429
    outcome: ClassVar[Fault] = "upstream_error"
    type = "rate_limit_error"
    default_code = "rate_limit_exceeded"
    should_retry = True
    usual_retry_after_seconds = 1.0


class RateLimited(CapacityError):
    """
    Raised when a caller gets no slot: of its tier or of the gateway's accounts, as the message says.

    The code says why: ``rate_limit_exceeded`` after a wait, ``queue_full`` and ``wait_too_long`` without one.
    ``position`` is the place in line that it had on arrival, 0 when it had none.
    """

    outcome = "rejected"
    position = 0


class UpstreamRateLimited(CapacityError):
    """Raised when GLM itself answers that there is too much at once."""

    default_code = "upstream_rate_limit_exceeded"


class Overloaded(CapacityError):
    """Raised when GLM answers that the model is overloaded (business codes 1305 and 1312)."""

    status = 503
    type = "server_error"
    default_code = "upstream_overloaded"


class QuotaExhausted(CapacityError):
    """
    Raised when our account at Zhipu has no balance, plan or quota left; a retry cannot help.

    ``retry_after_seconds`` is when the account is tried again, in case that somebody has paid.
    """

    type = "insufficient_quota"
    default_code = "insufficient_quota"
    should_retry = False
    usual_retry_after_seconds = 60.0


class NoAccount(CapacityError):
    """Raised when every account at Zhipu is set aside for a model."""

    status = 503
    type = "server_error"
    default_code = "no_account"


class GatewayUnavailable(CapacityError):
    """The gateway itself, or something that it leans on, cannot serve at the moment."""

    status = 503
    outcome = "gateway_error"
    type = "server_error"


class SlotsUnavailable(GatewayUnavailable):
    """Raised when whoever counts shared slots cannot be reached, and none are given out without."""

    default_code = "slots_unavailable"


class StoreUnavailable(GatewayUnavailable):
    """Raised when what was kept for a caller cannot be reached, so that nobody can tell whether it is there."""

    default_code = "store_unavailable"


class NoRoom(GatewayUnavailable):
    """Raised when what is uploaded cannot be written to the gateway's disk."""

    default_code = "no_room"


class KeysUnavailable(GatewayUnavailable):
    """Raised when a token cannot be verified because its issuer's keys cannot be had."""

    default_code = "issuer_keys_unavailable"


class SlotLost(GatewayUnavailable):
    """Raised when this process could not renew the slot of what it was doing, so that others may have it."""

    default_code = "slot_lost"


class Draining(GatewayUnavailable):
    """Raised for work that this process was told to stop before it could finish."""

    default_code = "shutting_down"


class UpstreamError(GatewayError):
    """GLM failed, or cannot be reached from here."""

    status = 502
    outcome: ClassVar[Fault] = "upstream_error"
    type = "server_error"


class UpstreamUnavailable(UpstreamError):
    """Raised when GLM cannot be reached, or the connection broke before the answer was whole."""

    default_code = "upstream_unavailable"


class UpstreamUnreachable(UpstreamUnavailable):
    """Raised when no connection to GLM came about, so that nothing was sent and all can be tried again."""


class UpstreamFailed(UpstreamError):
    """Raised when GLM answers with a failure of its own (500, 1200, 1230, 1234, ``network_error``)."""

    default_code = "upstream_error"


class UpstreamTimeout(UpstreamError):
    """Raised when GLM does not answer, or falls silent, for longer than the configured time."""

    status = 504
    outcome = "upstream_timeout"
    default_code = "upstream_timeout"


class UpstreamProtocolError(UpstreamError):
    """Raised when GLM's answer is not what its documentation says, so that it cannot be read."""

    default_code = "upstream_protocol_error"


class UpstreamRejected(UpstreamError):
    """Raised when GLM refuses our account: its key, its state or its rights. The operator has to act."""

    default_code = "upstream_account_rejected"
    should_retry = False


class InvalidOutput(UpstreamError):
    """Raised when the model's answer does not match the JSON schema it was asked to keep."""

    default_code = "invalid_structured_output"
    should_retry = False
