"""The gateway as a whole: callers with tokens, a configuration that changes, and what it tells of slots."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from gateway.app import Gateway, create_gateway
from gateway.auth import Tenant, digest
from gateway.metrics import AccountSlots, AccountState, TenantSlots
from gateway.settings import Account, Jwt, Secret, Settings
from tests.auth.issuing import AUDIENCE, ISSUER, KeySetServer, claims, new_key, publishing
from tests.fakes import KEY, Caller, Zhipu, call_app, completion
from tests.running import SETTINGS, listening

SIGNING = new_key("1")
ONE = {"glm-4.7": dict.fromkeys(("V0", "V1", "V2", "V3"), 1)}
OTHER_ACCOUNT = Account(name="other", api_key=Secret("other-key"), tier="V3")
BODY = {"model": "glm-4.7", "messages": [{"role": "user", "content": "Hello!"}]}

Start = Callable[[Settings], Awaitable[tuple[Gateway, str]]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start gateways on real sockets; gives each and its base URL."""
    async with AsyncExitStack() as stack:

        async def start_one(settings: Settings) -> tuple[Gateway, str]:
            gateway = create_gateway(settings)
            return gateway, await stack.enter_async_context(listening(gateway.app)) + "/v1"

        yield start_one


@pytest.fixture
async def issuer() -> AsyncIterator[KeySetServer]:
    async with publishing(SIGNING) as server:
        yield server


def trusting(issuer: KeySetServer) -> Settings:
    return replace(
        SETTINGS,
        jwt=(
            Jwt(name="company", issuer=ISSUER, audience=(AUDIENCE,), algorithms=("EdDSA",), jwks_url=issuer.url),
        ),
    )


def bearer(credential: str) -> dict[str, str]:
    return {"authorization": f"Bearer {credential}"}


async def test_token_of_an_issuer_opens_the_gateway(
    start: Start, issuer: KeySetServer, client: httpx.AsyncClient
) -> None:
    _, url = await start(trusting(issuer))

    good = await client.get(f"{url}/models", headers=bearer(SIGNING.sign(claims(sub="team"))))
    expired = await client.get(f"{url}/models", headers=bearer(SIGNING.sign(claims(sub="team", exp=1))))

    assert good.status_code == 200
    assert expired.status_code == 401
    assert expired.json() == {
        "error": {
            "message": "The token has expired. Get a new one from its issuer.",
            "type": "authentication_error",
            "param": None,
            "code": "token_expired",
        }
    }


async def test_caller_may_try_again_when_the_issuer_is_down(
    start: Start, issuer: KeySetServer, client: httpx.AsyncClient
) -> None:
    """Its token may be good, so it is no 401; keys go on opening."""
    issuer.say(b"", head="500 Internal Server Error")
    _, url = await start(trusting(issuer))

    answer = await client.get(f"{url}/models", headers=bearer(SIGNING.sign(claims(sub="team"))))

    told = (answer.status_code, answer.headers["retry-after"], answer.json()["error"]["code"])
    assert told == (503, "10", "issuer_keys_unavailable")
    assert (await client.get(f"{url}/models", headers=bearer(KEY))).status_code == 200


async def test_keys_of_an_issuer_survive_a_reload(
    start: Start, issuer: KeySetServer, client: httpx.AsyncClient
) -> None:
    gateway, url = await start(trusting(issuer))
    headers = bearer(SIGNING.sign(claims(sub="team")))
    await client.get(f"{url}/models", headers=headers)

    adopt(gateway, trusting(issuer))
    answer = await client.get(f"{url}/models", headers=headers)

    assert (answer.status_code, issuer.requests) == (200, 1)


