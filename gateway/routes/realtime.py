"""``GET /v1/realtime``: the WebSocket of a call, from its handshake to its close."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, TypedDict, TypeVar, cast

from litestar.types import Receive, Scope, Send

from gateway.auth import Caller
from gateway.auth.secrets import ClientSecrets
from gateway.catalog import Model
from gateway.errors import Draining, GatewayError, HttpInstead, InvalidRequest, RouteNotFound
from gateway.exchange import Exchange
from gateway.openai.realtime.session import Kind, SessionChange
from gateway.routes.handshake import (
    HTTP_PATHS,
    OPERATION,
    PATHS,
    TRANSCRIPTION,
    Handshake,
    kind_of,
    path_of,
)
from gateway.routes.middleware import marks_of, note_route, open_exchange
from gateway.routes.telling import HANDSHAKE, Told, told
from gateway.session import ClientGoneError, Session, SessionDesk, Take

SWITCHING_PROTOCOLS = 101
INTERNAL_ERROR = 1011
MAX_REASON_BYTES = 123
AT_ONCE = "websocket.at_once"

Result = TypeVar("Result")


class Sockets:
    """
    Serves WebSockets; everything that is wrong with a handshake is an HTTP answer with a body.

    A slot is taken before a handshake is accepted, and given back before it is closed.
    """

    def __init__(self, session_desk: SessionDesk, *, secrets: ClientSecrets) -> None:
        self._shared = session_desk
        self._secrets = secrets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        exchange = open_exchange(self._shared.desk, headers=scope["headers"])
        socket = Socket(receive, send, at_once=at_once_of(scope))
        try:
            await self._serve(scope, socket, exchange)
        except ClientGoneError:
            exchange.leave()
        except GatewayError as error:
            await refuse(send, told(exchange, error), exchange=exchange)
        except Exception as error:  # noqa: BLE001 - it is logged with what is told of it
            await socket.fail(exchange, told(exchange, error))
        finally:
            if exchange.record.span is not None:
                note_route(exchange.record, scope)
            exchange.close()

    async def _serve(self, scope: Scope, socket: "Socket", exchange: Exchange) -> None:
        await socket.expect_connect()
        path = path_of(scope)
        if path in HTTP_PATHS:
            raise HttpInstead("Responses are told over HTTP, not over a WebSocket: POST /v1/responses")
        if path not in PATHS:
            raise RouteNotFound("Unknown WebSocket address. Calls are at /v1/realtime.")
        exchange.record.operation = OPERATION
        handshake = Handshake(scope)
        caller, change = await self._authenticate(handshake, exchange)
        exchange.identify(caller)
        self._check_going_on()
        if "call_id" in handshake.query:
            raise InvalidRequest(
                "There are no WebRTC or SIP calls here, so none can be joined. Connect with '?model='.",
                param="call_id",
                code="unsupported_parameter",
            )
        named = handshake.query.get("model") or handshake.query.get("deployment")
        name = named or (change.model if change is not None and change.model else "")
        kind = kind_of(handshake, change)
        model = self._find(name, kind=kind, exchange=exchange, caller=caller)
        session = Session(self._shared, exchange)
        try:
            if kind == OPERATION:
                await socket.until_gone(session.open(model, caller=caller))
            first = session.prepare(
                model, kind=kind, caller=caller, asked_model=name, shape=handshake.shape, change=change
            )
            self._check_going_on()
            await socket.accept(subprotocol=handshake.subprotocol, headers=marks_of(exchange))
            exchange.record.status = SWITCHING_PROTOCOLS
            await session.run(socket, first)
        finally:
            await asyncio.shield(session.aclose())

    def _check_going_on(self) -> None:
        """Raise Draining when this process was told to stop: a call would be cut before anything is said."""
        if self._shared.is_draining():
            raise Draining("This gateway is shutting down. Connect again.")

    def _find(self, name: str, *, kind: Kind, exchange: Exchange, caller: Caller) -> Model:
        """Return the model of a call, or that which writes down where nothing else is wanted."""
        if kind == TRANSCRIPTION:
            found = exchange.terms.find_model(name, caller) if name else None
            if found is None or TRANSCRIPTION not in found.operations:
                name = self._shared.policy.translation.transcription_model
            return exchange.find(name, needs=TRANSCRIPTION, caller=caller)
        if not name:
            raise InvalidRequest(
                "Name the model in the address: /v1/realtime?model=glm-realtime.",
                param="model",
                code="missing_required_parameter",
            )
        return exchange.find(name, needs=OPERATION, caller=caller)

    async def _authenticate(self, handshake: Handshake, exchange: Exchange) -> tuple[Caller, SessionChange | None]:
        """Return who calls, and what its key brings with it."""
        if self._secrets.knows(handshake.credential):
            return self._secrets.read(handshake.credential)
        return await exchange.terms.authenticator.authenticate(handshake.headers), None


class AtOnce(TypedDict):
    """What a server offers beside ASGI: text is sent, and messages are taken, without waking a task for each."""

    is_ready: Callable[[], bool]
    write: Callable[[bytes], None]
    pour_into: Callable[[Take | None], None]


def at_once_of(scope: Scope) -> AtOnce | None:
    """Return the server's shorter way, None where it has none."""
    extensions: Any = scope.get("extensions") or {}
    return cast("AtOnce | None", extensions.get(AT_ONCE))


