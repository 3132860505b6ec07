"""Tokens: what an issuer signed opens as far as the operator allows, and nothing else does."""

import hmac
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.auth import Authenticator, Caller, Issuer, Tenant, digest, tokens
from gateway.auth.keys import SharedSecret, usable_keys
from gateway.errors import AuthenticationFailed
from tests.auth.issuing import AUDIENCE, ISSUER, Key, claims, ec_key, encoded, new_key, rsa_key
from tests.fakes import Clock

SECRET = "a secret that the issuer and the gateway share"
KEY = "sk-glm-the-key-of-team-a"
KEY_LIKE_A_TOKEN = "company.team-a.0123456789abcdef"
TENANTS = (
    Tenant(
        name="team-a",
        key_sha256=(digest(KEY), digest(KEY_LIKE_A_TOKEN)),
        tier="V2",
        models=("glm-4.7",),
        strict=True,
    ),
    Tenant(name="team-b", tier="V3"),
)
ISSUING = Issuer(name="company", issuer=ISSUER, audience=(AUDIENCE, "glm"), algorithms=("HS256",))
AD_HOC = replace(ISSUING, ad_hoc=True, tier_claim="org.tier", tier="V1", max_tier="V2", tenant_claim="org.team")


def signed(secret: str = SECRET, *, algorithm: str = "HS256", **changed: Any) -> str:
    """Give a token, made by hand so that anything at all can be signed."""
    header = {"alg": algorithm, "typ": "JWT", "kid": "1"}
    text = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims(**changed)))
    return f"{text}.{encoded(hmac.digest(secret.encode(), text.encode(), 'sha256'))}"


def authenticator(issuer: Issuer = ISSUING, *, now: Callable[[], float] = time.time) -> Authenticator:
    return Authenticator(TENANTS, issuers=[(issuer, SharedSecret(SECRET))], now=now)


async def caller_of(token: str, issuer: Issuer = ISSUING) -> Caller:
    return await authenticator(issuer).authenticate([(b"authorization", b"Bearer " + token.encode())])


async def refused(token: str, issuer: Issuer = ISSUING) -> AuthenticationFailed:
    with pytest.raises(AuthenticationFailed) as raised:
        await caller_of(token, issuer)
    assert token not in raised.value.message
    return raised.value


async def test_token_means_the_tenant_that_it_names() -> None:
    """A listed tenant gets what the operator gave it, and nothing that a token says of itself."""
    token = signed(org={"tier": "V3"}, tier="V3", models=["glm-5"])

    expected = Caller(name="team-a", tier="V2", models=frozenset({"glm-4.7"}), strict=True)
    assert expected == await caller_of(token)
    assert expected == await authenticator().authenticate([(b"api-key", token.encode())])


@pytest.mark.parametrize("key", [KEY, KEY_LIKE_A_TOKEN])
async def test_keys_open_beside_tokens(key: str) -> None:
    """Whatever they look like: an operator may have given out any before there were tokens."""
    caller = await authenticator().authenticate([(b"x-api-key", key.encode())])

    assert caller.name == "team-a"


@pytest.mark.parametrize(
    ("changed", "issuer"),
    [
        pytest.param({"sub": "team-b"}, ISSUING, id="tenant without a key"),
        pytest.param({"sub": "x", "team": "team-b"}, replace(ISSUING, tenant_claim="team"), id="claim of its own"),
        pytest.param({"org": {"team": "team-b"}}, replace(ISSUING, tenant_claim="org.team"), id="path"),
        pytest.param(
            {"https://example.com/team": "team-b"},
            replace(ISSUING, tenant_claim="https://example.com/team"),
            id="name with dots",
        ),
        pytest.param({"sub": "team-b"}, replace(ISSUING, tenants=("team-b",)), id="tenant of this issuer"),
        pytest.param({"sub": "team-b", "aud": ["other", "glm"]}, ISSUING, id="one of several audiences"),
    ],
)
async def test_token_is_believed_with(changed: dict[str, Any], issuer: Issuer) -> None:
    assert (await caller_of(signed(**changed), issuer)).name == "team-b"


async def test_clocks_may_differ_by_the_leeway() -> None:
    now = int(time.time())

    for token in (signed(exp=now - 10), signed(nbf=now + 10), signed(iat=now + 10)):
        assert (await caller_of(token)).name == "team-a"