async def test_request_in_line_is_served_on_its_own_terms(
    start: Start, zhipu: Zhipu, client: httpx.AsyncClient
) -> None:
    """Tenant, account and key are gone when its turn comes, and serve it; the next goes by the new ones."""
    before = replace(SETTINGS, upstream_url=zhipu.url, limits=ONE)
    gateway, url = await start(before)
    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(client.post(f"{url}/chat/completions", json=BODY)) for _ in range(2)]
        first = await zhipu.call()
        await until(lambda: any(row.waiting for row in gateway.slots().tenants))

        tenant = Tenant(name="other", key_sha256=(digest("other"),), tier="V3")
        adopt(gateway, replace(before, accounts=(OTHER_ACCOUNT,), tenants=(tenant,)))
        (told,) = gateway.slots().tenants
        refused = await client.post(f"{url}/chat/completions", json=BODY)
        third = tasks.create_task(client.post(f"{url}/chat/completions", json=BODY, headers=bearer("other")))
        of_other = await zhipu.call()
        first.answer(completion())
        second = await zhipu.call()
        for call in (of_other, second):
            call.answer(completion())

    assert [answer.result().status_code for answer in (*waiting, third)] == [200, 200, 200]
    assert refused.status_code == 401
    assert first.headers["authorization"] == second.headers["authorization"]
    assert of_other.headers["authorization"] == "Bearer other-key"
    assert ("team", "V3", 1) == (told.tenant, told.tier, told.waiting)


async def test_request_is_served_on_the_terms_on_which_it_was_let_in(
    start: Start, zhipu: Zhipu, client: httpx.AsyncClient
) -> None:
    """A reload while its body arrives changes neither its model nor its limit nor its account."""
    before = replace(SETTINGS, upstream_url=zhipu.url, aliases={"mine": "glm-4.7"}, limits=ONE)
    gateway, url = await start(before)
    zhipu.script = [lambda call: call.answer(completion())]

    class Late(Caller):
        async def receive(self) -> dict[str, Any]:
            adopt(gateway, replace(before, aliases={}, limits={}, accounts=(OTHER_ACCOUNT,)))
            return await super().receive()

    late = Late(msgspec.json.encode(BODY | {"model": "mine"}))
    await call_app(gateway.app, late)

    (head, *_) = late.messages
    assert (late.status, dict(head["headers"])[b"x-ratelimit-limit-requests"]) == (200, b"1")
    assert zhipu.calls[0].headers["authorization"] != "Bearer other-key"
    assert (await client.get(f"{url}/models/mine")).status_code == 404


async def test_slots_are_told_by_tenant_and_account(start: Start, zhipu: Zhipu, client: httpx.AsyncClient) -> None:
    gateway, url = await start(replace(SETTINGS, upstream_url=zhipu.url, limits=ONE))
    assert gateway.slots().states == (AccountState(account="main"),)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(client.post(f"{url}/chat/completions", json=BODY))
        call = await zhipu.call()
        await until(lambda: [row.waiting for row in gateway.slots().tenants] == [2])

        told = gateway.slots()
        for _ in range(2):
            call.answer(completion())
            call = await zhipu.call()
        call.answer(completion())

    (tenant,) = told.tenants
    assert tenant.oldest_wait_seconds > 0
    expected = TenantSlots(
        tenant="team", tier="V3", model="glm-4.7", limit=1, in_use=1, in_use_globally=1, waiting=2
    )
    assert expected == replace(tenant, oldest_wait_seconds=0.0)
    account = AccountSlots(account="main", model="glm-4.7", limit=1, learned_limit=1, in_use=1)
    assert account in told.accounts
    assert {account.model for account in told.accounts} == {
        model.id for model in gateway.desk.terms.catalog.models
    }
    assert 1 == sum(account.in_use for account in told.accounts)


def adopt(gateway: Gateway, settings: Settings) -> None:
    gateway.adopt(gateway.create_terms(settings), settings)


async def until(condition: Callable[[], Any]) -> None:
    """Let the loop go on until something is true; the test's own time limit ends what never is."""
    while not condition():  # noqa: ASYNC110 - what is waited for is inside the gateway, and tells nobody
        await asyncio.sleep(0.001)
