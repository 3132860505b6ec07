"""The composition root: the only place that constructs. No request logic."""

import hmac
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from litestar import Litestar
from litestar.config.cors import CORSConfig
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from gateway.auth import Authenticator, IssuerKeys, KeyRing, SharedSecret
from gateway.auth.secrets import ClientSecrets
from gateway.catalog import Catalog, CatalogError
from gateway.errors import GatewayError, ModelNotFound
from gateway.exchange import Account, Desk, Policy, Terms, overview
from gateway.limits.health import Health
from gateway.limits.limiter import Limiter
from gateway.limits.memory import MemoryLimiter
from gateway.limits.redis import RedisLimiter
from gateway.metrics import Slots
from gateway.recall.link import Link
from gateway.recall.memory import MemoryRecall
from gateway.recall.recall import Recall
from gateway.recall.redis import RedisRecall
from gateway.record import Sink
from gateway.redis_client.address import AddressError
from gateway.redis_client.observer import RedisObserver
from gateway.routes.chat import chat_routes
from gateway.routes.completions import completion_routes
from gateway.routes.embeddings import embedding_routes
from gateway.routes.errors import HANDLERS
from gateway.routes.front import Front
from gateway.routes.health import health_routes
from gateway.routes.middleware import Edge
from gateway.routes.models import model_routes
from gateway.routes.realtime import Sockets
from gateway.routes.responses import Background, response_routes
from gateway.routes.secrets import secret_routes
from gateway.routes.shortcuts import Shortcuts, served_by
from gateway.routes.speech import speech_routes
from gateway.routes.transcriptions import transcription_routes
from gateway.routes.uploads import UploadLimits
from gateway.session import CallPolicy, SessionDesk
from gateway.session.sound import CallSound
from gateway.settings import Jwt, Settings, SettingsError
from gateway.translate.embeddings.endpoint import embeddings_endpoint
from gateway.translate.endpoint import Endpoint
from gateway.translate.realtime import Policy as RealtimePolicy
from gateway.translate.responses.endpoint import responses_endpoint
from gateway.translate.responses.sealing import Sealer
from gateway.translate.speech.endpoint import speech_endpoint
from gateway.translate.speech.voices import VOICES
from gateway.translate.transcriptions.endpoint import transcriptions_endpoint
from gateway.translate.transcriptions.translation import translations_endpoint
from gateway.upstream.http import Upstream
from gateway.upstream.realtime import RealtimeUpstream
from gateway.upstream.transport import KeptConnections
from gateway.upstream.wire import OverHttpx, Timeouts
from gateway.vocabularies import read_vocabulary

ID_BYTES = 16
IDS_AT_ONCE = 256
SECONDS_TO_SAY_GOODBYE = 2.0
BUILT_IN_CATALOG = Path(__file__).with_name("catalog.toml")


def load_catalog(settings: Settings) -> Catalog:
    """Return the built-in catalogue with the operator's rows, limits and aliases; raise SettingsError."""
    try:
        overrides = settings.models_file.read_text("utf-8") if settings.models_file is not None else None
    except (OSError, ValueError) as error:
        raise unusable(settings, f"models_file {settings.models_file} cannot be read: {error}.") from error
    try:
        catalog = Catalog.parse(
            BUILT_IN_CATALOG.read_text("utf-8"),
            overrides=overrides,
            limits=settings.limits,
            aliases=settings.aliases,
        )
    except CatalogError as error:
        raise unusable(settings, f"The catalogue cannot be used: {error}") from error
    if problems := [*unknown_models(settings, catalog=catalog)]:
        raise unusable(settings, *problems)
    return catalog


def unknown_models(settings: Settings, *, catalog: Catalog) -> Iterator[str]:
    """Say which models that the settings name do not exist."""
    owners = [
        *((f"tenant {tenant.name}", tenant.models) for tenant in settings.tenants),
        *((f"issuer {issuer.name} in [[jwt]]", issuer.models) for issuer in settings.jwt),
        ("audio.translation_model", (settings.audio.translation_model,)),
    ]
    for owner, models in owners:
        for model in models or ():
            try:
                catalog.resolve(model)
            except ModelNotFound as error:
                yield f"The models of {owner}: {error.message}"


