"""From an address to a client: of one server, of a Cluster, or of whatever Sentinel says is the primary."""

from typing import Any, TypeAlias

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionBroken
from redis.exceptions import ReadOnlyError

from gateway.redis_client.address import Address, read_address
from gateway.redis_client.sentinels import Primary, Sentinels

Client: TypeAlias = Redis | RedisCluster


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
    """Return a client of what sentinels name as the primary."""
    watched: Any = Sentinels(address.hosts, options=options, who=who)
    primary: Redis = watched.master_for(address.primary, redis_class=Primary, db=address.database)
    return primary


async def leave_replica(client: Client, fault: BaseException) -> None:
    """
    Connect anew next time where a fault says that a replica answers.

    After a failover an address may lead to another server, while the old one closes no connection. Nodes of a
    Cluster say themselves where to go.
    """
    if isinstance(fault, ReadOnlyError) and isinstance(client, Redis):
        await client.connection_pool.disconnect(inuse_connections=False)
