"""Sockets to GLM that do not come about, told as what went wrong."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from uvicorn.loops.auto import auto_loop_factory

from gateway.errors import UpstreamUnreachable
from gateway.upstream.realtime import RealtimeUpstream


@pytest.fixture
def address() -> Iterator[str]:
    """Give the address of a GLM that closes each connection as soon as it is there: it has no files left, say."""

    def close_all() -> None:
        with suppress(OSError):  # that the test has ended
            while True:
                listener.accept()[0].close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        closer = threading.Thread(target=close_all)
        closer.start()
        host, port = listener.getsockname()
        yield f"ws://{host}:{port}/realtime"
        listener.shutdown(socket.SHUT_RDWR)
        closer.join()


def test_glm_that_hangs_up_before_it_is_greeted_cannot_be_reached(address: str) -> None:
    """Nothing has been said, so it is tried again; on the loop that gateways run on, which notices it first."""
    upstream = RealtimeUpstream(url=address, api_keys={"main": "a.b"}, connect_seconds=5)

    async def connect() -> None:
        for _ in range(20):
            with pytest.raises(UpstreamUnreachable):
                await upstream.connect(account="main")

    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(connect())
