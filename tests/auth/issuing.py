"""An issuer of tokens that a test plays: its keys, the tokens it signs, and its key set on a real socket."""

import asyncio
import secrets
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import msgspec

ISSUER = "https://login.example.com/"
AUDIENCE = "glm-gateway"

Jwk = dict[str, Any]

# Keys of nothing but these tests.
P_256: Jwk = {
    "kty": "EC",
    "crv": "P-256",
    "x": "JvcZ9Z5b4k6Bzz1Ds-2zERVoJZyFPaBiYCIkx7Q6ieg",
    "y": "ElTC5VOCMqF80h4QW9EKeIgOqxuCK44riRmJlnUTqFA",
    "d": "e_X-ho76RBKvIsf6vK8rNMEugyICLiTtUYIj2yHOFMM",
}
N = (
    "uh2_F9K_OalR9CmciPKLBqxDNTSCRPqAWfIOAH0Mjavmm6uDm3nuFSQEkc53AQc3TfVhaBFS6kYA6uZz1Gz_2CiDRoXNFrpdE2GCV9QK"
    "srljFNGITf-MtT0fUc0hFzAVlkw_7oNFCkob8lhkrWv6V6QZnR2eAzdudTnTgCilpXRsbbWo9ZYXJO8NVsMVtl16Es7o_sip4jb8mXaA"
    "pvi54PgqcRCb0r00Jz48_GL_L9S56BCHrkf8iDpTZtk4cZTjioIKunUwX-nBTnN5OsJ8qG3SU0hh9op_zMIi1aaDD3vEjV4AfDshoDbO"
    "TPt89SWcOEVOSiYY0H2jJ7b1O8fWGw"
)
D = (
    "T95MDxEldr0uqjThM_PBrY9nGAH8lVValz7Eu3juVi2avNsRkzrz7KaUP232q75JAW936YzlpBt-cU-MDXDpKf3Yt_7bUBGRt6t0n_Qi"
    "0yezWU_BypcL7wrX0ebReH3uBZ2bIeO7UPsUmx9LtRBNUibdxwrasE6tXCkAllLbIvDjvrnLssfYjgRtsNdLAt8oBFqJdKE0DU_ruv1o"
    "0j5BgA_E82bmr0YTp7SQI6hy1ccszob1tIyRmsGIqtRoR-3c0QxCTQLqxBu_KYCJyolwNaC1RgXII_OFGWuyTc0NWQiPEvBm8NeeGtfS"
    "3cibUp3HY5oKm-pN4yAB2n4-8s2zQQ"
)


class Key:
    """A key pair; ``public`` is what the issuer publishes of it."""

    def __init__(self, key_id: str, private: Any, *, algorithm: str, **published: str) -> None:
        self.id = key_id
        self.algorithm = algorithm
        self._private = private
        public = jwt.get_algorithm_by_name(algorithm).to_jwk(private.public_key(), as_dict=True)
        self.public: Jwk = {**public, "kid": key_id, "use": "sig", **published}

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """Give a token; ``header`` is laid over what an honest one has."""
        return jwt.encode(claims, self._private, algorithm=self.algorithm, headers={"kid": self.id, **header})


def new_key(key_id: str) -> Key:
    """Make an Ed25519 key; any 32 bytes are one (RFC 8410, 7)."""
    der = bytes.fromhex("302e020100300506032b657004220420") + secrets.token_bytes(32)
    pem = b"-----BEGIN PRIVATE KEY-----\n" + b64encode(der) + b"\n-----END PRIVATE KEY-----\n"
    return Key(key_id, jwt.get_algorithm_by_name("EdDSA").prepare_key(pem), algorithm="EdDSA")


def rsa_key(key_id: str, **published: str) -> Key:
    """Give the RSA key of these tests; making one takes too long to do it every time."""
    private = jwt.PyJWK({"kty": "RSA", "e": "AQAB", "n": N, "d": D}).key
    return Key(key_id, private, algorithm="RS256", **published)


def ec_key(key_id: str) -> Key:
    """Give the P-256 key of these tests."""
    return Key(key_id, jwt.PyJWK(P_256).key, algorithm="ES256")


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def claims(**changed: Any) -> dict[str, Any]:
    """Give what an honest token says, with changes; None leaves a claim out."""
    now = int(time.time())
    honest = {"iss": ISSUER, "aud": AUDIENCE, "sub": "team-a", "iat": now, "exp": now + 3600}
    return {name: value for name, value in {**honest, **changed}.items() if value is not None}


class KeySetServer:
    """
    Where an issuer publishes its keys.

    ``requests`` counts who asked; ``asked`` is set when somebody does. ``answer`` is the raw HTTP that they get,
    and ``publish`` makes an honest one. Nobody is answered before ``released`` is set, as it is at first.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/keys"
        self.requests = 0
        self.answer = b""
        self.asked = asyncio.Event()
        self.released = asyncio.Event()
        self.released.set()

    def publish(self, *keys: Key) -> None:
        self.say(msgspec.json.encode({"keys": [key.public for key in keys]}))

    def say(self, body: bytes, *, head: str = "200 OK\r\ncontent-type: application/json") -> None:
        length = f"content-length: {len(body)}\r\nconnection: close"
        self.answer = f"HTTP/1.1 {head}\r\n{length}\r\n\r\n".encode() + body

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        self.asked.set()
        await self.released.wait()
        writer.write(self.answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def publishing(*keys: Key) -> AsyncIterator[KeySetServer]:
    """Serve a key set on a free port of this machine."""
    playing: list[KeySetServer] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await playing[0].serve(reader, writer)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
        server = KeySetServer(listener.sockets[0].getsockname()[1])
        server.publish(*keys)
        playing.append(server)
        yield server
