"""Vectors are kept when the operator says so: a tenant's known texts cost nothing, and answers stay the same."""

import httpx
import msgspec
import pytest

from gateway.auth import Tenant, digest
from gateway.settings.schema import Embeddings
from gateway.simulator import Running
from gateway.simulator.book import Place
from tests.conftest import StartGateway
from tests.running import LARGEST_ACCOUNT, SETTINGS, Gateway

PLACE = Place(LARGEST_ACCOUNT.name, "embedding-3")
KEPT = Embeddings(cache_seconds=60)
OTHER_KEY = "sk-test-other-0123456789abcdef"


async def embed(
    client: httpx.AsyncClient,
    gateway: Gateway,
    *texts: str,
    model: str = "text-embedding-3-large",
    key: str | None = None,
) -> httpx.Response:
    request = {"model": model, "input": texts, "encoding_format": "base64"}
    headers = {"authorization": f"Bearer {key}"} if key else {}
    answer = await client.post(f"{gateway.url}/embeddings", json=request, headers=headers)
    assert 200 == answer.status_code
    return answer


async def test_known_texts_are_not_asked_for_again(
    start_gateway: StartGateway, simulator: Running, client: httpx.AsyncClient
) -> None:
    """Each answer says how much of it was known, and so does its record."""
    gateway = await start_gateway(upstream_url=simulator.url, embeddings=KEPT)

    answers = [
        await embed(client, gateway, "one", "two"),
        await embed(client, gateway, "two", "three"),
        await embed(client, gateway, "three", "one", "three"),
    ]

    assert ["miss", "partial", "hit"] == [answer.headers["x-gateway-cache"] for answer in answers]
    assert [(0, 2), (1, 1), (2, 0)] == [(record.cache_hits, record.cache_misses) for record in gateway.records]
    assert [2, 1, 0] == [msgspec.json.decode(answer.content)["usage"]["prompt_tokens"] for answer in answers]
    assert 2 == simulator.simulator.book.accepted[PLACE]
    vectors = [[one["embedding"] for one in msgspec.json.decode(answer.content)["data"]] for answer in answers]
    (one, two), (same_two, three) = vectors[:2]
    assert (two, [three, one, three]) == (same_two, vectors[2])


async def test_vector_is_known_by_every_name_of_its_model_and_of_no_other(
    start_gateway: StartGateway, simulator: Running, client: httpx.AsyncClient
) -> None:
    """The model that serves counts, not the name that was used."""
    gateway = await start_gateway(upstream_url=simulator.url, embeddings=KEPT)

    names = ["text-embedding-3-large", "Embedding-3", "embedding-2", "embedding-2"]
    answers = [await embed(client, gateway, "one", model=name) for name in names]

    assert ["miss", "hit", "miss", "hit"] == [answer.headers["x-gateway-cache"] for answer in answers]


async def test_tenant_does_not_learn_what_another_embedded(
    start_gateway: StartGateway, simulator: Running, client: httpx.AsyncClient
) -> None:
    """Not even that somebody did."""
    tenants = (*SETTINGS.tenants, Tenant(name="other", key_sha256=(digest(OTHER_KEY),), tier="V0"))
    gateway = await start_gateway(upstream_url=simulator.url, embeddings=KEPT, tenants=tenants)
    await embed(client, gateway, "one")

    told = [(await embed(client, gateway, "one", key=OTHER_KEY)).headers["x-gateway-cache"] for _ in range(2)]

    assert ["miss", "hit"] == told
    assert 2 == simulator.simulator.book.accepted[PLACE]


@pytest.mark.parametrize(
    ("embeddings", "told"),
    [
        pytest.param(Embeddings(), None, id="by default"),
        pytest.param(Embeddings(cache_seconds=60, cache_bytes=100), "miss", id="no room"),
    ],
)
async def test_nothing_is_known_when_nothing_is_kept(
    start_gateway: StartGateway,
    simulator: Running,
    client: httpx.AsyncClient,
    embeddings: Embeddings,
    told: str | None,
) -> None:
    gateway = await start_gateway(upstream_url=simulator.url, embeddings=embeddings)

    answers = [await embed(client, gateway, "one") for _ in range(2)]

    assert [told, told] == [answer.headers.get("x-gateway-cache") for answer in answers]
    assert 2 == simulator.simulator.book.accepted[PLACE]


async def test_dimensions_are_made_of_more_when_the_operator_says_so(
    start_gateway: StartGateway, simulator: Running, client: httpx.AsyncClient
) -> None:
    """By default they are refused."""
    gateway = await start_gateway(upstream_url=simulator.url, embeddings=Embeddings(dimensions_mode="truncate"))

    answer = await client.post(
        f"{gateway.url}/embeddings", json={"model": "embedding-3", "input": "one", "dimensions": 768}
    )

    (only,) = msgspec.json.decode(answer.content)["data"]
    assert 768 == len(only["embedding"])
    assert 1.0 == pytest.approx(sum(number**2 for number in only["embedding"]))
