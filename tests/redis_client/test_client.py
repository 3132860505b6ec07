"""Every form of Redis URL leads to the right client."""

from typing import Any

import pytest
from redis.asyncio import Redis, RedisCluster

from gateway.redis_client.client import connect

ONE = {"db": 0, "username": None, "password": None, "ssl": False}


def facts(client: Redis) -> dict[str, Any]:
    pool = client.connection_pool
    found = {"ssl": "SSL" in pool.connection_class.__name__, "username": None, "password": None}
    return {**found, **{name: pool.connection_kwargs[name] for name in pool.connection_kwargs if name in WANTED}}


WANTED = ("host", "port", "path", "db", "username", "password")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://cache", {**ONE, "host": "cache", "port": 6379}),
        ("redis://cache:7000/2", {**ONE, "host": "cache", "port": 7000, "db": 2}),
        ("redis://:p%40ss@cache/", {**ONE, "host": "cache", "port": 6379, "password": "p@ss"}),
        (
            "rediss://me:secret@[::1]:7/0",
            {"host": "::1", "port": 7, "db": 0, "username": "me", "password": "secret", "ssl": True},
        ),
    ],
    ids=["bare", "port and database", "password", "all"],
)
async def test_client_is_of_one_server_when_the_url_is_plain(url: str, expected: dict[str, Any]) -> None:
    client = connect(url, timeout_seconds=1)

    assert isinstance(client, Redis)
    assert expected == facts(client)


async def test_client_uses_a_socket_when_the_url_is_a_path() -> None:
    client = connect("unix:///run/redis.sock", timeout_seconds=1)

    assert isinstance(client, Redis)
    assert "/run/redis.sock" == client.connection_pool.connection_kwargs["path"]


async def test_client_is_of_a_cluster_when_the_url_says_so() -> None:
    client = connect("rediss+cluster://me:secret@one:7000,two", timeout_seconds=1)

    assert isinstance(client, RedisCluster)
    nodes = client.nodes_manager.startup_nodes.values()
    assert {("one", 7000), ("two", 6379)} == {(node.host, node.port) for node in nodes}
    assert "secret" == client.connection_kwargs["password"]


async def test_client_asks_sentinels_when_the_url_says_so() -> None:
    """The user is the primary's, not the sentinels'."""
    client = connect("redis+sentinel://me:secret@one:26000,two/main/3", timeout_seconds=1)

    assert isinstance(client, Redis)
    pool: Any = client.connection_pool
    assert "main" == pool.service_name
    assert (3, "me", "secret") == tuple(pool.connection_kwargs[name] for name in ("db", "username", "password"))
    sentinels = [one.connection_pool.connection_kwargs for one in pool.sentinel_manager.sentinels]
    assert [("one", 26000), ("two", 26379)] == [(one["host"], one["port"]) for one in sentinels]
    assert not any(one.get("password") for one in sentinels)
