"""One trial: everything started, harmed for a while, looked at, and ended."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.limits.link import KEYS
from gateway.redis_client.client import connect
from gateway.simulator import Running, create_simulator, running
from gateway.torture.callers import Callers
from gateway.torture.cluster import RedisCluster
from gateway.torture.gateways import GatewayProcess
from gateway.torture.harms import Harm, Harms, Stand
from gateway.torture.judge import Judge
from gateway.torture.redis import RedisServer
from gateway.torture.report import Report
from gateway.torture.sentinel import RedisSentinel
from gateway.torture.world import ACCOUNTS, FAULTS, LIMITS, MODELS, TENANTS, TIERS, RedisKind, World

CALM_SECONDS = 0.7
RECOVERY_SECONDS = 20.0
LOOK_SECONDS = 0.05
REDIS_SECONDS = 2.0

TURNS = 10
"""Turns of its loop in which the simulator notices that a connection was closed, twice over."""

STANDS: dict[RedisKind, type[RedisServer] | type[RedisCluster] | type[RedisSentinel]] = {
    "single": RedisServer,
    "cluster": RedisCluster,
    "sentinel": RedisSentinel,
}


class Trial:
    """
    One trial of a world. ``run`` is called once; meanwhile all else is there to be looked at.

    ``directory`` takes configuration and logs.
    """

    def __init__(self, world: World, *, directory: Path) -> None:
        self.world = world
        self.gateways: Sequence[GatewayProcess] = ()
        self.harmed: Counter[str] = Counter()
        self.judge = Judge(
            who_may_have_what(), grace_seconds=world.grace_seconds, clock=self._seconds, later=after_turns
        )
        self.phase = "starting"
        self.callers = Callers(world, self.gateways)
        self._directory = directory
        self._began = time.monotonic()
        self._recovery = (0.0, "")

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return self._seconds()

    async def run(self) -> Report:
        """Run the trial, and leave nothing running. Raises StartError when something does not even start."""
        redis = STANDS[self.world.redis](self._directory / "redis")
        try:
            await asyncio.to_thread(redis.start)
            simulator = create_simulator(
                accounts=ACCOUNTS, limits=self.world.ceilings, faults=FAULTS, watch=self.judge.watch
            )
            with running(simulator) as zhipu:
                return await self._run(redis, zhipu)
        finally:
            redis.kill()

    async def _run(self, redis: Stand, zhipu: Running) -> Report:
        async with self._started(redis, zhipu) as gateways:
            callers = self.callers = Callers(self.world, gateways)
            harms = Harms(self.world, redis=redis, gateways=gateways, judge=self.judge, callers=callers)
            self._began = time.monotonic()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(callers.run())
                await self._harm(harms)
                callers.over = True
            self.phase = "looking for leaks"
            seconds = self._seconds()
            leaked = await self._leaked(redis)
            kills = sum(gateway.deaths for gateway in gateways)
        return Report(
            seed=self.world.seed,
            seconds=seconds,
            tally=callers.tally,
            harms=self.harmed,
            kills=kills,
            violations=self.judge.violations,
            leaked=leaked,
            refused_by_simulator=zhipu.simulator.book.refused.total(),
            excesses=self.judge.excesses,
            longest_recovery=self._recovery[0],
            recovered_from=self._recovery[1],
        )

    @asynccontextmanager
    async def _started(self, redis: Stand, zhipu: Running) -> AsyncIterator[list[GatewayProcess]]:
        config = self._directory / "gateway.toml"
        config.write_text(self.world.configuration(upstream_url=zhipu.url, redis_url=redis.url))
        gateways = [GatewayProcess(f"gateway-{n}", config=config) for n in range(1, self.world.gateways + 1)]
        self.gateways = gateways
        try:
            await asyncio.gather(*(gateway.start() for gateway in gateways))
            yield gateways
            self.phase = "stopping"
            stopped = await asyncio.gather(*(asyncio.to_thread(gateway.stop) for gateway in gateways))
            for gateway, well in zip(gateways, stopped, strict=True):
                if not well:
                    self.judge.accuse(f"{gateway.name} did not end when it was told to: {gateway.last_words()}")
        finally:
            for gateway in gateways:
                gateway.kill()

    async def _harm(self, harms: Harms) -> None:
        """Do one thing after the other, each once at least, and each with a moment of peace before it."""
        deck = harms.deck()
        while self._seconds() < self.world.seconds or self.harmed.total() < len(harms.names):
            self.phase = "peace"
            await asyncio.sleep(CALM_SECONDS)
            if harms.names:
                await self._harm_once(*next(deck))

    async def _harm_once(self, name: str, harm: Harm) -> None:
        self.phase = name
        await harm()
        healed_at = asyncio.get_running_loop().time()
        self.phase = f"recovering from {name}"
        try:
            async with asyncio.timeout(RECOVERY_SECONDS):
                while not await self._all_serve(since=healed_at):  # noqa: ASYNC110 - they are processes
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            self.judge.accuse(f"not everything works {RECOVERY_SECONDS:.0f} s after {name}")
        self.harmed[name] += 1
        seconds = asyncio.get_running_loop().time() - healed_at
        self._recovery = max(self._recovery, (seconds, f"after {name}"))

    async def _all_serve(self, *, since: float) -> bool:
        """Tell whether every gateway has served a request that began since then, and none counts alone."""
        if not all(self.callers.served_since.get(one.name, 0.0) >= since for one in self.gateways):
            return False
        slots = await asyncio.gather(*(gateway.slots() for gateway in self.gateways))
        return all(one is not None and not one.degraded for one in slots)

    async def _leaked(self, redis: Stand) -> int:
        """Return how many slots are still held once the leases of the dead have ended, though nobody uses any."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.world.lease_seconds + REDIS_SECONDS
        while (held := await self._held(redis)) and loop.time() < deadline:  # noqa: ASYNC110 - as above
            await asyncio.sleep(LOOK_SECONDS)
        return held

    async def _held(self, redis: Stand) -> int:
        """Return the slots that gateways and Redis count, and the requests that the simulator has in flight."""
        slots = await asyncio.gather(*(gateway.slots() for gateway in self.gateways))
        here = sum(row.in_use + row.waiting for one in slots if one is not None for row in one.tenants)
        client = connect(redis.url, timeout_seconds=REDIS_SECONDS)
        try:
            keys = [f"glm-gateway:{{{model}}}:{KEYS[1]}" for model in MODELS]
            there = sum([int(await client.execute_command("HLEN", key)) for key in keys])
        finally:
            await client.aclose()
        accounts = sum(n for count, n in self.judge.totals.items() if count.who.startswith("account"))
        return max(here, there, accounts)

    def _seconds(self) -> float:
        return time.monotonic() - self._began


def after_turns(call: Callable[[], None], turns: int = TURNS) -> None:
    """Call when the loop has gone round a few times."""
    loop = asyncio.get_running_loop()
    if turns:
        loop.call_soon(after_turns, call, turns - 1)
    else:
        call()


def who_may_have_what() -> dict[str, int]:
    accounts = {f"account {account.name}": LIMITS[TIERS.index(account.tier)] for account in ACCOUNTS}
    return accounts | {f"tenant {tenant.name}": tenant.limit for tenant in TENANTS}
