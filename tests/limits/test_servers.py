"""Slots are shared through every kind of server that a URL can name: with TLS, with a user's rights, by Valkey."""

import datetime as dt
import ipaddress
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.cli.redis_trial import RIGHTS
from gateway.errors import RateLimited, SlotsUnavailable
from gateway.torture.redis import RedisServer as Server
from tests.limits.conftest import Stand, StartReplica
from tests.limits.requests import Requests, scope
from tests.redis_server import RedisServer, need_redis

PASSWORD = "p@ss:w/rd"
VALKEY = shutil.which("valkey-server")


class At:
    """A server under another URL."""

    def __init__(self, url: str) -> None:
        self.url = url


async def share_a_slot(server: Stand, start_replica: StartReplica) -> None:
    """Let two replicas have one slot between them; it is handed from the one to the other."""
    one, other = await start_replica(server), await start_replica(server)
    here, there = Requests(one), Requests(other)
    await here.join("first", scope(limit=1))
    await here.until_served("first")
    with pytest.raises(RateLimited):
        await other.acquire(scope(limit=1), timeout_seconds=0)
    await there.join("second", scope(limit=1))
    await there.until_waiting(1)

    here.free("first")

    await there.until_served("second")
    assert [False, False] == [one.degraded, other.degraded]


class Encrypted(Server):
    """A server that takes connections with TLS only; ``certificate`` is its own, signed by nobody else."""

    def __init__(self, directory: Path) -> None:
        self.certificate, key = directory / "own.crt", directory / "own.key"
        sign_oneself(self.certificate, key)
        options = (
            "--tls-cert-file",
            str(self.certificate),
            "--tls-key-file",
            str(key),
            "--tls-auth-clients",
            "no",
        )
        super().__init__(directory, *options, host="127.0.0.1", ssl=True, ssl_ca_certs=str(self.certificate))

    @property
    def url(self) -> str:
        return f"rediss://127.0.0.1:{self.port}/0"

    def _arguments(self) -> list[str]:
        return [*super()._arguments(), "--port", "0", "--tls-port", str(self.port)]


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[Encrypted]:
    need_redis()
    server = Encrypted(tmp_path)
    try:
        yield server.start()
    finally:
        server.kill()


async def test_slots_are_shared_when_redis_wants_tls(
    encrypted: Encrypted, start_replica: StartReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``SSL_CERT_FILE`` names who is trusted, as everywhere."""
    monkeypatch.setenv("SSL_CERT_FILE", str(encrypted.certificate))

    await share_a_slot(encrypted, start_replica)


async def test_nothing_is_shared_when_the_certificate_is_not_trusted(
    encrypted: Encrypted, start_replica: StartReplica
) -> None:
    limiter = await start_replica(encrypted)

    with pytest.raises(SlotsUnavailable):
        await limiter.acquire(scope(), timeout_seconds=5)


async def test_slots_are_shared_when_a_user_has_the_rights_it_needs_and_no_more(
    own_redis: RedisServer, start_replica: StartReplica
) -> None:
    """A password may have signs that mean something in URLs."""
    own_redis.ask("ACL", "SETUSER", "gateway", "on", f">{PASSWORD}", *RIGHTS.split())
    own_redis.ask("ACL", "SETUSER", "default", "off")

    await share_a_slot(At(f"redis://gateway:p%40ss%3Aw%2Frd@127.0.0.1:{own_redis.port}/0"), start_replica)


async def test_nothing_is_shared_when_the_password_is_wrong(
    own_redis: RedisServer, start_replica: StartReplica
) -> None:
    own_redis.ask("ACL", "SETUSER", "gateway", "on", f">{PASSWORD}", *RIGHTS.split())
    limiter = await start_replica(At(f"redis://gateway:other@127.0.0.1:{own_redis.port}/0"))

    with pytest.raises(SlotsUnavailable):
        await limiter.acquire(scope(), timeout_seconds=5)


@pytest.mark.skipif(VALKEY is None, reason="valkey-server is not installed")
async def test_slots_are_shared_through_valkey(tmp_path: Path, start_replica: StartReplica) -> None:
    server = Server(tmp_path, program=VALKEY)
    try:
        await share_a_slot(server.start(), start_replica)
    finally:
        server.kill()


def sign_oneself(certificate: Path, key: Path) -> None:
    """Write a key and a certificate of it for this machine."""
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "redis")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(secret, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        secret.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