class Socket:
    """A client's end, as ASGI has it; ``at_once`` is the server's shorter way, None where it has none."""

    def __init__(self, receive: Receive, send: Send, *, at_once: AtOnce | None = None) -> None:
        self._receive = receive
        self._send = send
        self._at_once = at_once
        self._early: Any = None
        self._open = False

    async def expect_connect(self) -> None:
        """Wait for the handshake; raise ClientGoneError."""
        await self._next()

    async def until_gone(self, work: Awaitable[Result]) -> Result:
        """Return what ``work`` does; stop it, and raise ClientGoneError, if the client leaves before."""
        try:
            async with asyncio.TaskGroup() as tasks:
                watcher = tasks.create_task(self._hear_early())
                result = await work
                watcher.cancel()
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        return result

    async def accept(self, *, subprotocol: str | None, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Complete the handshake."""
        await self._put({"type": "websocket.accept", "subprotocol": subprotocol, "headers": headers})
        self._open = True

    @property
    def is_ready(self) -> bool:
        """Whether ``put`` may be called: there is such a way, and nothing to wait for."""
        return self._at_once is not None and self._at_once["is_ready"]()

    def put(self, data: bytes) -> None:
        """Send a text message at once; a client that has left is noticed by whoever receives."""
        assert self._at_once is not None  # noqa: S101 - is_ready tells
        self._at_once["write"](data)

    async def send(self, data: bytes) -> None:
        """Send a text message, and wait until there is room for it; raise ClientGoneError."""
        await self._put({"type": "websocket.send", "text": data.decode(), "bytes": None})

    async def receive(self, take: Take) -> str | bytes:
        """Return the next message that ``take``, which is offered each, does not take; raise ClientGoneError."""
        if self._at_once is None:
            message = await self._next()
        else:
            self._at_once["pour_into"](take)
            try:
                message = await self._next()
            finally:
                self._at_once["pour_into"](None)
        text: str | None = message.get("text")
        return text if text is not None else message.get("bytes") or b""

    async def close(self, *, code: int, reason: str) -> None:
        """Close it; a reason has to be short."""
        short = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
        await self._put({"type": "websocket.close", "code": code, "reason": short})

    async def fail(self, exchange: Exchange, answer: Told) -> None:
        """End it after a mistake of ours."""
        try:
            if self._open:
                await self.close(code=INTERNAL_ERROR, reason="internal_error")
            else:
                await refuse(self._send, answer, exchange=exchange)
        except ClientGoneError:
            return

    async def _hear_early(self) -> None:
        """Keep what a client says before it may, for ``receive``; raise ClientGoneError."""
        self._early = await self._next()

    async def _next(self) -> Any:
        message, self._early = self._early, None
        if message is None:
            message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise ClientGoneError(message.get("code") or 1005)
        return message

    async def _put(self, message: Any) -> None:
        try:
            await self._send(message)
        except OSError as error:
            raise ClientGoneError from error


async def refuse(send: Send, answer: Told, *, exchange: Exchange) -> None:
    """Answer a handshake with an error."""
    with suppress(OSError):
        await answer.send(send, beside=marks_of(exchange), kind=HANDSHAKE)
