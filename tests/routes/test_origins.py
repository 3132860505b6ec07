"""Pages of the origins that the operator names may call from a browser, and those of no other."""

from typing import Any

import httpx
import pytest

from tests.conftest import StartGateway
from tests.fakes import Zhipu, completion
from tests.running import Gateway

PAGE = "https://app.example.com"
REQUEST: Any = {"model": "glm-4.7", "messages": [{"role": "user", "content": "Hello!"}], "seed": 1}
PREFLIGHT = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type,x-stainless-lang",
}
NAMED = (PAGE, "http://localhost:3000", "https://*.example.org")


def said_to_pages(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


@pytest.fixture
async def gateway(start_gateway: StartGateway, zhipu: Zhipu) -> Gateway:
    zhipu.script = [lambda call: call.answer(completion("Hello."))]
    return await start_gateway(upstream_url=zhipu.url, cors_origins=NAMED)


@pytest.mark.parametrize("origin", [PAGE, "http://localhost:3000", "https://one.example.org"])
async def test_page_of_a_named_origin_may_call(gateway: Gateway, client: httpx.AsyncClient, origin: str) -> None:
    """Its browser asks beforehand, with the headers that the SDK is going to send."""
    url = f"{gateway.url}/chat/completions"

    before = await client.options(url, headers={"origin": origin, **PREFLIGHT})
    answer = await client.post(url, json=REQUEST, headers={"origin": origin})

    assert (204, 200) == (before.status_code, answer.status_code)
    assert PREFLIGHT["access-control-request-headers"] == before.headers["access-control-allow-headers"]
    assert "POST" in before.headers["access-control-allow-methods"].split(", ")
    for one in (before, answer):
        assert (origin, "Origin") == (one.headers["access-control-allow-origin"], one.headers["vary"])


async def test_page_may_read_all_that_is_said_in_the_head(gateway: Gateway, client: httpx.AsyncClient) -> None:
    """SDKs in a browser go by it as they do elsewhere: when to come back, and what had no effect."""
    answer = await client.post(f"{gateway.url}/chat/completions", json=REQUEST, headers={"origin": PAGE})

    exposed = set(answer.headers["access-control-expose-headers"].split(", "))
    said = {name for name in answer.headers if name.startswith(("x-", "openai-"))}
    assert "x-gateway-ignored" in said
    assert said | {"retry-after", "retry-after-ms", "x-should-retry"} <= exposed


async def test_page_reads_why_it_is_refused(gateway: Gateway, client: httpx.AsyncClient) -> None:
    headers = {"origin": PAGE, "authorization": "Bearer wrong"}

    answer = await client.post(f"{gateway.url}/chat/completions", json=REQUEST, headers=headers)

    assert (401, PAGE) == (answer.status_code, answer.headers["access-control-allow-origin"])


@pytest.mark.parametrize("origin", ["https://evil.example", f"{PAGE}.evil.example", "https://example.org", "null"])
async def test_page_of_another_origin_is_told_nothing(
    gateway: Gateway, client: httpx.AsyncClient, origin: str
) -> None:
    """It is answered like a caller that is no browser, except that no cache may give that answer to others."""
    url = f"{gateway.url}/models"

    before = await client.options(url, headers={"origin": origin, **PREFLIGHT})
    answer = await client.get(url, headers={"origin": origin})

    assert [{}, {}] == [said_to_pages(before), said_to_pages(answer)]
    assert "Origin" == answer.headers["vary"]


async def test_pages_of_any_origin_may_call_where_all_are_allowed(
    start_gateway: StartGateway, zhipu: Zhipu, client: httpx.AsyncClient
) -> None:
    gateway = await start_gateway(upstream_url=zhipu.url, cors_origins=("*",))

    answer = await client.get(f"{gateway.url}/models", headers={"origin": "https://anybody.example"})

    assert "*" == answer.headers["access-control-allow-origin"]


async def test_no_page_may_call_where_no_origin_is_named(
    start_gateway: StartGateway, zhipu: Zhipu, client: httpx.AsyncClient
) -> None:
    gateway = await start_gateway(upstream_url=zhipu.url)

    answer = await client.get(f"{gateway.url}/models", headers={"origin": PAGE})

    assert {} == said_to_pages(answer)
