"""The gateway, whole."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from gateway.app.desk import create_desk, create_limiter, create_link, create_memories, create_upstream
from gateway.app.endpoints import create_responses_endpoint, create_routes, create_sealer
from gateway.app.realtime import create_secrets, create_session_desk
from gateway.app.terms import api_keys, create_terms, load_catalog
from gateway.auth import KeyRing
from gateway.catalog import Catalog
from gateway.errors import GatewayError
from gateway.exchange import Desk, Terms, overview
from gateway.limits.health import Health
from gateway.metrics import Slots
from gateway.record import Sink
from gateway.redis_client.observer import RedisObserver
from gateway.routes.azure import AzureAddresses
from gateway.routes.errors import HANDLERS
from gateway.routes.front import Front
from gateway.routes.health import health_routes
from gateway.routes.middleware import Edge
from gateway.routes.origins import Origins
from gateway.routes.realtime import Sockets
from gateway.routes.responses import Background, Working
from gateway.routes.secrets import secret_routes
from gateway.routes.shortcuts import Shortcuts, served_by
from gateway.settings import Settings
from gateway.upstream.realtime import RealtimeUpstream

if TYPE_CHECKING:  # it brings the client of Redis along
    from gateway.recall.link import Link


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


def create_app(settings: Settings, **rest: Any) -> ASGIApp:
    """Return the gateway as nothing but an ASGI application; see ``create_gateway``."""
    return create_gateway(settings, **rest).app


def create_gateway(
    settings: Settings,
    *,
    catalog: Catalog | None = None,
    sinks: Sequence[Sink] = (),
    is_draining: Callable[[], bool] = lambda: False,
    working: Working = nullcontext,
    transport: httpx.AsyncBaseTransport | None = None,
    redis_observer: RedisObserver | None = None,
) -> Gateway:
    """
    Return the gateway.

    ``catalog`` None is read by the settings. ``transport`` None is the network; a test gives its own. ``working``
    is entered while something is made that no caller waits for. ``sinks`` get the record of every exchange,
    ``redis_observer`` is told of calls of Redis. Raises SettingsError for a catalogue, limit, alias or address
    that cannot be.
    """
    key_ring, health = KeyRing(), Health(time.perf_counter)
    link = create_link(settings, observer=redis_observer)
    desk = create_desk(
        settings,
        terms=create_terms(settings, catalog=catalog or load_catalog(settings), key_ring=key_ring, health=health),
        limiter=create_limiter(settings, observer=redis_observer),
        upstream=create_upstream(settings, transport=transport),
        health=health,
        memories=create_memories(settings, link=link),
        sinks=sinks,
    )
    front = Front(desk, max_body_bytes=settings.max_body_bytes)
    sealer = create_sealer(settings)
    responses = create_responses_endpoint(settings, sealer=sealer)
    background = Background(desk, responses, life_seconds=settings.lease_seconds, working=working)
    sessions = create_session_desk(settings, desk=desk, is_draining=is_draining)
    client_secrets = create_secrets(settings)
    handlers = [
        *create_routes(settings, front=front, sealer=sealer, responses=responses, background=background),
        *secret_routes(front, client_secrets, transcriber=settings.realtime.transcription_model),
        *health_routes(is_draining),
    ]
    app = create_router(
        settings,
        handlers=handlers,
        connected=partial(connected, desk, key_ring=key_ring, link=link, background=background),
    )
    edge = Edge(app, desk=desk, sockets=Sockets(sessions, secrets=client_secrets))
    return Gateway(app=edge, refuse=edge.refuse, desk=desk, key_ring=key_ring, realtime=sessions.upstream)


def create_router(
    settings: Settings,
    *,
    handlers: Sequence[HTTPRouteHandler],
    connected: Callable[[], AbstractAsyncContextManager[None]],
) -> ASGIApp:
    """Return what finds the handler of a request, also of one that a browser asks leave for."""
    app = Litestar(
        route_handlers=handlers,
        exception_handlers=HANDLERS,
        lifespan=[lambda _: connected()],
        logging_config=None,
        openapi_config=None,
        request_max_body_size=settings.max_body_bytes,
    )
    routed = Shortcuts(AzureAddresses(app), served=served_by(handlers))
    return Origins(routed, allowed=settings.cors_origins) if settings.cors_origins else routed


@asynccontextmanager
async def connected(
    desk: Desk, *, key_ring: KeyRing, link: "Link | None", background: Background
) -> AsyncIterator[None]:
    """Keep up what the gateway has open to others, and close it in the end."""
    closing_link = nullcontext() if link is None else aclosing(link)
    async with aclosing(desk.upstream), aclosing(key_ring), aclosing(desk.limiter), closing_link:
        await desk.limiter.start()
        async with background:
            yield
