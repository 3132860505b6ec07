"""GLM-Realtime's sockets: opened for one session each, and every refusal as one of our errors."""

import ssl
import time
from collections.abc import Callable, Mapping
from typing import Literal, cast

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus, InvalidURI

from gateway.errors import GatewayError, UpstreamProtocolError, UpstreamUnavailable, UpstreamUnreachable
from gateway.translate.errors import from_glm, read_error
from gateway.upstream.socket import GlmSocket, MessageConnection
from gateway.upstream.transport import trusting_context

Authorization = Literal["key", "jwt"]

PING_SECONDS = 20.0
PONG_SECONDS = 60.0
CLOSE_SECONDS = 2.0
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
JWT_SECONDS = 3600


class RealtimeUpstream:
    """
    Opens sockets to GLM-Realtime, for any of several accounts.

    ``api_keys`` by account name. ``authorization``: the key itself is sent, or a token that is signed with it.
    """

    def __init__(
        self,
        *,
        url: str,
        api_keys: Mapping[str, str],
        connect_seconds: float,
        authorization: Authorization = "key",
        now: Callable[[], float] = time.time,
    ) -> None:
        self._url = url
        self._api_keys = dict(api_keys)
        self._connect_seconds = connect_seconds
        self._authorization = authorization
        self._now = now
        self._ssl_context: ssl.SSLContext | None = None

    def use_keys(self, api_keys: Mapping[str, str]) -> None:
        """Use these keys from now on; accounts that are not among them keep theirs."""
        self._api_keys |= api_keys

    async def connect(self, *, account: str) -> GlmSocket:
        """Open a socket; raise UpstreamUnreachable, or GLM's own refusal."""
        try:
            connection = await connect(
                self._url,
                create_connection=MessageConnection,
                additional_headers={"Authorization": f"Bearer {self._credential(account)}"},
                user_agent_header="glm-gateway",
                ssl=self._ssl() if self._url.startswith("wss:") else None,
                proxy=None,
                compression=None,
                open_timeout=self._connect_seconds,
                ping_interval=PING_SECONDS,
                ping_timeout=PONG_SECONDS,
                close_timeout=CLOSE_SECONDS,
                max_size=MAX_MESSAGE_BYTES,
            )
            return GlmSocket(cast("MessageConnection", connection))
        except InvalidStatus as error:
            raise refusal(error) from error
        except TimeoutError as error:
            raise UpstreamUnreachable("GLM could not be reached in time. Ask again.") from error
        except ConnectionClosed as error:
            raise UpstreamUnreachable("GLM hung up before the handshake. Ask again.") from error
        except (InvalidHandshake, InvalidURI) as error:
            if isinstance(error, InvalidMessage) and isinstance(error.__cause__, EOFError):
                raise UpstreamUnreachable("GLM hung up in the handshake. Ask again.") from error
            raise UpstreamProtocolError("GLM's realtime address does not answer as a WebSocket.") from error
        except (OSError, EOFError) as error:
            raise UpstreamUnreachable("GLM could not be reached. Ask again.") from error

    def _credential(self, account: str) -> str:
        key = self._api_keys[account]
        key_id, dot, secret = key.partition(".")
        if self._authorization == "key" or not dot:
            return key
        import jwt  # noqa: PLC0415 - takes 0.09 s, which is not for who uses keys

        # The realtime page's own sample has `exp` in seconds, `timestamp` in milliseconds.
        now = self._now()
        claims = {"api_key": key_id, "exp": round(now) + JWT_SECONDS, "timestamp": round(now * 1000)}
        return jwt.encode(claims, secret, algorithm="HS256", headers={"sign_type": "SIGN"})

    def _ssl(self) -> ssl.SSLContext:
        if self._ssl_context is None:
            self._ssl_context = trusting_context()
        return self._ssl_context


def refusal(error: InvalidStatus) -> GatewayError:
    """Return the error for a handshake that GLM answered with something else."""
    response = error.response
    if response.status_code < 400:
        return UpstreamUnavailable("GLM's realtime address leads elsewhere.")
    return from_glm(read_error(bytes(response.body or b"")), http_status=response.status_code)


def status_of(error: GatewayError) -> int:
    """Return the HTTP status with which GLM refused a handshake, 0 when that is not what went wrong."""
    cause = error.__cause__
    return cause.response.status_code if isinstance(cause, InvalidStatus) else 0
