"""A caller does not suffer from another's flood, and a slot is free as soon as its caller is gone."""

from gateway.auth import Tenant, digest
from gateway.settings.schema import Account
from gateway.settings.secret import Secret
from gateway.simulator import running
from tests.conftest import StartGateway
from tests.manners import ACCOUNT, MODEL, Caller, Witness, releases, turns_beside_a_flood
from tests.running import Gateway

FLOOD_KEY, OTHER_KEY = "sk-glm-flood-0123456789", "sk-glm-other-0123456789"
TENANTS = tuple(Tenant(name=key, key_sha256=(digest(key),), tier="V3") for key in (FLOOD_KEY, OTHER_KEY))
SLOTS = 10
SERVICE_SECONDS = 0.1
RELEASE_SECONDS = 1.0
"""The promise is 100 ms; a machine may have other things to do."""


def port(gateway: Gateway) -> int:
    return int(gateway.origin.rpartition(":")[2])


async def start(start_gateway: StartGateway, url: str, *, slots: int) -> Gateway:
    """Start a gateway for both tenants, each of which may have all slots of the only account."""
    return await start_gateway(
        upstream_url=url,
        accounts=(Account(name=ACCOUNT.name, api_key=Secret(ACCOUNT.key), tier=ACCOUNT.tier),),
        tenants=TENANTS,
        limits={MODEL: dict.fromkeys(("V0", "V1", "V2", "V3"), slots)},
    )


async def test_wait_is_two_service_times_at_most_when_another_floods(start_gateway: StartGateway) -> None:
    """
    Two hundred requests of another are in line before it; it is served after the next that ends.

    In two service times, twice as many are served as there are slots. They are counted, since a machine may have
    other things to do.
    """
    witness = Witness(slots=SLOTS, service_seconds=SERVICE_SECONDS)
    with running(witness.simulator) as zhipu:
        gateway = await start(start_gateway, zhipu.url, slots=SLOTS)
        flood, other = Caller(FLOOD_KEY, port(gateway)), Caller(OTHER_KEY, port(gateway))

        turns = await turns_beside_a_flood(witness, flood=flood, other=other)

    assert max(turn.passed for turn in turns) <= 2 * SLOTS


async def test_slot_is_free_when_its_caller_hangs_up_in_a_stream(start_gateway: StartGateway) -> None:
    """The connection to Zhipu is closed, and the next in line is served."""
    witness = Witness(slots=1, service_seconds=SERVICE_SECONDS)
    with running(witness.simulator) as zhipu:
        gateway = await start(start_gateway, zhipu.url, slots=1)

        async def someone_waits() -> bool:
            return gateway.waiting > 0

        found = await releases(
            witness, caller=Caller(OTHER_KEY, port(gateway)), someone_waits=someone_waits, rounds=5
        )

    assert max(one.closed_seconds for one in found) < RELEASE_SECONDS
    assert max(one.handed_on_seconds for one in found) < RELEASE_SECONDS
