"""From an address to a client: of one server, of a Cluster, or of whatever Sentinel says is the primary."""

from typing import Any, TypeAlias

from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionBroken

from gateway.redis_client.address import Address, read_address

Client: TypeAlias = Redis | RedisCluster


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
    address = read_address(url)
    if address is None:
        return Redis.from_url(url, **options)
    if address.tls:
        options["ssl"] = True
    user = {"username": address.user, "password": address.password}
    who: dict[str, Any] = {option: value for option, value in user.items() if value}
    match address.kind:
        case "cluster":
            nodes = [ClusterNode(host, port) for host, port in address.hosts]
            return RedisCluster(startup_nodes=nodes, **options, **who)
        case "sentinel":
            return primary(address, options, who)
        case "server":
            host, port = address.hosts[0]
            return Redis(host=host, port=port, db=address.database, **options, **who)


def primary(address: Address, options: dict[str, Any], who: dict[str, Any]) -> Redis:
    """Return a client of the primary; its sentinels know not its user, but as much of the rest."""
    watched: Any = Sentinel(list(address.hosts), sentinel_kwargs=options, **options, **who)  # type: ignore[no-untyped-call]
    primary: Redis = watched.master_for(address.primary, redis_class=Primary, db=address.database)
    return primary
