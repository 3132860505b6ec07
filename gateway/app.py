"""The composition root: the only place that constructs. No request logic."""

import random
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from litestar import Litestar
from litestar.config.cors import CORSConfig
from litestar.types import ASGIApp

from gateway.auth import Authenticator
from gateway.catalog import Catalog
from gateway.exchange import Desk, Policy
from gateway.exchange.desk import Account
from gateway.limits.memory import MemoryLimiter
from gateway.recall import MemoryRecall
from gateway.record import Sink
from gateway.routes.chat import chat_routes
from gateway.routes.errors import HANDLERS
from gateway.routes.front import Front
from gateway.routes.health import health_routes
from gateway.routes.middleware import Edge
from gateway.routes.models import model_routes
from gateway.settings import Settings
from gateway.upstream.http import Timeouts, Upstream
from gateway.upstream.transport import KeptConnections

BUILT_IN_CATALOG = Path(__file__).with_name("catalog.toml")


def load_catalog(settings: Settings) -> Catalog:
    """Return the built-in catalogue with the operator's rows, limits and aliases; raise CatalogError."""
    overrides = settings.models_file.read_text("utf-8") if settings.models_file is not None else None
    return Catalog.parse(
        BUILT_IN_CATALOG.read_text("utf-8"),
        overrides=overrides,
        limits=settings.limits,
        aliases=settings.aliases,
    )


def create_app(
    settings: Settings,
    *,
    catalog: Catalog | None = None,
    sinks: Sequence[Sink] = (),
    is_draining: Callable[[], bool] = lambda: False,
    transport: httpx.AsyncBaseTransport | None = None,
) -> ASGIApp:
    """
    Return the gateway as an ASGI application.

    ``catalog`` None is read by the settings. ``transport`` None is the network; a test gives its own. ``sinks``
    get the record of every exchange. Raises CatalogError for a catalogue, limit or alias that cannot be.
    """
    catalog = catalog or load_catalog(settings)
    upstream = Upstream(
        transport=transport or KeptConnections(),
        base_url=settings.upstream_url,
        api_keys={account.name: account.api_key.reveal() for account in settings.accounts},
        timeouts=Timeouts(
            connect_seconds=settings.upstream.connect_timeout_seconds,
            read_seconds=settings.upstream.read_timeout_seconds,
        ),
        max_answer_bytes=settings.upstream.max_answer_bytes,
    )
    desk = create_desk(settings, catalog=catalog, upstream=upstream, sinks=sinks)
    front = Front(
        desk,
        authenticator=Authenticator(settings.tenants, model_id=lambda name: catalog.resolve(name).id),
        max_body_bytes=settings.max_body_bytes,
    )

    @asynccontextmanager
    async def close_upstream(_: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await upstream.aclose()

    app = Litestar(
        route_handlers=[*chat_routes(front), *model_routes(front), *health_routes(is_draining)],
        exception_handlers=HANDLERS,
        cors_config=cors(settings),
        lifespan=[close_upstream],
        logging_config=None,
        openapi_config=None,
        request_max_body_size=settings.max_body_bytes,
    )
    return Edge(app, clock=desk.clock, new_id=desk.new_id)


def create_desk(settings: Settings, *, catalog: Catalog, upstream: Upstream, sinks: Sequence[Sink]) -> Desk:
    chat = settings.chat
    return Desk(
        catalog=catalog,
        limiter=MemoryLimiter(queue_size=settings.queue_size),
        upstream=upstream,
        recall=MemoryRecall(seconds=chat.reasoning_memory_seconds, max_bytes=chat.reasoning_memory_bytes),
        accounts=[Account(account.name, account.tier) for account in settings.accounts],
        policy=Policy(
            queue_timeout_seconds=settings.queue_timeout_seconds,
            heartbeat_seconds=chat.heartbeat_seconds,
            disconnect_grace_seconds=chat.drain_cap_seconds if chat.on_disconnect == "drain" else 0.0,
            max_retries=settings.upstream.max_retries,
        ),
        sinks=sinks,
        clock=time.perf_counter,
        now=time.time,
        new_id=lambda: uuid.uuid4().hex,
        jitter=random.random,
    )


def cors(settings: Settings) -> CORSConfig | None:
    """Return the rules for browsers, None when no origin is allowed; SDKs send headers of their own."""
    if not settings.cors_origins:
        return None
    return CORSConfig(
        allow_origins=list(settings.cors_origins),
        allow_headers=["*"],
        allow_methods=["GET", "POST"],
        expose_headers=["x-request-id", "x-gateway-ignored", "retry-after"],
    )
