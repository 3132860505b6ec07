"""From a Redis URL to a client: of one server, of a Cluster, or of whatever Sentinel says is the primary."""

import re
from typing import Any, TypeAlias
from urllib.parse import unquote

from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionBroken

Client: TypeAlias = Redis | RedisCluster

PORT = 6379
SENTINEL_PORT = 26379
MAX_PORT = 65535
URL = re.compile(
    r"(?P<scheme>rediss?)(\+(?P<kind>cluster|sentinel))?://"
    r"((?P<user>[^:@/]*)(:(?P<password>[^@/]*))?@)?"
    r"(?P<hosts>[^@/?#]+)"
    r"(/(?P<path>[^?#]*))?"
)
FORMS = (
    "redis://[user:password@]host[:port][/database], rediss://… for TLS, unix:///path/to/socket, "
    "redis+cluster://host1:port,host2:port or redis+sentinel://host1:port,host2:port/primary[/database]"
)


class AddressError(ValueError):
    """Raised for a URL that says not where Redis is; the message does not repeat it, as it may hold a password."""

    def __init__(self) -> None:
        super().__init__(f"This is no URL of Redis. Right are {FORMS}.")


class Primary(Redis):
    """A client of what sentinels name; closing it closes what it has open to them as well."""

    async def aclose(self, close_connection_pool: bool | None = None) -> None:  # noqa: FBT001 - redis-py's own
        """Close all connections."""
        await super().aclose(close_connection_pool)
        if isinstance(self.connection_pool, SentinelConnectionPool):
            for sentinel in self.connection_pool.sentinel_manager.sentinels:
                await sentinel.aclose()


def connect(url: str, *, timeout_seconds: float) -> Client:
    """
    Return a client that connects when it is first used, and waits ``timeout_seconds`` at most for any answer.

    A connection that turns out to be broken is replaced once. Raises AddressError.
    """
    options: dict[str, Any] = {
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        "retry": Retry(NoBackoff(), 1, supported_errors=(ConnectionBroken,)),
    }
    if url.startswith("unix:///"):
        return Redis.from_url(url, **options)
    parts = URL.fullmatch(url)
    if parts is None:
        raise AddressError
    path = (parts["path"] or "").split("/")
    for option in ("user", "password"):
        if parts[option]:
            options["username" if option == "user" else option] = unquote(parts[option])
    if parts["scheme"] == "rediss":
        options["ssl"] = True
    if parts["kind"] == "cluster":
        nodes = [ClusterNode(host, port) for host, port in hosts(parts["hosts"], PORT)]
        return RedisCluster(startup_nodes=nodes, **options)
    if parts["kind"] == "sentinel":
        sentinels = hosts(parts["hosts"], SENTINEL_PORT)
        watched: Any = Sentinel(sentinels, sentinel_kwargs=sentinel_options(options), **options)  # type: ignore[no-untyped-call]
        primary: Redis = watched.master_for(path[0] or "mymaster", redis_class=Primary, db=database(path[1:]))
        return primary
    ((host, port),) = hosts(parts["hosts"], PORT)[:1]
    return Redis(host=host, port=port, db=database(path), **options)


def hosts(text: str, default_port: int) -> list[tuple[str, int]]:
    """Return hosts and ports; an IPv6 address stands in brackets."""
    found = []
    for one in text.split(","):
        match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(:(\d+))?", one)
        if match is None or int(match[3] or default_port) > MAX_PORT:
            raise AddressError
        found.append((match[1].strip("[]"), int(match[3] or default_port)))
    return found


def database(path: list[str]) -> int:
    if not path or not path[0]:
        return 0
    if not path[0].isdecimal():
        raise AddressError
    return int(path[0])


def sentinel_options(options: dict[str, Any]) -> dict[str, Any]:
    """Return what holds for sentinels too: the same encryption and patience, but not the primary's user."""
    return {name: value for name, value in options.items() if name not in ("username", "password")}