def unusable(settings: Settings, *problems: str) -> SettingsError:
    return SettingsError(problems, files=settings.files)


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """
    The gateway: an ASGI application, and what can be changed in it while it answers.

    ``refuse`` is told of what is no HTTP request, so that it leaves a record too; it gives headers for the answer.
    """

    app: ASGIApp
    refuse: Callable[[GatewayError], Sequence[tuple[bytes, bytes]]]
    desk: Desk
    key_ring: KeyRing
    realtime: RealtimeUpstream

    def create_terms(self, settings: Settings) -> Terms:
        """Return what a changed configuration means for callers and accounts; raise SettingsError."""
        return create_terms(
            settings, catalog=load_catalog(settings), key_ring=self.key_ring, health=self.desk.health
        )

    def adopt(self, terms: Terms, settings: Settings) -> None:
        """Go by these terms from the next request on; what is under way ends as it began."""
        terms.succeed(self.desk.terms)
        self.desk.upstream.use_keys(api_keys(settings))
        self.realtime.use_keys(api_keys(settings))
        self.desk.health.forgive()
        self.desk.terms = terms

    def slots(self) -> Slots:
        """Return who holds and waits for slots now."""
        return overview(self.desk.limiter, terms=self.desk.terms, health=self.desk.health)


def create_terms(settings: Settings, *, catalog: Catalog, key_ring: KeyRing, health: Health) -> Terms:
    return Terms(
        catalog=catalog,
        authenticator=Authenticator(
            settings.tenants,
            model_id=lambda name: catalog.resolve(name).id,
            issuers=[(issuer, issuer_keys(issuer, key_ring=key_ring)) for issuer in settings.jwt],
        ),
        accounts=[Account(account.name, account.tier) for account in settings.accounts],
        health=health,
    )


def issuer_keys(issuer: Jwt, *, key_ring: KeyRing) -> IssuerKeys:
    if issuer.secret is not None:
        return SharedSecret(issuer.secret.reveal())
    return key_ring.published(issuer.jwks_url or "")


def api_keys(settings: Settings) -> dict[str, str]:
    return {account.name: account.api_key.reveal() for account in settings.accounts}


def create_app(settings: Settings, **rest: Any) -> ASGIApp:
    """Return the gateway as nothing but an ASGI application; see ``create_gateway``."""
    return create_gateway(settings, **rest).app


def create_gateway(
    settings: Settings,
    *,
    catalog: Catalog | None = None,
    sinks: Sequence[Sink] = (),
    is_draining: Callable[[], bool] = lambda: False,
    transport: httpx.AsyncBaseTransport | None = None,
    redis_observer: RedisObserver | None = None,
) -> Gateway:
    """
    Return the gateway.

    ``catalog`` None is read by the settings. ``transport`` None is the network; a test gives its own. ``sinks``
    get the record of every exchange, ``redis_observer`` is told of calls of Redis. Raises SettingsError for a
    catalogue, limit, alias or address that cannot be.
    """
    key_ring, health = KeyRing(), Health(time.perf_counter)
    terms = create_terms(settings, catalog=catalog or load_catalog(settings), key_ring=key_ring, health=health)
    upstream = Upstream(
        transport=KeptConnections() if transport is None else OverHttpx(transport),
        base_url=settings.upstream_url,
        api_keys=api_keys(settings),
        timeouts=Timeouts(
            connect_seconds=settings.upstream.connect_timeout_seconds,
            read_seconds=settings.upstream.read_timeout_seconds,
        ),
        max_answer_bytes=settings.upstream.max_answer_bytes,
    )
    link = create_link(settings, observer=redis_observer)
    memories = create_memories(settings, link=link)
    limiter = create_limiter(settings, observer=redis_observer)
    desk = create_desk(
        settings,
        terms=terms,
        limiter=limiter,
        upstream=upstream,
        health=health,
        memories=memories,
        sinks=sinks,
    )
    front = Front(desk, max_body_bytes=settings.max_body_bytes)
    responses = create_responses_endpoint(settings)
    background = Background(desk, responses)
    calls = create_session_desk(settings, desk=desk, is_draining=is_draining)
    client_secrets = create_secrets(settings)

    @asynccontextmanager
    async def stay_connected(_: Litestar) -> AsyncIterator[None]:
        closing_link = nullcontext() if link is None else aclosing(link)
        async with aclosing(upstream), aclosing(key_ring), aclosing(desk.limiter), closing_link:
            await desk.limiter.start()
            async with background:
                yield

    handlers = [
        *chat_routes(front),
        *completion_routes(front),
        *embedding_routes(front, create_embeddings_endpoint(settings)),
        *response_routes(front, responses, background),
        *create_transcription_routes(settings, front),
        *speech_routes(front, create_speech_endpoint(settings)),
        *model_routes(front),
        *secret_routes(front, client_secrets),
        *health_routes(is_draining),
    ]
    app = Litestar(
        route_handlers=handlers,
        exception_handlers=HANDLERS,
        cors_config=cors(settings),
        lifespan=[stay_connected],
        logging_config=None,
        openapi_config=None,
        request_max_body_size=settings.max_body_bytes,
    )
    # The framework answers browsers: the shorter way knows nothing of origins.
    served = {} if settings.cors_origins else served_by(handlers)
    inner, sockets = Shortcuts(app, served=served), Sockets(calls, secrets=client_secrets)
    edge = Edge(inner, desk=desk, sockets=sockets)
    return Gateway(app=edge, refuse=edge.refuse, desk=desk, key_ring=key_ring, realtime=calls.upstream)


