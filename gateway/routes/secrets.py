"""Keys for browsers, and what there is instead of WebRTC."""

from collections.abc import Callable
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from msgspec import Struct
from msgspec.json import encode

from gateway.auth.secrets import ClientSecrets
from gateway.catalog import RealtimeTraits
from gateway.errors import InvalidRequest, NotOffered
from gateway.routes.front import Front
from gateway.routes.middleware import exchange_of
from gateway.translate.realtime.config import Config
from gateway.translate.realtime.keys import Wish, read_beta, read_today, tell_beta, tell_today

OPERATION: Final = "realtime"


def secret_routes(front: Front, secrets: ClientSecrets, *, transcriber: str) -> list[HTTPRouteHandler]:
    """Return the companions of calls; ``transcriber`` is the model that writes down where no other is named."""
    issuer = SecretIssuer(front, secrets, transcriber=transcriber)

    @post(["/v1/realtime/client_secrets", "/realtime/client_secrets"], status_code=200, name="createClientSecret")
    async def create_client_secret(request: Request[Any, Any, Any]) -> Response[bytes]:
        return await issuer.issue(request, read_today, tell_today)

    @post(["/v1/realtime/sessions", "/realtime/sessions"], status_code=200, name="createRealtimeSession")
    async def create_session(request: Request[Any, Any, Any]) -> Response[bytes]:
        return await issuer.issue(request, lambda body: read_beta(body, transcription=False), tell_beta)

    @post(
        ["/v1/realtime/transcription_sessions", "/realtime/transcription_sessions"],
        status_code=200,
        name="createTranscriptionSession",
    )
    async def create_transcription_session(request: Request[Any, Any, Any]) -> Response[bytes]:
        return await issuer.issue(request, lambda body: read_beta(body, transcription=True), tell_beta)

    @post(
        ["/v1/realtime/calls", "/realtime/calls", "/v1/realtime", "/realtime"],
        status_code=200,
        name="createRealtimeCall",
    )
    async def create_call(request: Request[Any, Any, Any]) -> Response[bytes]:
        await front.authenticate(request.scope, operation=OPERATION)
        raise NotOffered(
            "GLM-Realtime has no WebRTC. Connect a WebSocket to /v1/realtime?model=glm-realtime instead; "
            "in a browser, choose the transport 'websocket'."
        )

    @get(["/v1/realtime", "/realtime"], name="realtime")
    async def explain(request: Request[Any, Any, Any]) -> Response[bytes]:
        await front.authenticate(request.scope, operation=OPERATION)
        raise InvalidRequest(
            "This address is a WebSocket: connect with ws:// or wss://, and '?model=glm-realtime'.",
            code="websocket_expected",
        )

    return [create_client_secret, create_session, create_transcription_session, create_call, explain]


class SecretIssuer:
    """Makes keys for browsers, each with the session that it is for; ``transcriber`` is as above."""

    def __init__(self, front: Front, secrets: ClientSecrets, *, transcriber: str) -> None:
        self._front = front
        self._secrets = secrets
        self._transcriber = transcriber

    async def issue(
        self, request: Request[Any, Any, Any], read: Callable[[bytes], Wish], tell: Callable[..., Struct]
    ) -> Response[bytes]:
        """Return the answer that tells a new key; ``read`` and ``tell`` are those of the shape asked for."""
        caller = await self._front.authenticate(request.scope, operation=OPERATION)
        wish = read(await self._front.read_json(request.scope, request.receive))
        name = wish.model(transcriber=self._transcriber)
        model = exchange_of(request.scope).find(name, needs=wish.kind, caller=caller)
        traits = model.realtime or RealtimeTraits()
        first = Config.first(model=model.id, asked_model=name, voices=traits.voices, voice=traits.default_voice)
        config = wish.config(first)
        kept = {**wish.kept(), "model": name}
        value, expires_at = self._secrets.make(caller, kept, seconds=wish.seconds)
        session_id = f"sess_{self._front.desk.new_id()}"
        told = tell(config, session_id=session_id, value=value, expires_at=expires_at)
        return Response(encode(told), media_type="application/json")
