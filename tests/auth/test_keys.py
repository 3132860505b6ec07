"""Keys of an issuer: fetched rarely, changed when the issuer changes them, kept while it does not answer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from gateway.auth import Authenticator, Issuer, Tenant
from gateway.auth.key_ring import create_client
from gateway.auth.keys import FRESH_SECONDS, MAX_BYTES, PAUSE_SECONDS, JwksKeys, usable_keys
from gateway.errors import AuthenticationFailed, KeysUnavailable
from tests.auth.issuing import AUDIENCE, ISSUER, Key, KeySetServer, claims, new_key, publishing, rsa_key
from tests.fakes import Clock

ISSUING = Issuer(name="company", issuer=ISSUER, audience=(AUDIENCE,), algorithms=("EdDSA", "RS256"))
FIRST, SECOND = new_key("first"), new_key("second")

Open = Callable[[KeySetServer], JwksKeys]


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
async def server() -> AsyncIterator[KeySetServer]:
    async with publishing(FIRST) as playing:
        yield playing


@pytest.fixture
async def keys(server: KeySetServer, clock: Clock) -> AsyncIterator[JwksKeys]:
    """Give the keys as the gateway sees them."""
    async with create_client() as client:
        yield JwksKeys(server.url, client=client, clock=clock)


async def caller_name(keys: JwksKeys, key: Key, **header: Any) -> str:
    authenticator = Authenticator([Tenant(name="team-a", tier="V1")], issuers=[(ISSUING, keys)])
    token = key.sign(claims(), **header)
    return (await authenticator.authenticate([(b"authorization", f"Bearer {token}".encode())])).name


async def test_keys_are_fetched_once_for_many_tokens(keys: JwksKeys, server: KeySetServer) -> None:
    """However many callers come at once, the issuer is asked once."""
    names = await asyncio.gather(*(caller_name(keys, FIRST) for _ in range(20)))

    assert ({"team-a"}, 1) == (set(names), server.requests)


async def test_new_key_is_believed_as_soon_as_a_token_names_it(
    keys: JwksKeys, server: KeySetServer, clock: Clock
) -> None:
    """When an issuer changes its keys, the first token of the new key makes us ask."""
    await caller_name(keys, FIRST)
    server.publish(FIRST, SECOND)
    clock.now += PAUSE_SECONDS

    names = await asyncio.gather(*(caller_name(keys, SECOND) for _ in range(20)))

    assert ({"team-a"}, 2) == (set(names), server.requests)


async def test_withdrawn_key_is_believed_no_more_when_keys_are_fetched_again(
    keys: JwksKeys, server: KeySetServer, clock: Clock
) -> None:
    await caller_name(keys, FIRST)
    server.publish(SECOND)
    clock.now += FRESH_SECONDS

    with pytest.raises(AuthenticationFailed, match="a key that its issuer does not have"):
        await caller_name(keys, FIRST)


async def test_invented_keys_do_not_make_us_ask_again_and_again(
    keys: JwksKeys, server: KeySetServer, clock: Clock
) -> None:
    """Whoever sends tokens of keys that are not there costs the issuer one request in ten seconds."""
    for number in range(50):
        with pytest.raises(AuthenticationFailed):
            await caller_name(keys, new_key(f"invented {number}"))
        clock.now += PAUSE_SECONDS / 25 + 0.001

    assert server.requests == 2


async def test_known_keys_serve_on_when_the_issuer_is_down(
    keys: JwksKeys, server: KeySetServer, clock: Clock
) -> None:
    await caller_name(keys, FIRST)
    server.say(b"", head="503 Service Unavailable")
    clock.now += FRESH_SECONDS

    assert [await caller_name(keys, FIRST) for _ in range(3)] == ["team-a"] * 3
    assert server.requests == 2


async def test_known_keys_serve_on_while_new_ones_are_fetched(
    keys: JwksKeys, server: KeySetServer, clock: Clock
) -> None:
    """A slow issuer holds up one caller, not all."""
    await caller_name(keys, FIRST)
    server.released.clear()
    server.asked.clear()
    clock.now += FRESH_SECONDS

    async with asyncio.TaskGroup() as tasks:
        fetching = tasks.create_task(caller_name(keys, FIRST))
        await server.asked.wait()
        meanwhile = await caller_name(keys, FIRST)
        assert (meanwhile, fetching.done()) == ("team-a", False)
        server.released.set()


@pytest.mark.parametrize(
    ("body", "head"),
    [
        pytest.param(b"", "500 Internal Server Error", id="a failure"),
        pytest.param(b"<html>", "200 OK", id="no JSON"),
        pytest.param(b'{"keys": 1}', "200 OK", id="no list"),
        pytest.param(b'{"keys": []}', "200 OK", id="no keys"),
        pytest.param(b'{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}', "200 OK", id="a secret key"),
        pytest.param(b'{"keys": [{"kty": "??"}, {}]}', "200 OK", id="unknown kinds"),
        pytest.param(b" " * (MAX_BYTES + 1), "200 OK", id="too much"),
    ],
)
async def test_no_caller_is_blamed_when_the_issuer_answers_with(
    keys: JwksKeys, server: KeySetServer, clock: Clock, body: bytes, head: str
) -> None:
    """Callers get a 503 at once until the next try, which may succeed."""
    server.say(body, head=head)

    for _ in range(3):
        with pytest.raises(KeysUnavailable) as raised:
            await caller_name(keys, FIRST)

    assert (503, 1) == (raised.value.status, server.requests)
    server.publish(FIRST)
    clock.now += PAUSE_SECONDS
    assert await caller_name(keys, FIRST) == "team-a"


async def test_log_says_why_keys_could_not_be_fetched(
    keys: JwksKeys, server: KeySetServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.say(b"", head="404 Not Found")

    with pytest.raises(KeysUnavailable):
        await caller_name(keys, FIRST)

    assert [f"The keys at {server.url} could not be fetched: HTTP status 404"] == caplog.messages


async def test_nobody_answering_is_told_like_a_failure(clock: Clock) -> None:
    async with create_client() as client:
        keys = JwksKeys("http://127.0.0.1:1/keys", client=client, clock=clock)

        with pytest.raises(KeysUnavailable):
            await caller_name(keys, FIRST)


async def test_redirect_is_not_followed(keys: JwksKeys, server: KeySetServer) -> None:
    """The operator's address is the only one; https cannot be led to http either."""
    async with publishing(FIRST) as elsewhere:
        server.say(b"", head=f"302 Found\r\nlocation: {elsewhere.url}")

        with pytest.raises(KeysUnavailable):
            await caller_name(keys, FIRST)

    assert (1, 0) == (server.requests, elsewhere.requests)


async def test_address_in_a_token_is_not_asked(keys: JwksKeys, server: KeySetServer) -> None:
    """A token that brings its own key, or says where it is, gains nothing by it."""
    forger = new_key("first")
    async with publishing(forger) as elsewhere:
        for header in ({"jku": elsewhere.url}, {"x5u": elsewhere.url}, {"jwk": forger.public}):
            with pytest.raises(AuthenticationFailed, match="signature is wrong"):
                await caller_name(keys, forger, **header)

    assert (0, 1) == (elsewhere.requests, server.requests)


async def test_key_without_an_id_verifies_tokens_without_one(keys: JwksKeys, server: KeySetServer) -> None:
    key = rsa_key("")
    del key.public["kid"]
    server.publish(key)

    assert await caller_name(keys, key) == "team-a"


def test_keys_that_cannot_verify_are_passed_over() -> None:
    """A key set may hold keys for other purposes and of kinds to come."""
    encrypting, key = rsa_key("1", use="enc"), new_key("2")
    rows = [encrypting.public, {"kty": "new"}, {"kty": "EC", "crv": "P-0"}, key.public]

    assert {"2"} == usable_keys(httpx.Response(200, json={"keys": rows}).content).keys()