def create_session_desk(settings: Settings, *, desk: Desk, is_draining: Callable[[], bool]) -> SessionDesk:
    realtime = settings.realtime
    return SessionDesk(
        desk=desk,
        upstream=RealtimeUpstream(
            url=settings.realtime_url,
            api_keys=api_keys(settings),
            connect_seconds=settings.upstream.connect_timeout_seconds,
            authorization=realtime.authorization,
        ),
        sound=CallSound(),
        policy=CallPolicy(
            translation=RealtimePolicy(typed_text=realtime.typed_text, turn_detection=realtime.turn_detection),
            queue_seconds=settings.realtime_queue_timeout_seconds,
            max_seconds=realtime.max_session_seconds,
            idle_seconds=realtime.idle_timeout_seconds,
            # Sessions are told why they end, which the server would not do at its own limit.
            drain_seconds=max(0.0, settings.drain_seconds - SECONDS_TO_SAY_GOODBYE),
        ),
        is_draining=is_draining,
    )


def create_secrets(settings: Settings) -> ClientSecrets:
    """Return who makes keys for browsers, which every replica with the same configuration understands."""
    own = settings.realtime.client_secret_key
    if own is not None:
        return ClientSecrets(own.reveal())
    keys = "\n".join(sorted(api_keys(settings).values()))
    return ClientSecrets(hmac.digest(keys.encode(), b"client secrets", "sha256").hex())


def create_embeddings_endpoint(settings: Settings) -> Endpoint[bytes]:
    embeddings = settings.embeddings
    return embeddings_endpoint(
        find_vocabulary=read_vocabulary,
        dimensions_mode=embeddings.dimensions_mode,
        remembers=embeddings.cache_seconds > 0,
    )


def create_responses_endpoint(settings: Settings) -> Endpoint[bytes]:
    responses = settings.responses
    return responses_endpoint(
        Sealer(seal_secret(settings)), keeps=bool(responses.store_seconds and responses.store_bytes)
    )


def seal_secret(settings: Settings) -> bytes:
    """Return what all replicas of one configuration seal with; one of this process where there is no secret."""
    if settings.responses.seal_secret is not None:
        return settings.responses.seal_secret.reveal().encode()
    keys = sorted(api_keys(settings).values())
    return "\n".join(keys).encode() if keys else os.urandom(32)


