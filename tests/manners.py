"""
How a gateway treats callers, over real sockets: what one waits beside a flood, and how soon a slot is free.

The simulator is the witness: it tells when a request reaches Zhipu, and when it is gone from there. The suite asks
whether a gateway behaves, the benchmark how well.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import count

from msgspec import Struct

from gateway.simulator import Simulator, create_simulator
from gateway.simulator.accounts import Account
from gateway.simulator.book import Place
from gateway.simulator.faults import Latency, Stall
from gateway.torture.wire import Connection, chat
from gateway.torture.world import ENDLESS, QUICK

MODEL = "glm-4.5-air"
ACCOUNT = Account(name="main", key="5e1f0000000000000000000000000201.mannersMain", tier="V3")
FLOOD = 200
BESIDE = 10
LOOK_SECONDS = 0.0005


class Caller(Struct, frozen=True):
    """A tenant, and the port of the gateway that it calls."""

    key: str
    port: int

    async def ask(self, prompt: str, *, name: str) -> Connection:
        """Send a request; a stream where it never ends."""
        request = chat(key=self.key, model=MODEL, prompt=prompt, user_id=name, stream=prompt == ENDLESS)
        return await Connection.send(self.port, request)

    async def ask_quickly(self, *, name: str) -> float:
        """Ask for something quick; return how many seconds it took."""
        began = time.monotonic()
        connection = await self.ask(QUICK, name=name)
        try:
            await connection.ended()
        finally:
            connection.hang_up()
        assert connection.answer.status == 200, bytes(connection.answer.received)
        return time.monotonic() - began


class Witness:
    """A simulator of one account with ``slots``, and when which request entered it and left."""

    def __init__(self, *, slots: int, service_seconds: float) -> None:
        self.entered: dict[str, float] = {}
        self.left: dict[str, float] = {}
        self.slots = slots
        self.service_seconds = service_seconds
        self.simulator: Simulator = create_simulator(
            accounts=[ACCOUNT],
            limits={MODEL: (slots,) * 4},
            faults=[
                Latency(contains=QUICK, seconds=service_seconds, times=None),
                Stall(contains=ENDLESS, times=None),
            ],
            watch=self._watch,
        )

    @property
    def inside(self) -> int:
        """How many requests are under way."""
        return len(self.entered) - len(self.left)

    def _watch(self, _place: Place, user_id: str, change: int) -> None:
        (self.entered if change > 0 else self.left)[user_id] = time.monotonic()


class Turn(Struct, frozen=True):
    """How long a request waited, in seconds, and how many of others reached Zhipu meanwhile."""

    wait_seconds: float
    passed: int


async def turns_beside_a_flood(witness: Witness, *, flood: Caller, other: Caller) -> list[Turn]:
    """
    Return what each request of one waits for who calls again and again while another floods.

    The flood is of 200 requests at once, and wants every slot that there is.
    """
    async with asyncio.TaskGroup() as tasks:
        for number in range(FLOOD):
            tasks.create_task(flood.ask_quickly(name=f"flood-{number}"))
        await until(lambda: witness.inside == witness.slots)
        turns: list[Turn] = []
        while len(witness.left) < FLOOD - 3 * witness.slots and len(turns) < BESIDE:
            name, asked_at = f"other-{len(turns)}", time.monotonic()
            seconds = await other.ask_quickly(name=name)
            passed = sum(asked_at < at < witness.entered[name] for at in witness.entered.values())
            turns.append(Turn(seconds - witness.service_seconds, passed))
    assert turns, "the flood was over too soon"
    return turns


class Release(Struct, frozen=True):
    """After how many seconds what a caller left was gone from Zhipu, and its slot with the next who waited."""

    closed_seconds: float
    handed_on_seconds: float


async def releases(
    witness: Witness, *, caller: Caller, someone_waits: Callable[[], Awaitable[bool]], rounds: int
) -> list[Release]:
    """Let a caller hang up in the middle of a stream, while another waits for its slot: the account's only one."""
    numbers = count(1)
    found = []
    first, name = await caller.ask(ENDLESS, name="stream-0"), "stream-0"
    await first.begun()
    for _ in range(rounds):
        next_name = f"stream-{next(numbers)}"
        second = await caller.ask(ENDLESS, name=next_name)
        while not await someone_waits():  # noqa: ASYNC110 - the line is inside the gateway
            await asyncio.sleep(LOOK_SECONDS)
        left_at = time.monotonic()
        first.hang_up()
        await second.begun()
        found.append(Release(witness.left[name] - left_at, witness.entered[next_name] - left_at))
        first, name = second, next_name
    first.hang_up()
    await until(lambda: witness.inside == 0)
    return found


async def until(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    while not true():  # noqa: ASYNC110 - it happens in another thread
        await asyncio.sleep(LOOK_SECONDS)
