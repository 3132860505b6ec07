"""Who calls: keys in every header form mean the same, and nothing else opens the door."""

import pytest

from gateway.auth import Authenticator, Caller, Tenant, digest, presented_credential
from gateway.errors import AuthenticationFailed

KEY = "sk-glm-the-key-of-team-a"
OLD_KEY = "sk-glm-the-key-that-team-a-had"
TEAM_A = Tenant(
    name="team-a",
    key_sha256=(digest(KEY), digest(OLD_KEY)),
    tier="V2",
    models=("GLM-4.7", "whisper-1"),
    strict=True,
    queue_timeout_seconds=3,
    reasoning_effort="low",
)

Headers = list[tuple[bytes, bytes]]


def bearer(key: str) -> Headers:
    return [(b"host", b"gateway"), (b"authorization", b"Bearer " + key.encode())]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(bearer(KEY), id="bearer"),
        pytest.param([(b"authorization", b"bEaReR  " + KEY.encode() + b" ")], id="scheme in any case"),
        pytest.param([(b"x-api-key", KEY.encode())], id="x-api-key"),
        pytest.param([(b"api-key", KEY.encode())], id="api-key"),
        pytest.param(
            [(b"authorization", b"Basic dXNlcg=="), (b"api-key", KEY.encode())], id="api-key beside basic"
        ),
        pytest.param([(b"api-key", b"wrong"), *bearer(KEY)], id="bearer beats api-key before it"),
        pytest.param([*bearer(KEY), (b"x-api-key", b"wrong")], id="bearer beats x-api-key after it"),
        pytest.param(bearer(OLD_KEY), id="second key while rotating"),
    ],
)
async def test_caller_is_known_when_the_key_comes_as(headers: Headers) -> None:
    """Every form in which a client can send a key leads to the same caller."""
    caller = await Authenticator([TEAM_A]).authenticate(headers)

    assert caller.name == "team-a"


async def test_caller_carries_what_its_tenant_may_do() -> None:
    """What exchanges need of a tenant is in the caller, with models by the catalogue's ids."""
    ids = {"GLM-4.7": "glm-4.7", "whisper-1": "glm-asr"}

    caller = await Authenticator([TEAM_A], model_id=ids.__getitem__).authenticate(bearer(KEY))

    expected = Caller(
        name="team-a",
        tier="V2",
        models=frozenset({"glm-4.7", "glm-asr"}),
        strict=True,
        queue_timeout_seconds=3,
        reasoning_effort="low",
    )
    assert expected == caller


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="no header"),
        pytest.param([(b"authorization", b"Bearer ")], id="empty bearer"),
        pytest.param([(b"authorization", b"Bearer")], id="scheme alone"),
        pytest.param([(b"authorization", KEY.encode())], id="no scheme"),
        pytest.param([(b"authorization", b"Basic " + KEY.encode())], id="other scheme"),
        pytest.param([(b"api-key", b"")], id="empty api-key"),
    ],
)
async def test_request_is_told_how_to_send_a_key_when_there_is(headers: Headers) -> None:
    with pytest.raises(AuthenticationFailed, match="Authorization: Bearer") as raised:
        await Authenticator([TEAM_A]).authenticate(headers)

    assert raised.value.code == "missing_api_key"


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("sk-somebody-elses", id="unknown"),
        pytest.param(KEY + "x", id="longer"),
        pytest.param(KEY[:-1], id="shorter"),
        pytest.param(KEY.upper(), id="other case"),
        pytest.param(digest(KEY), id="the stored hash itself"),
        pytest.param("schlüssel", id="not ASCII"),
    ],
)
async def test_request_is_refused_when_the_key_is(key: str) -> None:
    """Only a key opens, not what is kept of it; and what was sent is not said back."""
    with pytest.raises(AuthenticationFailed) as raised:
        await Authenticator([TEAM_A]).authenticate(bearer(key))

    assert raised.value.code == "invalid_api_key"
    assert key not in raised.value.message


async def test_nobody_is_known_when_there_are_no_tenants() -> None:
    with pytest.raises(AuthenticationFailed):
        await Authenticator([]).authenticate(bearer(KEY))


def test_first_of_several_other_headers_is_believed() -> None:
    headers = [(b"x-api-key", b"first"), (b"api-key", b"second")]

    assert presented_credential(headers) == b"first"