def create_transcription_routes(settings: Settings, front: Front) -> list[HTTPRouteHandler]:
    audio = settings.audio
    return transcription_routes(
        front,
        transcriptions=transcriptions_endpoint(slots_per_upload=audio.slots_per_upload),
        translations=translations_endpoint(
            slots_per_upload=audio.slots_per_upload,
            find_translator=lambda: front.desk.terms.catalog.resolve(audio.translation_model),
        ),
        limits=UploadLimits(
            max_bytes=audio.max_upload_bytes,
            max_seconds=audio.max_seconds,
            max_work_seconds=audio.max_work_seconds,
        ),
    )


def create_link(settings: Settings, *, observer: RedisObserver | None) -> Link | None:
    """Return the way to the Redis where texts are remembered for all replicas, None if there is none."""
    if settings.redis.url is None:
        return None
    try:
        return Link.create(settings.redis.url.reveal(), observer=observer)
    except AddressError as error:
        raise unusable(settings, f"redis.url: {error}") from None


def create_memories(settings: Settings, *, link: Link | None) -> dict[str, Recall]:
    """Return where each operation keeps what later requests may ask for, by its name."""
    chat, embeddings, responses = settings.chat, settings.embeddings, settings.responses
    bounds = {
        "chat": (chat.reasoning_memory_seconds, chat.reasoning_memory_bytes),
        "embeddings": (embeddings.cache_seconds, embeddings.cache_bytes),
        "responses": (responses.store_seconds, responses.store_bytes),
    }
    return {
        memory: MemoryRecall(seconds=seconds, max_bytes=max_bytes)
        if link is None or not seconds or not max_bytes
        else RedisRecall(link, memory=memory, seconds=seconds)
        for memory, (seconds, max_bytes) in bounds.items()
    }


def create_speech_endpoint(settings: Settings) -> Endpoint[bytes]:
    return speech_endpoint(voices=VOICES if settings.speech.voices is None else settings.speech.voices)


def create_desk(
    settings: Settings,
    *,
    terms: Terms,
    limiter: Limiter,
    upstream: Upstream,
    health: Health,
    memories: Mapping[str, Recall],
    sinks: Sequence[Sink],
) -> Desk:
    chat = settings.chat
    return Desk(
        terms=terms,
        limiter=limiter,
        health=health,
        upstream=upstream,
        memories=memories,
        policy=Policy(
            queue_timeout_seconds=settings.queue_timeout_seconds,
            heartbeat_seconds=chat.heartbeat_seconds,
            disconnect_grace_seconds=chat.drain_cap_seconds if chat.on_disconnect == "drain" else 0.0,
            max_retries=settings.upstream.max_retries,
            stop_on_lost_lease=settings.on_lost_lease == "stop",
        ),
        sinks=sinks,
        clock=time.perf_counter,
        now=time.time,
        new_id=ids().__next__,
        jitter=random.random,
    )


def ids() -> Iterator[str]:
    """Yield unguessable ids of 32 hex digits; the system is asked for many at a time, as each call of it costs."""
    while True:
        entropy = os.urandom(ID_BYTES * IDS_AT_ONCE)
        for start in range(0, len(entropy), ID_BYTES):
            yield entropy[start : start + ID_BYTES].hex()


def create_limiter(settings: Settings, *, observer: RedisObserver | None) -> Limiter:
    """Return the limiter of this process alone, or one that shares with others through Redis."""
    if settings.redis.url is None:
        return MemoryLimiter(queue_size=settings.queue_size)
    try:
        return RedisLimiter.create(
            settings.redis.url.reveal(),
            queue_size=settings.queue_size,
            lease_seconds=settings.lease_seconds,
            on_outage=settings.redis.on_outage,
            observer=observer,
        )
    except AddressError as error:
        raise unusable(settings, f"redis.url: {error}") from None


def cors(settings: Settings) -> CORSConfig | None:
    """Return the rules for browsers, None when no origin is allowed; SDKs send headers of their own."""
    if not settings.cors_origins:
        return None
    return CORSConfig(
        allow_origins=list(settings.cors_origins),
        allow_headers=["*"],
        allow_methods=["GET", "POST", "DELETE"],
        expose_headers=["x-request-id", "x-gateway-cache", "x-gateway-ignored", "retry-after"],
    )
