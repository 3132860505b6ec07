"""A trial of the Redis that shares slots: everything the gateway does there, once, and how to mend what fails."""

import asyncio
import re
import time
import uuid
from collections.abc import Mapping
from contextlib import aclosing

from redis.exceptions import AuthenticationError, MovedError, NoPermissionError

from gateway.limits.link import NEWS, Away, Link
from gateway.redis_client.client import Client, connect
from gateway.redis_client.faults import FAULTS, kind_of

CALL_SECONDS = 2.0
PINGS = 5
SLOW_SECONDS = 0.02
SAFE_POLICY = "volatile-lru"
"""What is remembered goes before slots, which are renewed all the time."""
REMEDY = f"set maxmemory-policy to {SAFE_POLICY}"

DENIED = re.compile(r"ACL failure|user executing the script can't")
RIGHTS = "~glm-gateway:* &glm-gateway:* +@read +@write +@scripting +@pubsub +@connection +time +info"

CURES: Mapping[str, str] = {
    "connect": "cannot be reached. Check host, port and firewall; a server with TLS wants rediss://.",
    "timeout": f"did not answer within {CALL_SECONDS:g} s. Check that it is not overloaded, and the way to it.",
    "loading": "is still loading its data. Try again in a moment.",
    "readonly": "is a replica that takes no writes. Name the primary, or use redis+sentinel://.",
    "full": "has no memory left. Raise its maxmemory, and set maxmemory-policy to volatile-lru.",
    "protocol": "does not do what the gateway asks. It has to be Redis 6.2 or newer, or Valkey.",
}

MISNAMED: Mapping[str, str] = {
    r"DB index is out of range": "has no database of the number in redis.url. Leave it out, or name one it has.",
    r"Cluster mode is not enabled": "is no Cluster. Name it with redis://, or redis+sentinel://.",
    r"unknown command .?SENTINEL": "is no Sentinel. Name sentinels and their port, or the server with redis://.",
    r"^No master found for .*AuthenticationError": "refuses the user or password in redis.url.",
    r"^No master found for [^:]*$": "is not known to its sentinels by that name. End redis.url with theirs.",
}
"""What is wrong where a server is there, but another than redis.url says: the client's words for it, and ours."""


async def try_redis(url: str) -> tuple[bool, str]:
    """Return whether slots can be shared at a Redis URL, and what there is to say. Raises AddressError."""
    client = connect(url, timeout_seconds=CALL_SECONDS)
    async with aclosing(client):
        try:
            async with asyncio.timeout(5 * CALL_SECONDS):
                return await _try_everything(client)
        except Away as error:
            return False, _cure(error.__cause__ or error)
        except FAULTS as error:
            return False, _cure(error)


async def _try_everything(client: Client) -> tuple[bool, str]:
    ping_seconds = min([await _ping(client) for _ in range(PINGS)])
    link = Link(client, timeout_seconds=CALL_SECONDS)
    _, replicas = await link.be_seen(uuid.uuid4().hex, lease_ms=0)
    async with client.pubsub() as subscription:
        await subscription.subscribe(NEWS)
        await subscription.get_message(timeout=CALL_SECONDS)
    said = f"shares slots; a round trip takes {ping_seconds * 1000:.1f} ms; replicas now: {len(replicas)}."
    if ping_seconds > SLOW_SECONDS:
        said += " That is slow: every request makes two. Put it nearer."
    return True, said + await _memory(client)


async def _ping(client: Client) -> float:
    began = time.monotonic()
    await client.ping()
    return time.monotonic() - began


async def _memory(client: Client) -> str:
    """Return a warning where a full Redis would forget slots or take none, nothing where it does not tell."""
    try:
        known = await client.info("memory")
    except FAULTS:
        return ""
    match known.get("maxmemory_policy", "noeviction"):
        case _ if not known.get("maxmemory"):
            return ""
        case "noeviction":
            return f" It takes no slots when its memory is full of what it remembers: {REMEDY}."
        case policy if policy != SAFE_POLICY:
            return f" It may evict slots when its memory is full: {REMEDY}."
        case _:
            return ""


def _cure(error: BaseException) -> str:
    """Say how to mend what went wrong; never with the server's words or ours for the address."""
    match error:
        case AuthenticationError():
            return "refuses the user or password in redis.url."
        # Inside a script it is an error like any other but for its words, which depend on the version.
        case _ if isinstance(error, NoPermissionError) or DENIED.search(str(error)):
            return f"does not let the user do what it has to. Its ACL needs: {RIGHTS}"
        case MovedError():
            return "is a node of a Cluster. Name it with redis+cluster://."
        case _:
            found = (said for words, said in MISNAMED.items() if re.search(words, str(error)))
            return next(found, CURES[kind_of(error)])