@pytest.mark.parametrize(
    ("token", "code"),
    [
        pytest.param(signed(exp=1_700_000_000), "token_expired", id="long expired"),
        pytest.param(signed(exp=int(time.time()) - 40), "token_expired", id="expired beyond the leeway"),
        pytest.param(signed(exp=None), "invalid_token", id="without an expiry"),
        pytest.param(signed(nbf=4_000_000_000), "invalid_token", id="not valid yet"),
        pytest.param(signed(aud="another-service"), "invalid_token", id="for somebody else"),
        pytest.param(signed(aud=None), "invalid_token", id="for nobody"),
        pytest.param(signed(iss="https://evil.example/"), "invalid_token", id="from somebody else"),
        pytest.param(signed(iss=None), "invalid_token", id="from nobody"),
        pytest.param(signed(iss=["https://login.example.com/"]), "invalid_token", id="from a list"),
        pytest.param(signed("another secret of at least 32 bytes"), "invalid_token", id="signed by somebody else"),
        pytest.param(signed()[:-4] + "AAAA", "invalid_token", id="with another signature"),
        pytest.param(signed().rpartition(".")[0] + ".", "invalid_token", id="without a signature"),
        pytest.param(signed(algorithm="none"), "invalid_token", id="algorithm none"),
        pytest.param(jwt.encode(claims(), "", algorithm="none"), "invalid_token", id="unsigned"),
        pytest.param(jwt.encode(claims(), SECRET * 2, "HS384"), "invalid_token", id="algorithm not allowed"),
        pytest.param(signed(sub="team-c"), "unknown_tenant", id="for a tenant that is not there"),
        pytest.param(signed(sub=digest(KEY)), "unknown_tenant", id="for the hash of a key"),
        pytest.param(signed(sub=None), "invalid_token", id="without a tenant"),
        pytest.param("a.b.c", "invalid_token", id="of three letters"),
        pytest.param("..", "invalid_token", id="of nothing"),
    ],
)
async def test_token_is_refused_when_it_is(token: str, code: str) -> None:
    """A wrong token is the caller's fault, says why, and is not said back."""
    error = await refused(token)

    assert (401, code) == (error.status, error.code)


async def test_issuer_cannot_speak_for_every_tenant_when_it_has_its_own() -> None:
    error = await refused(signed(sub="team-a"), replace(ISSUING, tenants=("team-b",)))

    assert error.code == "unknown_tenant"


@pytest.mark.parametrize(
    ("org", "tier"),
    [
        pytest.param({"tier": "V0"}, "V0", id="less than usual"),
        pytest.param({"tier": "V2"}, "V2", id="the most"),
        pytest.param({"tier": "V3"}, "V2", id="more than the most"),
        pytest.param({}, "V1", id="nothing"),
    ],
)
async def test_unlisted_tenant_gets_a_tier_within_bounds_when_the_token_claims(
    org: dict[str, str], tier: str
) -> None:
    """A token may ask for a tier; the operator says how high it goes."""
    caller = await caller_of(signed(org={"team": "auth0|42", **org}), AD_HOC)

    assert Caller(name="company/auth0|42", tier=tier) == caller  # type: ignore[arg-type]


async def test_tier_is_no_higher_than_the_usual_when_no_maximum_is_set() -> None:
    caller = await caller_of(signed(org={"team": "x", "tier": "V3"}), replace(AD_HOC, max_tier=None))

    assert caller.tier == "V1"


async def test_unlisted_tenant_never_gets_into_the_slots_of_a_listed_one() -> None:
    """Slots are counted per name, so the name of an unlisted tenant cannot be one that is listed."""
    caller = await caller_of(signed(org={"team": "team-a"}), replace(AD_HOC, models=("glm-4.7",)))

    assert Caller(name="company/team-a", tier="V1", models=frozenset({"glm-4.7"})) == caller


@pytest.mark.parametrize(
    "org",
    [
        pytest.param({"team": "x", "tier": "gold"}, id="unknown tier"),
        pytest.param({"team": "x", "tier": 3}, id="tier as a number"),
        pytest.param({"team": ["x"]}, id="tenant in a list"),
        pytest.param({"team": ""}, id="tenant without a name"),
        pytest.param({"team": "a{b}"}, id="braces"),
        pytest.param({"team": "x\n"}, id="line break"),
        pytest.param({"team": "x" * 129}, id="name too long"),
        pytest.param("team", id="text for a table"),
    ],
)
async def test_unlisted_tenant_is_refused_when_the_token_claims(org: Any) -> None:
    error = await refused(signed(org=org), AD_HOC)

    assert error.code == "invalid_token"


