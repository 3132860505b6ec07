"""One connection to a server's protocol, over a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from uvicorn import Config
from uvicorn.server import ServerState


@asynccontextmanager
async def connected(
    protocol: type[asyncio.Protocol], config: Config
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Give both ends of a connection to one of uvicorn's protocols, which serves what ``config`` says."""
    loop, state = asyncio.get_running_loop(), ServerState()
    listener = await loop.create_server(
        lambda: protocol(config=config, server_state=state, app_state={}, _loop=loop),  # type: ignore[call-arg]
        "127.0.0.1",
        0,
    )
    async with listener:
        reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname())
        with closing(writer):
            yield reader, writer
