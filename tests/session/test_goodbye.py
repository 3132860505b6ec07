"""How a session ends whose client does not take it."""

import asyncio
from typing import Any

from gateway.settings.schema import Realtime
from tests.calls import playing_calls
from tests.conftest import MakeGateway
from tests.fakes import KEY


async def test_client_that_takes_no_goodbye_is_not_waited_for(make_gateway: MakeGateway) -> None:
    """What it was sent before fills its end, and nothing is left that would find it to have stalled."""
    said = asyncio.Queue[Any]()
    said.put_nowait({"type": "websocket.connect"})
    told = []

    async def send(message: Any) -> None:
        told.append(message["type"])
        if message["type"] == "websocket.close":
            await asyncio.Event().wait()

    scope = {
        "type": "websocket",
        "path": "/v1/realtime",
        "query_string": b"model=glm-realtime",
        "headers": [(b"authorization", f"Bearer {KEY}".encode())],
        "subprotocols": [],
    }
    async with playing_calls() as glm:
        gateway = make_gateway(realtime_url=glm.url, realtime=Realtime(max_session_seconds=0.1))
        async with asyncio.timeout(10):
            await gateway.app(scope, said.get, send)

    assert told[-1] == "websocket.close"
    assert gateway.record.session is not None
    assert gateway.record.session.close_code == 1001
