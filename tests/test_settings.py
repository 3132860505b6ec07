"""What the operator says is taken whole, or refused with every reason at once; no secret is ever repeated."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.auth import Tenant, digest
from gateway.settings import (
    Account,
    Chat,
    Jwt,
    Logs,
    Redis,
    Secret,
    Settings,
    SettingsError,
    Upstream,
    fingerprint,
    load,
    needing_restart,
)
from gateway.settings.environment import PLAIN

KEY = "0123456789abcdef.fedcba9876543210"
CLIENT_KEY = "sk-glm-0123456789abcdef"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "gateway.toml"


def problems(environ: Mapping[str, str], *, config_path: Path | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as raised:
        load(environ, config_path=config_path)
    return raised.value.problems


def test_everything_has_a_default_when_nothing_is_said() -> None:
    settings = load({})

    assert (settings.host, settings.port, settings.metrics_port) == ("127.0.0.1", 8080, 9464)
    assert settings.upstream_url == "https://open.bigmodel.cn/api/paas/v4"
    assert settings.realtime_url == "wss://open.bigmodel.cn/api/paas/v4/realtime"
    assert (settings.queue_timeout_seconds, settings.realtime_queue_timeout_seconds) == (30, 5)
    assert (settings.lease_seconds, settings.drain_seconds) == (15, 60)
    assert (settings.simulator, settings.tenants, settings.warnings) == (True, (), ())


def test_environment_alone_is_enough() -> None:
    """Every variable of the quick start is understood."""
    settings = load(
        {
            "ZHIPU_API_KEY": f" {KEY}\n",
            "GATEWAY_ACCOUNT_TIER": "V2",
            "GATEWAY_UPSTREAM_URL": "http://127.0.0.1:8090/api/paas/v4/",
            "GATEWAY_KEYS": f"team-a:{CLIENT_KEY}:V1, team-b:with:colons:inside:it:V3",
            "GATEWAY_HOST": "0.0.0.0",
            "GATEWAY_PORT": "80",
            "GATEWAY_METRICS_PORT": "81",
            "GATEWAY_QUEUE_TIMEOUT_SECONDS": "1.5",
            "GATEWAY_LIMITS": "glm-4.7=3/5/10/20, embedding-3=50/100/300/500",
            "GATEWAY_ALIASES": "whisper-1=glm-asr, gpt-4o=glm-4.7",
            "GATEWAY_CORS_ORIGINS": "https://a.example, http://localhost:3000",
            "GATEWAY_CHAT_ON_DISCONNECT": "drain",
            "UNRELATED": "ignored",
        }
    )

    expected = Settings(
        host="0.0.0.0",
        port=80,
        metrics_port=81,
        upstream_url="http://127.0.0.1:8090/api/paas/v4",
        realtime_url="ws://127.0.0.1:8090/api/paas/v4/realtime",
        accounts=(Account(name="default", api_key=Secret(KEY), tier="V2"),),
        tenants=(
            Tenant(name="team-a", key_sha256=(digest(CLIENT_KEY),), tier="V1"),
            Tenant(name="team-b", key_sha256=(digest("with:colons:inside:it"),), tier="V3"),
        ),
        queue_timeout_seconds=1.5,
        limits={
            "glm-4.7": {"V0": 3, "V1": 5, "V2": 10, "V3": 20},
            "embedding-3": {"V0": 50, "V1": 100, "V2": 300, "V3": 500},
        },
        aliases={"whisper-1": "glm-asr", "gpt-4o": "glm-4.7"},
        cors_origins=("https://a.example", "http://localhost:3000"),
        chat=Chat(on_disconnect="drain"),
    )
    assert expected == settings


def test_file_says_everything(config: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    config.write_text(
        f"""
        port = 8081
        models_file = "models.toml"
        [[accounts]]
        name = "main"
        api_key_env = "ZHIPU_API_KEY"
        tier = "V1"
        [[accounts]]
        name = "second"
        api_key_file = "{tmp_path / "key"}"
        [[accounts]]
        name = "third"
        api_key = "third-key"
        [[tenants]]
        name = "team-a"
        key_sha256 = ["{digest("old")}", "{digest("new")}"]
        tier = "V2"
        models = ["glm-4.7"]
        strict = true
        queue_timeout_seconds = 0
        reasoning_effort = "low"
        [limits]
        on_lost_lease = "finish"
        [limits."glm-4.7"]
        V2 = 12
        [aliases]
        "whisper-1" = "glm-asr"
        [upstream]
        connect_timeout_seconds = 1
        [logs]
        format = "json"
        """
    )

    settings = load({"ZHIPU_API_KEY": "main-key"}, config_path=config)

    expected = Settings(
        port=8081,
        models_file=Path("models.toml"),
        accounts=(
            Account(name="main", api_key=Secret("main-key"), tier="V1"),
            Account(name="second", api_key=Secret(KEY)),
            Account(name="third", api_key=Secret("third-key")),
        ),
        tenants=(
            Tenant(
                name="team-a",
                key_sha256=(digest("old"), digest("new")),
                tier="V2",
                models=("glm-4.7",),
                strict=True,
                queue_timeout_seconds=0,
                reasoning_effort="low",
            ),
        ),
        on_lost_lease="finish",
        limits={"glm-4.7": {"V2": 12}},
        aliases={"whisper-1": "glm-asr"},
        upstream=Upstream(connect_timeout_seconds=1),
        logs=Logs(format="json"),
        files=settings.files,
    )
    assert expected == settings
    assert {config, tmp_path / "key", Path("models.toml")} == settings.files.keys()


def test_environment_wins_over_the_file(config: Path) -> None:
    """Setting by setting, limit by limit and tenant by tenant; what the environment does not say stays."""
    config.write_text(
        f"""
        port = 1
        drain_seconds = 7
        [[tenants]]
        name = "team-a"
        key_sha256 = ["{digest("from the file")}"]
        tier = "V0"
        [[tenants]]
        name = "team-b"
        key_sha256 = ["{digest("b")}"]
        tier = "V0"
        [limits."glm-4.7"]
        V0 = 1
        [limits."glm-4.6"]
        V0 = 1
        [chat]
        heartbeat_seconds = 1
        drain_cap_seconds = 2
        """
    )

    settings = load(
        {
            "GATEWAY_CONFIG": str(config),
            "GATEWAY_PORT": "2",
            "GATEWAY_KEYS": f"team-a:{CLIENT_KEY}:V3",
            "GATEWAY_LIMITS": "glm-4.7=2/2/2/2",
            "GATEWAY_CHAT_HEARTBEAT_SECONDS": "9",
        }
    )

    assert (settings.port, settings.drain_seconds) == (2, 7)
    assert {one.name: one.tier for one in settings.tenants} == {"team-a": "V3", "team-b": "V0"}
    assert settings.limits == {"glm-4.7": dict.fromkeys(("V0", "V1", "V2", "V3"), 2), "glm-4.6": {"V0": 1}}
    assert Chat(heartbeat_seconds=9, drain_cap_seconds=2) == settings.chat


def test_environment_wins_over_a_secret_that_the_file_keeps_elsewhere(config: Path) -> None:
    """Not both are read, and not "said twice" is the complaint."""
    config.write_text("redis.url_env = 'NO_SUCH'")

    settings = load({"GATEWAY_REDIS_URL": "redis://localhost"}, config_path=config)

    assert Secret("redis://localhost") == settings.redis.url


def test_given_path_wins_over_the_variable(config: Path) -> None:
    config.write_text("port = 3")

    assert load({"GATEWAY_CONFIG": "/nowhere"}, config_path=config).port == 3


def test_every_plain_setting_has_a_variable() -> None:
    """The names in the documentation of the contract are among those derived from key paths."""
    documented = {
        "GATEWAY_UPSTREAM_URL": ("upstream_url",),
        "GATEWAY_REALTIME_URL": ("realtime_url",),
        "GATEWAY_REDIS_URL": ("redis", "url"),
        "GATEWAY_HOST": ("host",),
        "GATEWAY_PORT": ("port",),
        "GATEWAY_METRICS_PORT": ("metrics_port",),
        "GATEWAY_QUEUE_TIMEOUT_SECONDS": ("queue_timeout_seconds",),
        "GATEWAY_LEASE_SECONDS": ("lease_seconds",),
        "GATEWAY_DRAIN_SECONDS": ("drain_seconds",),
    }

    assert documented.items() <= PLAIN.items()


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        pytest.param(
            {"GATEWAY_PROT": "1"},
            "GATEWAY_PROT is not a variable of this gateway; did you mean GATEWAY_PORT?",
            id="unknown variable",
        ),
        pytest.param(
            {"GATEWAY_PORT_8080_TCP": "tcp://10.0.0.1:8080"},
            "GATEWAY_PORT_8080_TCP is not a variable of this gateway; Kubernetes sets it for a Service named "
            "'gateway': set enableServiceLinks to false.",
            id="variable that Kubernetes sets",
        ),
        pytest.param(
            {"GATEWAY_PORT": "eighty"},
            "GATEWAY_PORT must be a whole number from 0 to 65535, not 'eighty'.",
            id="not a number",
        ),
        pytest.param(
            {"GATEWAY_PORT": "70000"},
            "GATEWAY_PORT must be a whole number from 0 to 65535, not '70000'.",
            id="out of range",
        ),
        pytest.param(
            {"GATEWAY_LEASE_SECONDS": "0"},
            "GATEWAY_LEASE_SECONDS must be a number from 0.5 to 31536000, not '0'.",
            id="lease of no time",
        ),
        pytest.param(
            {"GATEWAY_LEASE_SECONDS": "0.1"},
            "GATEWAY_LEASE_SECONDS must be a number from 0.5 to 31536000, not '0.1'.",
            id="lease that ends while it is renewed",
        ),
        pytest.param(
            {"GATEWAY_DRAIN_SECONDS": "inf"},
            "GATEWAY_DRAIN_SECONDS must be a number from 0 to 31536000, not 'inf'.",
            id="seconds without end",
        ),
        pytest.param(
            {"GATEWAY_UPSTREAM_READ_TIMEOUT_SECONDS": "nan"},
            "GATEWAY_UPSTREAM_READ_TIMEOUT_SECONDS must be a number greater than 0, at most 31536000, not 'nan'.",
            id="seconds that are no number",
        ),
        pytest.param(
            {"GATEWAY_ACCOUNT_TIER": "V9"},
            "GATEWAY_ACCOUNT_TIER must be one of V0, V1, V2, V3, not 'V9'.",
            id="tier that is none, of no account",
        ),
        *(
            pytest.param(
                {f"GATEWAY_{setting.upper()}": url},
                f"{setting} must name a host, and after a colon, if any, a port from 1 to 65535.",
                id=f"{setting} that leads nowhere: {url}",
            )
            for setting, url in (
                ("upstream_url", "https://x:65536/api"),
                ("upstream_url", "http://x:eighty"),
                ("upstream_url", "http://:80"),
                ("upstream_url", "http://[::1"),
                ("upstream_url", "http://x:0"),
                ("realtime_url", "wss://x:99999"),
                ("cors_origins", "https://x:70000"),
                ("upstream_url", "https://a..example"),
                ("realtime_url", f"wss://{'a' * 64}.example"),
            )
        ),
        *(
            pytest.param(
                {"GATEWAY_HOST": host},
                "host must be a host name or address of this machine.",
                id=f"host {host!a:.9}",
            )
            for host in ("a..example", "a" * 64, "\udcff")
        ),
        pytest.param(
            {"GATEWAY_PORT": "\udcff"},
            "GATEWAY_PORT must be a whole number from 0 to 65535, not '\\udcff'.",
            id="bytes that are no text",
        ),
        pytest.param(
            {"GATEWAY_LOGS_LEVEL": "loud"},
            "GATEWAY_LOGS_LEVEL must be one of debug, error, info, warning, not 'loud'.",
            id="not one of the words",
        ),
        pytest.param(
            {"GATEWAY_UPSTREAM_URL": "ftp://x"},
            "GATEWAY_UPSTREAM_URL must be an http:// or https:// address without user, query or fragment.",
            id="address of another protocol",
        ),
        pytest.param(
            {"GATEWAY_UPSTREAM_URL": "https://user:pass@x"},
            "GATEWAY_UPSTREAM_URL must be an http:// or https:// address without user, query or fragment.",
            id="address with a password",
        ),
        pytest.param(
            {"GATEWAY_REALTIME_URL": "https://x"},
            "GATEWAY_REALTIME_URL must be a ws:// or wss:// address without user, query or fragment.",
            id="realtime over https",
        ),
        pytest.param(
            {"GATEWAY_CORS_ORIGINS": "example.com"},
            "GATEWAY_CORS_ORIGINS must be a list, each '*' or origins such as https://app.example.com.",
            id="origin without scheme",
        ),
        pytest.param(
            {"ZHIPU_API_KEY": ""},
            "ZHIPU_API_KEY is empty; give it a value, or leave it unset.",
            id="empty account key",
        ),
        pytest.param(
            {"ZHIPU_API_KEY": "two words"},
            "ZHIPU_API_KEY gives a secret with spaces or other characters that no key has.",
            id="account key with a space",
        ),
        pytest.param(
            {"ZHIPU_API_KEY": KEY, "GATEWAY_ACCOUNT_TIER": "V9"},
            "GATEWAY_ACCOUNT_TIER must be one of V0, V1, V2, V3, not 'V9'.",
            id="unknown account tier",
        ),
        pytest.param(
            {"GATEWAY_KEYS": f"a:{CLIENT_KEY}:v1"},
            "GATEWAY_KEYS, entry 1 must read name:key:tier, with a tier of V0, V1, V2, V3.",
            id="unknown tenant tier",
        ),
        pytest.param(
            {"GATEWAY_KEYS": f"a:{CLIENT_KEY}:V1,{CLIENT_KEY}"},
            "GATEWAY_KEYS, entry 2 must read name:key:tier, with a tier of V0, V1, V2, V3.",
            id="bare key",
        ),
        pytest.param(
            {"GATEWAY_KEYS": "a::V1"},
            "GATEWAY_KEYS, entry 1 gives an empty secret; give the secret, or leave the setting out.",
            id="empty tenant key",
        ),
        pytest.param(
            {"GATEWAY_KEYS": f":{CLIENT_KEY}:V1"},
            "The name in GATEWAY_KEYS, entry 1 must be a name of 1 to 64 letters, digits, spaces or ._@-.",
            id="nameless tenant",
        ),
        pytest.param(
            {"GATEWAY_KEYS": f"a:{CLIENT_KEY}:V1,a:{CLIENT_KEY}2:V1"},
            "Two tenants are named a; give each its own name.",
            id="tenant twice",
        ),
        pytest.param(
            {"GATEWAY_KEYS": f"a:{CLIENT_KEY}:V1,b:{CLIENT_KEY}:V2"},
            "The same key is listed more than once (a, b); a key means one tenant.",
            id="key twice",
        ),
        pytest.param(
            {"GATEWAY_LIMITS": "glm-4.7=3/5/10"},
            "GATEWAY_LIMITS must read model=V0/V1/V2/V3,… such as glm-4.7=3/5/10/20, not 'glm-4.7=3/5/10'.",
            id="three limits",
        ),
        pytest.param(
            {"GATEWAY_LIMITS": "glm-4.7=0/5/10/20"},
            "GATEWAY_LIMITS must be a whole number of at least 1, not '0'.",
            id="limit of none",
        ),
        pytest.param(
            {"GATEWAY_ALIASES": "whisper-1"},
            "GATEWAY_ALIASES must read alias=model,… such as whisper-1=glm-asr.",
            id="alias of nothing",
        ),
        pytest.param(
            {"GATEWAY_METRICS_PORT": "8080"},
            "port and metrics_port are both 8080; metrics need a port of their own.",
            id="metrics on the public port",
        ),
        pytest.param(
            {"GATEWAY_REDIS_URL": "http://user:hush@redis"},
            "redis.url: This is no URL of Redis. Right are redis://[user:password@]host[:port][/database], "
            "rediss://… for TLS, unix:///path/to/socket, redis+cluster://host1:port,host2:port or "
            "redis+sentinel://host1:port,host2:port/primary[/database].",
            id="redis elsewhere",
        ),
        pytest.param(
            {"GATEWAY_CONFIG": "/nowhere.toml"},
            "The configuration file /nowhere.toml cannot be read: No such file or directory.",
            id="no such file",
        ),
    ],
)
def test_variable_is_refused_when(environ: Mapping[str, str], problem: str) -> None:
    """The sentence names the variable, what was wrong and what would be right."""
    assert (problem,) == problems(environ)


ACCOUNT = 'accounts = [{ name = "a", api_key = "k" }]\n'
TENANT_KEY = f'key_sha256 = ["{digest("k")}"]'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("prot = 1", "prot is not a setting; did you mean port?", id="unknown key"),
        pytest.param("warnings = []", "warnings is not a setting.", id="what is found, not configured"),
        pytest.param(
            "[chat]\non_disconect = 'drain'",
            "chat.on_disconect is not a setting; did you mean on_disconnect?",
            id="unknown key in a table",
        ),
        pytest.param(
            "port = '80'", "port must be a whole number from 0 to 65535, not '80'.", id="text for a number"
        ),
        pytest.param("chat = 1", "chat must be a table.", id="value for a table"),
        pytest.param(
            "accounts = 1",
            "accounts must be a list of tables, each written under [[accounts]].",
            id="value for a list of tables",
        ),
        pytest.param("limits = 1", 'limits must be tables such as [limits."glm-4.7"].', id="value for limits"),
        pytest.param(
            "[limits.'glm-4.7']\nV4 = 1",
            'limits."glm-4.7".V4 is not a tier; there are V0, V1, V2, V3.',
            id="unknown tier",
        ),
        pytest.param(
            "[limits.glm-4.7]\nV0 = 1",
            'limits."glm-4".7 is not a tier; there are V0, V1, V2, V3. '
            'A name with a dot needs quotes, as in "glm-4.7".',
            id="model without quotes",
        ),
        pytest.param(
            "[aliases]\ngpt-4.1 = 'glm-4.7'",
            'aliases.gpt-4 must be text. A name with a dot needs quotes, as in "glm-4.7".',
            id="alias without quotes",
        ),
        pytest.param(
            "[limits]\n'glm-4.7' = 1",
            'limits."glm-4.7" must be a table with V0, V1, V2, V3.',
            id="limit of no tier",
        ),
        pytest.param(
            "[limits]\non_lost_leases = 'stop'",
            "limits.on_lost_leases is not a setting; did you mean on_lost_lease?",
            id="misspelt setting among limits",
        ),
        pytest.param(
            "[[tenants]]\nname = 'a'\ntier = 'V1'",
            "Tenant a has no key_sha256, so nobody can call as it; list one, or [[jwt]].",
            id="tenant without a key",
        ),
        pytest.param(
            "[[tenants]]\nname = 'a'\ntier = 'V1'\nkey_sha256 = []",
            "Tenant a has no key_sha256, so nobody can call as it; list one, or [[jwt]].",
            id="tenant with no keys",
        ),
        pytest.param(
            f"[[tenants]]\nname = 'a'\ntier = 'V1'\nkey_sha256 = ['{CLIENT_KEY}']",
            "tenants[0].key_sha256 must be a list, each 64 lower-case hex digits.",
            id="key where its hash belongs",
        ),
        pytest.param(
            f"[[tenants]]\nname = 'a'\ntier = 'V1'\n{TENANT_KEY}\nreasoning_effort = 'much'",
            "tenants[0].reasoning_effort must be one of high, low, max, medium, minimal, none, xhigh, not 'much'.",
            id="unknown effort",
        ),
        pytest.param(
            "[[accounts]]\nname = 'a'",
            "accounts[0].api_key is missing; say api_key, api_key_env, api_key_file.",
            id="account without a key",
        ),
        pytest.param(
            "[[accounts]]\nname = 'a'\napi_key = ' '",
            "accounts[0].api_key gives an empty secret; give the secret, or leave the setting out.",
            id="empty account key",
        ),
        pytest.param(
            "[[accounts]]\nname = 'a'\napi_key = 1", "accounts[0].api_key must be text.", id="number for a key"
        ),
        pytest.param(
            "[[accounts]]\nname = 'a'\napi_key = 'k'\napi_key_env = 'K'",
            "accounts[0].api_key is said 2 times (api_key, api_key_env); keep one.",
            id="key said twice",
        ),
        pytest.param(
            "[[accounts]]\nname = 'a'\napi_key_env = 'NO_SUCH'",
            "accounts[0].api_key_env must name an environment variable; NO_SUCH is not set.",
            id="key in no variable",
        ),
        pytest.param(
            f"[[accounts]]\nname = 'a'\napi_key_env = '{KEY}'",
            "accounts[0].api_key_env must name an environment variable; that is not set.",
            id="key where its variable belongs",
        ),
        pytest.param(
            f"[[accounts]]\nname = 'a'\napi_key_file = '/nowhere/{KEY}'",
            "accounts[0].api_key_file must name a file that can be read: No such file or directory.",
            id="key in no file",
        ),
        pytest.param(
            f"{ACCOUNT}".replace("]", ', { name = "a", api_key = "l" }]'),
            "Two accounts are named a; give each its own name.",
            id="account twice",
        ),
        pytest.param(
            f"{ACCOUNT}".replace("]", ', { name = "b", api_key = "k" }]'),
            "Two accounts have the same key; list each account once, or its limits would be counted twice.",
            id="account key twice",
        ),
    ],
)
def test_file_is_refused_when_it_has(config: Path, text: str, problem: str) -> None:
    """The sentence names the key path, what was wrong and what would be right."""
    config.write_text(text)

    assert (problem,) == problems({}, config_path=config)


SHARED = "a-secret-that-the-issuer-and-the-gateway-share"
ISSUER = {
    "name": '"company"',
    "issuer": '"https://login.example.com/"',
    "audience": '["glm-gateway"]',
    "algorithms": '["RS256"]',
    "jwks_url": '"https://login.example.com/keys"',
}


def issuer(**changed: str | None) -> str:
    """Give the table of an issuer in order, with changes; None leaves a key out."""
    said = {name: value for name, value in {**ISSUER, **changed}.items() if value is not None}
    return "[[jwt]]\n" + "\n".join(f"{name} = {value}" for name, value in said.items()) + "\n"


def test_issuer_is_read(config: Path) -> None:
    """A tenant that calls with tokens only needs no key."""
    more = {"leeway_seconds": "5", "tenant_claim": '"org.team"', "tenants": '["a"]'}
    config.write_text("[[tenants]]\nname = 'a'\ntier = 'V1'\n" + issuer(**more))

    settings = load({"ZHIPU_API_KEY": KEY}, config_path=config)

    expected = Jwt(
        name="company",
        issuer="https://login.example.com/",
        audience=("glm-gateway",),
        algorithms=("RS256",),
        jwks_url="https://login.example.com/keys",
        leeway_seconds=5,
        tenant_claim="org.team",
        tenants=("a",),
    )
    assert (expected,) == settings.jwt
    assert settings.warnings == ()


def test_issuer_with_a_secret_is_read(config: Path) -> None:
    config.write_text(issuer(jwks_url=None, algorithms='["HS256"]', secret_env='"SHARED"', ad_hoc="true"))

    settings = load({"SHARED": SHARED, "ZHIPU_API_KEY": KEY}, config_path=config)

    assert (Secret(SHARED), True) == (settings.jwt[0].secret, settings.jwt[0].ad_hoc)
    assert settings.warnings == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            issuer(jwks_url=None),
            "The issuer company in [[jwt]] needs one of secret (or secret_env, secret_file) and jwks_url.",
            id="neither keys nor a secret",
        ),
        pytest.param(
            issuer(secret=f'"{SHARED}"'),
            "The issuer company in [[jwt]] needs one of secret (or secret_env, secret_file) and jwks_url.",
            id="keys and a secret",
        ),
        pytest.param(
            issuer(algorithms='["RS256", "HS256"]'),
            "The issuer company in [[jwt]] has a jwks_url, whose keys are public; HS256 needs a secret.",
            id="a public key for a secret",
        ),
        pytest.param(
            issuer(jwks_url=None, secret=f'"{SHARED}"'),
            'The issuer company in [[jwt]] has a secret, so algorithms must be ["HS256"]; others need a jwks_url.',
            id="a secret for a public key",
        ),
        pytest.param(
            issuer(jwks_url=None, secret='"short"', algorithms='["HS256"]'),
            "The issuer company in [[jwt]] has a secret of fewer than 32 characters; make a long one.",
            id="a short secret",
        ),
        pytest.param(
            issuer(algorithms='["none"]'),
            "jwt[0].algorithms must be a list, each one of ES256, EdDSA, HS256, RS256.",
            id="no signature",
        ),
        pytest.param(
            issuer(algorithms="[]"),
            "jwt[0].algorithms must be a list, each one of ES256, EdDSA, HS256, RS256.",
            id="no algorithm",
        ),
        pytest.param(
            issuer(jwks_url='"http://login.example.com/keys"'),
            "jwt[0].jwks_url must be an https:// address, or an http:// one of this machine.",
            id="keys over plain http",
        ),
        pytest.param(
            issuer(jwks_url='"http://localhost.example.com/keys"'),
            "jwt[0].jwks_url must be an https:// address, or an http:// one of this machine.",
            id="keys of a machine that is called like this one",
        ),
        pytest.param(
            issuer(jwks_url='"http://127.0.0.1:80@example.com/keys"'),
            "jwt[0].jwks_url must be an https:// address, or an http:// one of this machine.",
            id="keys of a machine behind a user",
        ),
        pytest.param(
            issuer(audience=None), "jwt[0].audience is missing; it must be a list, each text.", id="no audience"
        ),
        pytest.param(issuer(audience="[]"), "jwt[0].audience must be a list, each text.", id="an empty audience"),
        pytest.param(
            issuer(leeway_seconds="3600"),
            "jwt[0].leeway_seconds must be a number from 0 to 300, not 3600.",
            id="an hour of leeway",
        ),
        pytest.param(
            issuer(tenants='["b"]'),
            "The issuer company in [[jwt]] may speak for tenant b, which is not among [[tenants]].",
            id="a tenant that is not there",
        ),
        pytest.param(
            issuer(max_tier='"V1"'),
            "The issuer company in [[jwt]] says tier_claim, max_tier or models, which are for ad_hoc = true; "
            "listed tenants have their own.",
            id="a tier for listed tenants",
        ),
        pytest.param(
            issuer(ad_hoc="true", tier='"V2"', max_tier='"V1"'),
            "The issuer company in [[jwt]] gives tier V2 to who claims none, and allows at most V1.",
            id="a tier above the highest",
        ),
        pytest.param(
            "[[tenants]]\nname = 'a'\ntier = 'V1'\n" + issuer(ad_hoc="true", tenants='["a"]'),
            "The issuer company in [[jwt]] says tenants and ad_hoc = true; keep one.",
            id="tenants listed and not",
        ),
        pytest.param(
            issuer() + issuer(issuer='"https://other.example.com/"'),
            "Two issuers in [[jwt]] are named company; give each its own name.",
            id="a name twice",
        ),
        pytest.param(
            issuer() + issuer(name='"other"'),
            "Two issuers in [[jwt]] have the issuer https://login.example.com/; "
            "a token is verified by one set of keys.",
            id="an issuer twice",
        ),
    ],
)
def test_issuer_is_refused_when_it_has(config: Path, text: str, problem: str) -> None:
    """What would let in too many, or nobody, is found before anybody calls."""
    config.write_text(text)

    assert (problem,) == problems({}, config_path=config)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param(
            {
                "tenants": (Tenant(name="a", tier="V1"),),
                "accounts": (Account(name="a", api_key=Secret("k")),),
                "limits": {"glm-4.7": {"V0": 1}},
                "aliases": {},
                "models_file": Path("models.toml"),
                "warnings": ("said",),
                "files": {Path("gateway.toml"): None},
            },
            [],
            id="what is taken over",
        ),
        pytest.param({"port": 1, "redis": Redis(url=Secret("redis://b"))}, ["port", "redis.url"], id="the rest"),
        pytest.param(
            {"chat": Chat(heartbeat_seconds=1, on_disconnect="drain")},
            ["chat.on_disconnect", "chat.heartbeat_seconds"],
            id="settings in a table",
        ),
    ],
)
def test_restart_is_needed_for(changed: dict[str, Any], expected: list[str]) -> None:
    """Settings are named and never shown; one of them may be a secret."""
    running = Settings(redis=Redis(url=Secret("redis://a")))

    assert expected == needing_restart(running, msgspec.structs.replace(running, **changed))


def test_files_are_told_with_what_they_were(config: Path, tmp_path: Path) -> None:
    """Also when the configuration cannot be used: whoever mends it changes one of them."""
    config.write_text(f"[[accounts]]\nname = 'a'\napi_key_file = '{tmp_path / 'key'}'")
    with pytest.raises(SettingsError) as raised:
        load({}, config_path=config)
    (tmp_path / "key").write_text(KEY)

    settings = load({}, config_path=config)

    assert raised.value.files == {config: fingerprint(config), tmp_path / "key": None}
    assert settings.files == {config: fingerprint(config), tmp_path / "key": fingerprint(tmp_path / "key")}


def test_path_that_no_file_can_have_is_watched_like_one_that_is_not_there(config: Path) -> None:
    """Whoever reads the file says what is wrong with it."""
    config.write_text('models_file = "\\u0000"', "utf-8")

    assert load({}, config_path=config).files[Path("\0")] is None


def test_tier_variable_is_refused_when_the_file_lists_accounts(config: Path) -> None:
    config.write_text(ACCOUNT)

    (problem,) = problems({"GATEWAY_ACCOUNT_TIER": "V1"}, config_path=config)

    assert problem.startswith("GATEWAY_ACCOUNT_TIER belongs to ZHIPU_API_KEY")


def test_file_is_refused_when_it_is_not_toml(config: Path) -> None:
    config.write_text("port: 80")

    (problem,) = problems({}, config_path=config)

    assert problem.startswith(f"The configuration file {config} is not TOML: ")


def test_all_problems_are_told_at_once(config: Path) -> None:
    """Nobody has to start the gateway five times to mend five mistakes."""
    config.write_text("prot = 1\n[chat]\nheartbeat_seconds = -1\n[[accounts]]\nname = 'a'")

    found = problems({"GATEWAY_PORT": "x", "GATEWAY_KEYS": "a:b"}, config_path=config)

    assert list(found) == [
        "GATEWAY_KEYS, entry 1 must read name:key:tier, with a tier of V0, V1, V2, V3.",
        "prot is not a setting; did you mean port?",
        "GATEWAY_PORT must be a whole number from 0 to 65535, not 'x'.",
        "accounts[0].api_key is missing; say api_key, api_key_env, api_key_file.",
        "chat.heartbeat_seconds must be a number from 0 to 31536000, not -1.",
    ]


@pytest.mark.parametrize(
    ("environ", "text", "warning"),
    [
        pytest.param({"GATEWAY_KEYS": "a:short:V1"}, "", "fewer than 16 characters", id="short key"),
        pytest.param({"ZHIPU_API_KEY": KEY}, "", "every request is refused", id="no tenants"),
        pytest.param(
            {"GATEWAY_UPSTREAM_URL": "https://x"},
            "",
            "with no account the simulator answers",
            id="upstream, no key",
        ),
        pytest.param(
            {
                "ZHIPU_API_KEY": KEY,
                "GATEWAY_KEYS": f"a:{CLIENT_KEY}:V1",
                "GATEWAY_UPSTREAM_URL": "http://10.0.0.1",
            },
            "",
            "travel unencrypted",
            id="plain http",
        ),
        pytest.param({"GATEWAY_ACCOUNT_TIER": "V1"}, "", "there is no ZHIPU_API_KEY", id="tier of no account"),
        pytest.param(
            {"ZHIPU_API_KEY": KEY, "GATEWAY_KEYS": f"a:{CLIENT_KEY}:V1"},
            ACCOUNT,
            "ZHIPU_API_KEY is set but not used",
            id="key beside accounts in the file",
        ),
    ],
)
def test_warning_is_given_for(environ: Mapping[str, str], text: str, warning: str, config: Path) -> None:
    """What is allowed and probably not meant is said, and does not stop the start."""
    config.write_text(text)

    (said,) = load(environ, config_path=config).warnings

    assert warning in said


@given(
    key=st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126)).map("sk~{}~".format),
    shape=st.sampled_from(["{}", "a:{}", "{}:V1", "a:{}:V7", "a:V1:{}", ":{}:V1", "a:{} x:V1", "a,{}"]),
    where=st.sampled_from(["GATEWAY_KEYS", "ZHIPU_API_KEY"]),
)
def test_no_problem_repeats_a_secret(key: str, shape: str, where: str) -> None:
    """However a key is mistyped, it does not end up on a screen or in a log."""
    try:
        text = repr(load({where: shape.format(key)}))
    except SettingsError as error:
        text = str(error)

    assert key not in text


def test_secret_is_never_shown() -> None:
    secret = Secret(KEY)

    assert secret.reveal() == KEY
    assert KEY not in f"{secret} {secret!r} {Account(name='a', api_key=secret)!r}"
    with pytest.raises(TypeError):
        msgspec.json.encode(Account(name="a", api_key=secret))
    with pytest.raises(TypeError):
        pickle.dumps(secret)


@pytest.mark.parametrize(
    "other", [pytest.param(Secret("x"), id="another secret"), pytest.param(KEY, id="its text")]
)
def test_secret_differs_from(other: Any) -> None:
    assert Secret(KEY) != other
