"""What is done to gateways and to Redis, one thing at a time, and when. Each harm ends with everything healed."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from typing import TypeAlias

from redis.exceptions import RedisError

from gateway.torture.callers import Callers
from gateway.torture.cluster import RedisCluster
from gateway.torture.gateways import GatewayProcess
from gateway.torture.judge import Judge
from gateway.torture.redis import RedisServer
from gateway.torture.sentinel import RedisSentinel
from gateway.torture.world import MODELS, TENANTS, World

Stand: TypeAlias = RedisServer | RedisCluster | RedisSentinel
Harm: TypeAlias = Callable[[], Awaitable[None]]

HARMS = {
    "kill": "a gateway is killed with -9 and started again",
    "pause": "a gateway is stopped for longer than its leases",
    "flush": "FLUSHALL",
    "forget": "SCRIPT FLUSH",
    "restart": "Redis, or a node of the Cluster, is killed and started empty",
    "stall": "Redis, or a node of the Cluster, takes connections and answers nothing",
    "read-only": "Redis refuses to write",
    "failover": "the primary is killed and its replica takes over",
}
"""All that can be done, though not to every kind of Redis."""

OUTAGE_SECONDS = 2.5
"""Longer than the gateways wait for an answer of Redis'."""

OVERSLEEP_SECONDS = 1.5
SETTLE_SECONDS = 0.2
"""How long it takes until a process has stopped, and all that it sent has arrived; at the least."""

HELD_PER_MODEL = 3


class Harms:
    """All that can be done, by name, and the order in which it is."""

    def __init__(
        self, world: World, *, redis: Stand, gateways: list[GatewayProcess], judge: Judge, callers: Callers
    ) -> None:
        self._world = world
        self._redis = redis
        self._gateways = gateways
        self._judge = judge
        self._callers = callers
        self._chance = random.Random(world.seed)  # noqa: S311 - nobody has to guess
        self._harms = {"kill": self._kill, "pause": self._pause, **self._harms_to_redis()}

    @property
    def names(self) -> list[str]:
        """What is done: all that the world has and that can be done to this Redis."""
        return [name for name in self._harms if self._world.harms is None or name in self._world.harms]

    def deck(self) -> Iterator[tuple[str, Harm]]:
        """Return harms, if there are any, without end: all in some order, then all in another."""
        while names := self.names:
            self._chance.shuffle(names)
            yield from ((name, self._harms[name]) for name in names)

    async def _kill(self) -> None:
        gateway = self._chance.choice(self._gateways)
        gateway.kill()
        await asyncio.sleep(self._chance.random())
        await gateway.start()

    async def _pause(self) -> None:
        """Stop a gateway for longer than its leases, while it has under way what does not end by itself."""
        gateway = self._chance.choice(self._gateways)
        tenant = self._chance.choice([one for one in TENANTS if one.tier == "V3"])
        asked = [self._callers.hold(gateway, tenant, model) for model in MODELS for _ in range(HELD_PER_MODEL)]
        held = await asyncio.gather(*asked, return_exceptions=True)
        gateway.pause()
        await asyncio.sleep(SETTLE_SECONDS)
        self._judge.freeze(gateway.name)
        await asyncio.sleep(self._world.lease_seconds + OVERSLEEP_SECONDS * self._chance.random())
        self._judge.wake()
        gateway.wake()
        await asyncio.sleep(SETTLE_SECONDS + self._world.grace_seconds)
        self._judge.settle()
        for connection in held:
            if not isinstance(connection, BaseException):
                connection.hang_up()

    def _harms_to_redis(self) -> Mapping[str, Harm]:
        match self._redis:
            case RedisServer() as server:
                return {
                    "flush": lambda: self._tell([server], "FLUSHALL"),
                    "forget": lambda: self._tell([server], "SCRIPT", "FLUSH"),
                    "restart": lambda: self._restart(server),
                    "stall": lambda: self._stall(server),
                    "read-only": lambda: self._read_only(server),
                }
            case RedisCluster(servers=nodes):
                return {
                    "flush": lambda: self._tell(nodes, "FLUSHALL"),
                    "forget": lambda: self._tell(nodes, "SCRIPT", "FLUSH"),
                    "restart": lambda: self._restart(self._chance.choice(nodes)),
                    "stall": lambda: self._stall(self._chance.choice(nodes)),
                }
            case RedisSentinel() as stand:
                return {
                    "flush": lambda: self._tell([stand.primary], "FLUSHALL"),
                    "forget": lambda: self._tell(stand.servers, "SCRIPT", "FLUSH"),
                    "failover": lambda: asyncio.to_thread(stand.fail_over),
                }

    async def _tell(self, servers: list[RedisServer], *command: str) -> None:
        for server in servers:
            await asyncio.to_thread(server.ask, *command)

    async def _restart(self, server: RedisServer) -> None:
        server.kill()
        await asyncio.sleep(self._chance.random())
        await asyncio.to_thread(server.start)

    async def _stall(self, server: RedisServer) -> None:
        server.stall()
        await asyncio.sleep(OUTAGE_SECONDS)
        server.resume()

    async def _read_only(self, server: RedisServer) -> None:
        await self._tell([server], "REPLICAOF", "127.0.0.1", "1")
        await asyncio.sleep(OUTAGE_SECONDS)
        with suppress(RedisError):
            await self._tell([server], "REPLICAOF", "NO", "ONE")
