"""The shorter way to a route ends where the framework's does."""

from typing import Any

import msgspec
import pytest

from gateway.routes.chat import PATHS
from tests.conftest import MakeGateway
from tests.fakes import KEY, Caller, Zhipu, call_app, completion
from tests.running import Gateway

MESSAGES = [{"role": "user", "content": "Hello!"}]
REQUESTS: list[Any] = [
    pytest.param({"model": "glm-4.7", "messages": MESSAGES}, id="an answer"),
    pytest.param({"model": "glm-4.7", "messages": 1}, id="a caller's mistake"),
    pytest.param({"model": "nobody", "messages": MESSAGES}, id="an unknown model"),
]


async def asked(gateway: Gateway, path: str, body: Any, key: str) -> tuple[int | None, Any, list[bytes]]:
    """Give status, body and the names of the headers, without what differs from answer to answer."""
    caller = Caller(msgspec.json.encode(body))
    await call_app(gateway.app, caller, path, authorization=f"Bearer {key}")
    said = msgspec.json.decode(caller.body)
    for own in ("id", "created"):
        said.pop(own, None)
    (start, *_) = caller.messages
    return caller.status, said, sorted({name for name, _ in start["headers"]})


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("key", [KEY, "wrong"])
@pytest.mark.parametrize("body", REQUESTS)
async def test_both_ways_give_the_same(
    make_gateway: MakeGateway, zhipu: Zhipu, path: str, body: Any, key: str
) -> None:
    """The framework takes an address with a slash at its end, too; the shorter way does not know it."""
    zhipu.script = [lambda call: call.answer(completion("Hello."))] * 2
    gateway = make_gateway(upstream_url=zhipu.url)

    assert await asked(gateway, path, body, key) == await asked(gateway, f"{path}/", body, key)


async def test_mistake_of_ours_is_told_as_one(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    gateway = make_gateway(upstream_url=zhipu.url)
    gateway.desk.now = None  # type: ignore[assignment]

    status, said, _ = await asked(gateway, PATHS[0], REQUESTS[0].values[0], KEY)

    assert (500, "internal_error") == (status, said["error"]["code"])
    assert gateway.record.request_id in said["error"]["message"]
    assert "gateway_error" == gateway.record.outcome
