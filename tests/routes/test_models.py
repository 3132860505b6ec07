"""The list of models, as each caller may see it."""

from typing import Any

import httpx
import pytest

from gateway.auth import Tenant, digest
from tests.conftest import MakeGateway
from tests.fakes import KEY
from tests.running import Gateway


def client_of(gateway: Gateway) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {KEY}"}
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(gateway.app), base_url="http://gateway", headers=headers
    )


async def get(gateway: Gateway, path: str) -> tuple[int, Any]:
    async with client_of(gateway) as client:
        answer = await client.get(path)
        return answer.status_code, answer.json()


def only(*models: str) -> tuple[Tenant, ...]:
    return (Tenant(name="team", key_sha256=(digest(KEY),), tier="V0", models=models),)


@pytest.mark.parametrize("prefix", ["", "/v1"])
async def test_every_model_is_listed_when_the_tenant_may_use_all(make_gateway: MakeGateway, prefix: str) -> None:
    gateway = make_gateway()

    status, body = await get(gateway, f"{prefix}/models")

    assert (200, "list") == (status, body["object"])
    assert [model.id for model in gateway.desk.terms.catalog.models] == [model["id"] for model in body["data"]]
    assert {"id", "object", "created", "owned_by"} == body["data"][0].keys()


async def test_only_its_models_are_listed_when_a_tenant_is_restricted(make_gateway: MakeGateway) -> None:
    _, body = await get(make_gateway(tenants=only("glm-4.7")), "/v1/models")

    assert ["glm-4.7"] == [model["id"] for model in body["data"]]


@pytest.mark.parametrize("name", ["glm-4.7", "GLM-4.7", "gpt-4o", "glm%2D4.7", "glm-4.7/"])
async def test_model_is_found_by_any_of_its_names(make_gateway: MakeGateway, name: str) -> None:
    """By its id in any case, and by an alias; the answer says which model it is."""
    status, body = await get(make_gateway(aliases={"gpt-4o": "glm-4.7"}), f"/v1/models/{name}")

    assert (200, "glm-4.7") == (status, body["id"])


@pytest.mark.parametrize("name", ["nothing", "zhipu/glm-9", "a/b/c", "%2e%2e/x", "%ff", "%00", "ü"])
async def test_model_is_not_found_when_there_is_none(make_gateway: MakeGateway, name: str) -> None:
    """Ids may have slashes, and stranger things."""
    status, body = await get(make_gateway(), f"/v1/models/{name}")

    assert (404, "model_not_found") == (status, body["error"]["code"])


async def test_model_is_not_found_when_the_tenant_may_not_use_it(make_gateway: MakeGateway) -> None:
    status, body = await get(make_gateway(tenants=only("glm-4.5")), "/v1/models/glm-4.7")

    assert (404, "model_not_found") == (status, body["error"]["code"])


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/models", 200), ("/models/glm-4.7", 200), ("/v1/models/no", 404)]
)
async def test_head_is_answered_like_get_without_a_body(make_gateway: MakeGateway, path: str, status: int) -> None:
    """Some clients ask so whether the address and the key are right."""
    async with client_of(make_gateway()) as client:
        asked, told = await client.head(path), await client.get(path)

    assert (status, b"") == (asked.status_code, asked.content)
    assert told.headers["content-length"] == asked.headers["content-length"]
    assert told.headers["content-type"] == asked.headers["content-type"]
