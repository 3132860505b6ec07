"""A whole gateway in the loop of a test: on a real socket, or as an application to call."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from gateway.app import create_app
from gateway.auth import Tenant, digest
from gateway.exchange import Desk
from gateway.record import Record
from gateway.server.sockets import PlainSocket
from gateway.settings.schema import Account, Settings
from gateway.settings.secret import Secret
from gateway.simulator import DEMO_ACCOUNTS
from tests.fakes import KEY, App

LARGEST_ACCOUNT = max(DEMO_ACCOUNTS, key=lambda account: account.tier)
SETTINGS = Settings(
    accounts=(Account(name="main", api_key=Secret(LARGEST_ACCOUNT.key), tier=LARGEST_ACCOUNT.tier),),
    tenants=(Tenant(name="team", key_sha256=(digest(KEY),), tier="V3"),),
)
"""One tenant that holds KEY, one account that the simulator knows."""


class Gateway:
    """
    A gateway that answers. ``records`` has what its sinks saw, ``origin`` is empty if it does not listen.

    ``takes_at_once`` says whether a call's messages may be dealt with within the call that brings them.
    """

    takes_at_once = True

    def __init__(self, settings: Settings = SETTINGS, **rest: Any) -> None:
        self.records: list[Record] = []
        self.origin = ""
        self.app: App = create_app(settings, sinks=[self.records.append], **rest)

    @property
    def url(self) -> str:
        """The base address for clients."""
        return f"{self.origin}/v1"

    @property
    def desk(self) -> Desk:
        desk: Desk = self.app._desk  # type: ignore[attr-defined]
        return desk

    @property
    def record(self) -> Record:
        """The record of the only exchange there was."""
        (record,) = self.records
        return record

    @property
    def slots(self) -> int:
        """How many slots are held."""
        return sum(row.here for row in self.desk.limiter.snapshot() if row.kind == "tenant")

    @property
    def waiting(self) -> int:
        """How many requests stand in line for a slot."""
        return sum(row.waiting for row in self.desk.limiter.snapshot())

    async def aclose(self) -> None:
        """Close the connections to Zhipu; the end of the lifespan does it for one that listens."""
        await self.desk.upstream.aclose()


@asynccontextmanager
async def listening(app: App) -> AsyncIterator[str]:
    """Serve an ASGI application in this loop; gives its origin."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        app, ws=PlainSocket, ws_per_message_deflate=False, lifespan="on", log_config=None, server_header=False
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup([listener])
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        await stop(server)


def in_turn(app: App) -> App:
    """Hide from an application that its server has a shorter way for the messages of WebSockets."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            scope = scope | {"extensions": {}}
        await app(scope, receive, send)

    return serve


async def stop(server: uvicorn.Server) -> None:
    """Cut what is open and end the lifespan; uvicorn's own way sleeps for a tenth of a second."""
    for listener in server.servers:
        listener.close()
    for connection in list(server.server_state.connections):
        connection.transport.abort()
    if server.server_state.tasks:
        await asyncio.wait(server.server_state.tasks)
    await server.lifespan.shutdown()
    await asyncio.sleep(0)
