"""What settings mean together: those that are readable one by one and wrong, or probably not meant, as a whole."""

from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from gateway.redis_client.address import AddressError, read_address
from gateway.settings.environment import API_KEY, KEYS
from gateway.settings.schema import Jwt, Settings

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
MAX_PORT = 65535
TELEMETRY = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
SYMMETRIC = "HS256"
SHARED_SECRET_BYTES = 32
"""RFC 7518, 3.2: a key must be no shorter than the hash that it makes."""


def contradictions(settings: Settings) -> Iterator[str]:
    """Find settings that are readable one by one and wrong together."""
    for name in _repeated(account.name for account in settings.accounts):
        yield f"Two accounts are named {name}; give each its own name."
    if any(_repeated(account.api_key for account in settings.accounts)):
        yield "Two accounts have the same key; list each account once, or its limits would be counted twice."
    yield from _of_addresses(settings)
    yield from _of_tenants(settings)
    yield from _of_issuers(settings)
    if settings.telemetry.otlp_endpoint is not None and not _has_telemetry():
        yield "telemetry.otlp_endpoint needs OpenTelemetry, which is not there: install requirements-otel.lock."
    if settings.port and settings.port == settings.metrics_port:
        yield f"port and metrics_port are both {settings.port}; metrics need a port of their own."


def doubts(settings: Settings) -> Iterator[str]:
    """Find what is allowed and probably not meant."""
    if settings.simulator and settings.upstream_url != Settings().upstream_url:
        yield f"upstream_url is set but not used: with no account the simulator answers. Set {API_KEY}."
    if settings.accounts and not settings.tenants and not any(issuer.ad_hoc for issuer in settings.jwt):
        yield f"There are no tenants, so every request is refused; set {KEYS} or list [[tenants]]."
    url = urlsplit(settings.upstream_url)
    if settings.accounts and url.scheme == "http" and url.hostname not in LOOPBACK:
        yield "upstream_url is plain http, so account keys and prompts travel unencrypted; use https."


def _of_addresses(settings: Settings) -> Iterator[str]:
    """Find what looks like an address and leads nowhere."""
    made = Settings(upstream_url=settings.upstream_url).realtime_url
    addresses = [
        ("upstream_url", settings.upstream_url),
        ("realtime_url", "" if settings.realtime_url == made else settings.realtime_url),
        *((f"jwks_url of the issuer {issuer.name}", issuer.jwks_url or "") for issuer in settings.jwt),
        ("telemetry.otlp_endpoint", settings.telemetry.otlp_endpoint or ""),
        *(("cors_origins", origin) for origin in settings.cors_origins if origin != "*"),
    ]
    for setting, url in addresses:
        if url and not _leads_somewhere(url):
            yield f"{setting} must name a host, and after a colon, if any, a port from 1 to {MAX_PORT}."
    for host, setting in {settings.metrics_host: "metrics_host", settings.host: "host"}.items():  # often one
        if not _can_be_host(host):
            yield f"{setting} must be a host name or address of this machine."
    if settings.redis.url is not None:
        try:
            read_address(settings.redis.url.reveal())
        except AddressError as error:
            yield f"redis.url: {error}"


def _has_telemetry() -> bool:
    try:
        return all(find_spec(name) is not None for name in TELEMETRY)
    except ModuleNotFoundError:
        return False


def _leads_somewhere(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.hostname is not None and _can_be_host(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _can_be_host(name: str) -> bool:
    """Whether a name can be looked up at all: no part of it is empty or longer than 63 characters."""
    try:
        return bool(name.encode("idna"))
    except UnicodeError:
        return False


def _of_tenants(settings: Settings) -> Iterator[str]:
    for name in _repeated(tenant.name for tenant in settings.tenants):
        yield f"Two tenants are named {name}; give each its own name."
    for key in _repeated(key for tenant in settings.tenants for key in tenant.key_sha256):
        owners = sorted({tenant.name for tenant in settings.tenants if key in tenant.key_sha256})
        yield f"The same key is listed more than once ({', '.join(owners)}); a key means one tenant."
    for tenant in settings.tenants:
        if not tenant.key_sha256 and not settings.jwt:
            yield f"Tenant {tenant.name} has no key_sha256, so nobody can call as it; list one, or [[jwt]]."


def _of_issuers(settings: Settings) -> Iterator[str]:
    for name in _repeated(issuer.name for issuer in settings.jwt):
        yield f"Two issuers in [[jwt]] are named {name}; give each its own name."
    for url in _repeated(issuer.issuer for issuer in settings.jwt):
        yield f"Two issuers in [[jwt]] have the issuer {url}; a token is verified by one set of keys."
    tenants = {tenant.name for tenant in settings.tenants}
    for issuer in settings.jwt:
        for problem in (*_of_keys(issuer), *_of_meaning(issuer, tenants=tenants)):
            yield f"The issuer {issuer.name} in [[jwt]] {problem}"


def _of_keys(issuer: Jwt) -> Iterator[str]:
    if (issuer.secret is None) == (issuer.jwks_url is None):
        yield "needs one of secret (or secret_env, secret_file) and jwks_url."
    elif issuer.secret is None and SYMMETRIC in issuer.algorithms:
        yield f"has a jwks_url, whose keys are public; {SYMMETRIC} needs a secret."
    elif issuer.secret is not None and set(issuer.algorithms) != {SYMMETRIC}:
        yield f'has a secret, so algorithms must be ["{SYMMETRIC}"]; others need a jwks_url.'
    if issuer.secret is not None and len(issuer.secret.reveal()) < SHARED_SECRET_BYTES:
        yield f"has a secret of fewer than {SHARED_SECRET_BYTES} characters; make a long one."


def _of_meaning(issuer: Jwt, *, tenants: set[str]) -> Iterator[str]:
    for name in issuer.tenants or ():
        if name not in tenants:
            yield f"may speak for tenant {name}, which is not among [[tenants]]."
    for_ad_hoc = (issuer.tier_claim, issuer.max_tier, issuer.models)
    if not issuer.ad_hoc and any(said is not None for said in for_ad_hoc):
        yield "says tier_claim, max_tier or models, which are for ad_hoc = true; listed tenants have their own."
    if issuer.ad_hoc and issuer.tenants is not None:
        yield "says tenants and ad_hoc = true; keep one."
    if issuer.max_tier is not None and issuer.tier > issuer.max_tier:
        yield f"gives tier {issuer.tier} to who claims none, and allows at most {issuer.max_tier}."


def _repeated(values: Iterable[Any]) -> list[Any]:
    return [value for value, count in Counter(values).items() if count > 1]
