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
    said.pop("id", None)
    (start, *_) = caller.messages
    return caller.status, said, sorted({name for name, _ in start["headers"]})


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("key", [KEY, "wrong"])
@pytest.mark.parametrize("body", REQUESTS)
async def test_both_ways_give_the_same(
    make_gateway: MakeGateway, zhipu: Zhipu, path: str, body: Any, key: str
) -> None:
    """With origins allowed every request goes through the framework, since browsers need its headers."""
    zhipu.script = [lambda call: call.answer(completion("Hello."))] * 2
    short = make_gateway(upstream_url=zhipu.url)
    long = make_gateway(upstream_url=zhipu.url, cors_origins=("https://app.example",))

    assert await asked(short, path, body, key) == await asked(long, path, body, key)


async def test_pages_may_read_all_that_is_said_in_the_head(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """SDKs in a browser go by it as they do elsewhere: when to come back, and what had no effect."""
    zhipu.script = [lambda call: call.answer(completion("Hello."))]
    gateway = make_gateway(upstream_url=zhipu.url, cors_origins=("https://app.example",))
    caller = Caller(msgspec.json.encode({"model": "glm-4.7", "messages": MESSAGES, "seed": 1}))

    await call_app(gateway.app, caller, PATHS[0], origin="https://app.example")

    headers = {name.decode(): value.decode() for name, value in caller.messages[0]["headers"]}
    exposed = set(headers["access-control-expose-headers"].split(", "))
    said = {name for name in headers if name.startswith(("x-", "openai-"))}
    assert "x-gateway-ignored" in said
    assert said | {"retry-after", "retry-after-ms", "x-should-retry"} <= exposed


async def test_mistake_of_ours_is_told_as_one(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    gateway = make_gateway(upstream_url=zhipu.url)
    gateway.desk.now = None  # type: ignore[assignment]

    status, said, _ = await asked(gateway, PATHS[0], REQUESTS[0].values[0], KEY)

    assert (500, "internal_error") == (status, said["error"]["code"])
    assert gateway.record.request_id in said["error"]["message"]
    assert "gateway_error" == gateway.record.outcome
