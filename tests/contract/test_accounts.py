"""Several accounts over real sockets: one without money, one that is busier than its tier says."""

import asyncio
from typing import Any

import openai
import pytest

from gateway.settings import Account, Secret
from gateway.simulator import DEMO_ACCOUNTS, Running
from gateway.simulator.faults import Error, Latency
from tests.conftest import StartGateway
from tests.contract.conftest import Connect

KEYS = {account.name: account.key for account in DEMO_ACCOUNTS}
POOR = Account(name="poor", api_key=Secret(KEYS["demo-poor"]), tier="V3")
RICH = Account(name="rich", api_key=Secret(KEYS["demo-v3"]), tier="V3")
MESSAGES: Any = [{"role": "user", "content": "Hello!"}]
FIVE = {"glm-4.7": dict.fromkeys(("V0", "V1", "V2", "V3"), 5)}


async def test_every_request_is_answered_when_one_of_two_accounts_has_no_money(
    start_gateway: StartGateway, simulator: Running, connect: Connect
) -> None:
    """One finds out; nobody notices, and free models go on using both."""
    gateway = await start_gateway(upstream_url=simulator.url, accounts=(POOR, RICH))
    client = connect(gateway)
    for _ in range(10):
        await client.chat.completions.create(model="glm-4.7", messages=MESSAGES)
    await client.chat.completions.create(model="glm-4.5-flash", messages=MESSAGES)

    assert [200] * 11 == [record.status for record in gateway.records]
    assert 1 == sum(record.retries for record in gateway.records)
    assert "poor" == gateway.records[-1].account


async def test_caller_is_told_of_the_quota_when_no_account_has_money(
    start_gateway: StartGateway, simulator: Running, connect: Connect
) -> None:
    """As OpenAI tells it, so that the SDK does not try again; and the next request may find money."""
    gateway = await start_gateway(upstream_url=simulator.url, accounts=(POOR,))
    client = connect(gateway)
    for _ in range(2):
        with pytest.raises(openai.RateLimitError) as refused:
            await client.with_options(max_retries=2).chat.completions.create(model="glm-4.7", messages=MESSAGES)
        assert ("insufficient_quota", "false") == (
            refused.value.code,
            refused.value.response.headers["x-should-retry"],
        )
    await client.chat.completions.create(model="glm-4.5-flash", messages=MESSAGES)

    assert [429, 429, 200] == [record.status for record in gateway.records]


async def test_every_request_is_answered_when_zhipu_takes_less_than_the_tier_says(
    start_gateway: StartGateway, simulator: Running, connect: Connect
) -> None:
    """Somebody else uses the account: the requests that are too many wait, and fewer are sent from then on."""
    simulator.simulator.script.add([Error(code="1302", times=4), Latency(seconds=0.05, times=None)])
    gateway = await start_gateway(upstream_url=simulator.url, accounts=(RICH,), limits=FIVE)
    client = connect(gateway)
    asking = [client.chat.completions.create(model="glm-4.7", messages=MESSAGES) for _ in range(20)]
    await asyncio.gather(*asking)

    assert [200] * 20 == [record.status for record in gateway.records]
    assert 4 == sum(record.retries for record in gateway.records)
    assert 0 == gateway.slots
    assert not gateway.desk.health.is_calm()