@pytest.mark.parametrize("key", [rsa_key("1"), ec_key("1"), new_key("1")], ids=lambda key: key.algorithm)
async def test_public_key_verifies_what_its_issuer_signed(key: Key) -> None:
    """Every algorithm that can be listed works; another one with the same key set does not."""
    published = usable_keys(key_set(key))
    issuer = replace(ISSUING, algorithms=(key.algorithm,))
    other = replace(ISSUING, algorithms=tuple({"RS256", "ES256", "EdDSA"} - {key.algorithm}))
    headers = [(b"authorization", f"Bearer {key.sign(claims())}".encode())]

    caller = await Authenticator(TENANTS, issuers=[(issuer, Published(published))]).authenticate(headers)

    assert caller.name == "team-a"
    with pytest.raises(AuthenticationFailed, match="not allowed to its issuer"):
        await Authenticator(TENANTS, issuers=[(other, Published(published))]).authenticate(headers)


async def test_public_key_is_no_secret_to_sign_with() -> None:
    """The oldest trick: HS256 with the published key as its secret."""
    key = rsa_key("1")
    published = usable_keys(key_set(key))
    forged = signed(str(key.public["n"]))
    issuer = replace(ISSUING, algorithms=("RS256",))

    with pytest.raises(AuthenticationFailed):
        await Authenticator(TENANTS, issuers=[(issuer, Published(published))]).authenticate(
            [(b"api-key", forged.encode())]
        )


async def test_token_is_verified_once_a_minute() -> None:
    """The key is looked for again only when a minute has passed, or the token has expired."""
    keys, clock = CountingSecret(), Clock(time.time())
    subject = Authenticator(TENANTS, issuers=[(ISSUING, keys)], now=clock)
    long, short = [(b"api-key", signed(exp=int(clock.now) + lasting).encode()) for lasting in (3600, 20)]

    asked = []
    for seconds in (0, 19, 2, 38, 2):
        clock.now += seconds
        await subject.authenticate([long])
        await subject.authenticate([short])
        asked.append(keys.asked)

    # At 19 s both are remembered; at 21 s the short one has expired; at 59 s still only that one; at 61 s both.
    assert asked == [2, 2, 3, 4, 6]


async def test_tokens_that_differ_in_one_letter_are_told_apart() -> None:
    """What is remembered of one token never serves for another, whatever they have in common."""
    subject, good = authenticator(), signed()
    await subject.authenticate([(b"api-key", good.encode())])
    forged = signed(sub="team-b").rpartition(".")[0] + "." + good.rpartition(".")[2]

    for token in (forged, good[:-1], good + "A", good.replace(".", ".A", 1)):
        with pytest.raises(AuthenticationFailed):
            await subject.authenticate([(b"api-key", token.encode())])


async def test_only_so_many_tokens_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MAX_REMEMBERED", 3)
    keys = CountingSecret()
    subject = Authenticator(TENANTS, issuers=[(ISSUING, keys)])
    presented = [(b"api-key", signed(jti=str(number)).encode()) for number in range(4)]

    for one in (*presented, presented[3], presented[0]):
        await subject.authenticate([one])

    assert keys.asked == 5


@given(token=st.one_of(st.binary(), st.lists(st.binary().map(encoded), min_size=3, max_size=3).map(".".join)))
async def test_nothing_but_a_refusal_comes_of(token: bytes | str) -> None:
    """Whatever is sent as a token or key, the answer is a refusal."""
    credential = token.encode() if isinstance(token, str) else token

    with pytest.raises(AuthenticationFailed):
        await authenticator().authenticate([(b"api-key", credential)])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    said=st.dictionaries(st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "sub", "jti", "org"]), json_values),
    issuer=st.sampled_from([ISSUING, AD_HOC]),
)
async def test_signed_nonsense_is_refused_in_words(said: dict[str, Any], issuer: Issuer) -> None:
    """An issuer that signs nonsense gets its callers a 401, not a mistake of ours."""
    token = signed(**said)

    with suppress(AuthenticationFailed):
        assert (await caller_of(token, issuer)).name.startswith(("team-", "company/"))


def key_set(key: Key) -> bytes:
    return json.dumps({"keys": [key.public]}).encode()


class Published:
    """Keys that need no fetching."""

    def __init__(self, keys: dict[str, jwt.PyJWK]) -> None:
        self._keys = keys

    async def find(self, key_id: str) -> jwt.PyJWK | None:
        return self._keys.get(key_id)


class CountingSecret(SharedSecret):
    """The secret, and how often it was asked for."""

    def __init__(self) -> None:
        super().__init__(SECRET)
        self.asked = 0

    async def find(self, key_id: str) -> jwt.PyJWK:
        self.asked += 1
        return await super().find(key_id)
