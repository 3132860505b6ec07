"""Probes: alive always, ready until told to stop, and open to everybody."""

import httpx
import pytest

from tests.running import Gateway


async def get(gateway: Gateway, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(gateway.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        return await client.get(path)


@pytest.mark.parametrize(
    ("path", "draining", "status", "text"),
    [
        ("/livez", False, 200, "ok"),
        ("/livez", True, 200, "ok"),
        ("/readyz", False, 200, "ok"),
        ("/readyz", True, 503, "draining"),
    ],
)
async def test_probe_tells_the_state_of_the_process(path: str, status: int, text: str, *, draining: bool) -> None:
    gateway = Gateway(is_draining=lambda: draining)

    answer = await get(gateway, path)

    assert (status, text) == (answer.status_code, answer.text)
    assert [] == gateway.records


async def test_root_says_where_the_api_is() -> None:
    answer = await get(Gateway(), "/")

    assert "/v1" == answer.json()["openai_base_path"]
