"""Hundreds of callers: of every tenant, at every gateway, some of whom hang up."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from itertools import count

from msgspec import Struct

from gateway.torture.gateways import GatewayProcess
from gateway.torture.judge import Call
from gateway.torture.wire import DONE, Connection, chat
from gateway.torture.world import ENDLESS, MODELS, QUICK, SERVICE_SECONDS, STEADY, TENANTS, Tenant, World

HANG_UP_SHARE = 0.15
LONGEST_STAY_SECONDS = 1.0
SLACK_SECONDS = 3.0
"""What a request may take beyond its wait and its service before it counts as hung."""

PAUSE_SECONDS = 0.1
"""How long a caller that was refused waits before it asks again."""

HONEST_REFUSALS = frozenset({"rate_limit_exceeded", "wait_too_long", "queue_full", "slots_unavailable"})
SLOT_LOST = "slot_lost"
OK = 200


class Tally(Struct):
    """
    What became of requests.

    ``refused`` are by the code of their 429 or 503. ``lost`` were ended because their slot was lost, ``cut`` with
    the process that was killed. ``hung`` took longer than any may. ``unexpected`` is all that must not be.
    """

    done: int = 0
    left: int = 0
    cut: int = 0
    lost: int = 0
    hung: int = 0
    refused: Counter[str] = Counter()
    unexpected: Counter[str] = Counter()
    longest_seconds: float = 0.0


class Callers:
    """All callers. ``served_since`` has for each gateway when the latest request began that it served."""

    def __init__(self, world: World, gateways: Sequence[GatewayProcess]) -> None:
        self.tally = Tally(refused=Counter(), unexpected=Counter())
        self.served_since: dict[str, float] = {}
        self.over = False
        self._world = world
        self._gateways = gateways
        self._numbers = count(1)

    async def run(self) -> None:
        """Call until it is over, and let the last requests end."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(self._world.callers):
                tasks.create_task(self._call_again_and_again(number))

    async def hold(self, gateway: GatewayProcess, tenant: Tenant, model: str) -> Connection:
        """Ask for what never ends, and wait until it has begun; the caller hangs up. Raises OSError."""
        connection = await self._ask(gateway, tenant, model=model, prompt=ENDLESS)
        await connection.begun()
        return connection

    async def _call_again_and_again(self, number: int) -> None:
        chance = random.Random(f"{self._world.seed}/{number}")  # noqa: S311 - nobody has to guess
        tenant = TENANTS[number % len(TENANTS)]
        while not self.over:
            if not await self._call(chance, tenant):
                await asyncio.sleep(PAUSE_SECONDS)

    async def _call(self, chance: random.Random, tenant: Tenant) -> bool:
        """Make one request; returns whether another may follow at once."""
        gateway, model = chance.choice(self._in_rotation()), chance.choice(MODELS)
        prompt = chance.choice((QUICK, QUICK, STEADY))
        stay_seconds = chance.random() * LONGEST_STAY_SECONDS if chance.random() < HANG_UP_SHARE else None
        loop = asyncio.get_running_loop()
        began, deaths, slept = loop.time(), gateway.deaths, gateway.slept_seconds
        connection: Connection | None = None
        try:
            connection = await self._ask(gateway, tenant, model=model, prompt=prompt)
            async with asyncio.timeout(stay_seconds):
                await connection.ended()
        except TimeoutError:
            self.tally.left += 1
            return True
        except OSError as error:
            self._count_broken(gateway, deaths, type(error).__name__)
            return False
        finally:
            if connection is not None:
                connection.hang_up()
        self._time(loop.time() - began - (gateway.slept_seconds - slept), prompt)
        return self._count(connection, gateway, began=began, deaths=deaths)

    def _in_rotation(self) -> Sequence[GatewayProcess]:
        """Return where a load balancer would send a request."""
        return [gateway for gateway in self._gateways if gateway.state == "up"] or self._gateways

    async def _ask(self, gateway: GatewayProcess, tenant: Tenant, *, model: str, prompt: str) -> Connection:
        call = Call(tenant.name, gateway.name, str(next(self._numbers)))
        request = chat(key=tenant.key, model=model, prompt=prompt, user_id=str(call), stream=prompt != QUICK)
        return await Connection.send(gateway.port, request)

    def _time(self, seconds: float, prompt: str) -> None:
        self.tally.longest_seconds = max(self.tally.longest_seconds, seconds)
        longest = self._world.queue_timeout_seconds + SERVICE_SECONDS[prompt] + SLACK_SECONDS
        self.tally.hung += seconds > longest

    def _count(self, connection: Connection, gateway: GatewayProcess, *, began: float, deaths: int) -> bool:
        answer, tally = connection.answer, self.tally
        if answer.status == OK and (DONE in answer.received or b'"usage"' in answer.received):
            tally.done += 1
            self.served_since[gateway.name] = max(began, self.served_since.get(gateway.name, 0.0))
            return True
        if answer.code == SLOT_LOST:
            tally.lost += 1
        elif answer.code in HONEST_REFUSALS and answer.status != OK:
            tally.refused[answer.code] += 1
        elif not answer.code and answer.status in (OK, 0):
            self._count_broken(gateway, deaths, "an answer without an end")
        else:
            tally.unexpected[f"HTTP {answer.status} {answer.code}".strip()] += 1
        return False

    def _count_broken(self, gateway: GatewayProcess, deaths: int, what: str) -> None:
        if gateway.deaths != deaths or not gateway.answers:
            self.tally.cut += 1
        else:
            self.tally.unexpected[what] += 1
