"""Ways to run a stand-in: as the whole process, or beside other code in a thread of its own."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from msgspec import Struct

from gateway.simulator.app import REALTIME_PATH, Simulator
from gateway.simulator.endpoints import BASE_PATH


class Running(Struct, frozen=True):
    """A stand-in that listens at ``origin``; it is the same object that answers, so its book can be read."""

    simulator: Simulator
    origin: str

    @property
    def url(self) -> str:
        """The base address of its API, as clients want it."""
        return self.origin + BASE_PATH

    @property
    def realtime_url(self) -> str:
        """The address of its calls."""
        return f"ws{self.origin.removeprefix('http')}{REALTIME_PATH}"


_KEEP_ALIVE_SECONDS = 75
"""How long an idle connection is kept: as nginx does, so that none closes while its client still counts on it."""

_CALLS: dict[str, Any] = {"ws": "websockets-sansio", "ws_ping_interval": None, "ws_per_message_deflate": False}
"""How WebSockets are served. Whether the platform pings is not known; its heartbeats are events."""


def serve(simulator: Simulator, *, host: str = "127.0.0.1", port: int = 8090) -> None:
    """Run a stand-in until interrupted; open answers are cut a second after that."""
    uvicorn.run(
        simulator,
        host=host,
        port=port,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        **_CALLS,
    )


@contextmanager
def running(simulator: Simulator, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[Running]:
    """
    Run a stand-in beside the caller's code; connections are taken from the first moment on.

    Port 0 takes a free one. Leaving cuts what is open.
    """
    with socket.create_server((host, port)) as listener:
        # Logging belongs to the caller; uvicorn's own would be set for the whole process.
        config = uvicorn.Config(
            simulator,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            **_CALLS,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="zhipu-simulator")
        thread.start()
        try:
            yield Running(simulator, f"http://{host}:{listener.getsockname()[1]}")
        finally:
            server.should_exit = server.force_exit = True
            thread.join()
