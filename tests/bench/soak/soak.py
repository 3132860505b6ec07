"""Memory, files and slots of a gateway under minutes of mixed load, and when all is over."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from statistics import linear_regression

from msgspec import Struct
from msgspec.structs import replace

from gateway.simulator import Account, create_simulator, running
from gateway.torture.gateways import slots_at
from tests.bench.machine import open_files, resident_bytes
from tests.bench.processes import Bench, BenchError, MissingError, Server, free_port
from tests.bench.report import Row
from tests.bench.soak.traffic import FAULTS, callers
from tests.bench.wire import MODEL, REALTIME_MODEL

ACCOUNT = Account(name="main", key="5e1f0000000000000000000000000301.soakMain", tier="V3")
LIMITS = dict.fromkeys((MODEL, REALTIME_MODEL, "embedding-3"), (1000,) * 4)
REMEMBERED = """
[chat]
reasoning_memory_bytes = 65_536
[responses]
store_bytes = 65_536
"""
"""What is kept for later requests grows until it is as much as it may be: here that is soon."""

MINUTES = 10
PER_SECOND = 60.0
WARM_UP_SHARE = 0.1
LOOK_SECONDS = 1.0
LEAST_LOOK_SECONDS = 0.1
CALM_SECONDS = 10.0
MEBIBYTE = 1024 * 1024

# Some 4 MiB, which is a hundred bytes of every exchange: less than whatever would be kept of each.
GROWTH_PERCENT = 5

WARM = Row(measure="memory after a tenth of the load", unit="MiB")
END = Row(measure="memory at its end", unit="MiB, beside that")
GROWTH = Row(
    measure=f"growth over {MINUTES} minutes",
    unit="% of that, least squares",
    bound="at most",
    target=GROWTH_PERCENT,
)
FILES = Row(measure="open files when all is over", unit="more than before", bound="at most", target=0)
SLOTS = Row(measure="slots in use when all is over", unit="slots", bound="at most", target=0)
SOAK = (WARM, END, GROWTH, FILES, SLOTS)


class Sample(Struct, frozen=True):
    """The memory of a gateway so many seconds after its load began."""

    seconds: float
    mebibytes: float


def soak(bench: Bench, *, seconds: float) -> list[Row]:
    """Load a gateway for so long; the simulator and the callers are beside it, in one process."""
    metrics_port, config = free_port(), bench.directory / "soak.toml"
    config.write_text(REMEMBERED)
    settings = {
        "ZHIPU_API_KEY": ACCOUNT.key,
        "GATEWAY_CONFIG": str(config),
        "GATEWAY_LIMITS": ",".join(f"{model}={'/'.join(map(str, limits))}" for model, limits in LIMITS.items()),
        "GATEWAY_METRICS_PORT": str(metrics_port),
    }
    with ExitStack() as zhipu:
        simulator = create_simulator(accounts=[ACCOUNT], limits=LIMITS, faults=FAULTS)
        origin = zhipu.enter_context(running(simulator)).origin
        upstream = Server(port=int(origin.rpartition(":")[2]), process_id=0, path="")
        with bench.gateway(upstream=upstream, settings=settings) as gateway:
            files = open_files(gateway.process_id)
            if files is None:
                raise MissingError("Linux, which tells what a process holds")
            done, samples = asyncio.run(load(bench, gateway, seconds=seconds))
            slots = settled(lambda: asyncio.run(slots_in_use(metrics_port)))
            zhipu.close()  # Which ends the connections that the gateway keeps for its next request.
            more_files = settled(lambda: (open_files(gateway.process_id) or 0) - files)
    kinds = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in done.most_common())
    return [
        *grown(samples, seconds=seconds),
        replace(FILES, gateway=files + more_files, reference=files, result=more_files),
        replace(SLOTS, gateway=slots, result=slots, note=f"{done.total():,} exchanges: {kinds}"),
    ]


async def load(bench: Bench, gateway: Server, *, seconds: float) -> tuple[Counter[str], list[Sample]]:
    """Have callers do all they do; give how often they did what, and the memory meanwhile."""
    loop, samples = asyncio.get_running_loop(), list[Sample]()
    began = loop.time()

    async def watch() -> None:
        while True:
            held = resident_bytes(gateway.process_id) or 0
            samples.append(Sample(loop.time() - began, held / MEBIBYTE))
            await asyncio.sleep(bench.amount(LOOK_SECONDS, least=LEAST_LOOK_SECONDS))

    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(watch())
        done = await callers(port=gateway.port, per_second=PER_SECOND, seconds=seconds)
        watching.cancel()
    return done, samples


def grown(samples: Sequence[Sample], *, seconds: float) -> list[Row]:
    """Return what memory came to: a straight line through all that was seen since the gateway was warm."""
    warm = [one for one in samples if one.seconds >= WARM_UP_SHARE * seconds]
    line = linear_regression([one.seconds / 60 for one in warm], [one.mebibytes for one in warm])
    first, last = warm[0].mebibytes, warm[-1].mebibytes
    note = f"{line.slope * 1024:+.0f} KiB a minute"
    return [
        replace(WARM, gateway=first, result=first),
        replace(END, gateway=last, reference=first, result=last - first),
        replace(GROWTH, gateway=line.slope, result=line.slope * MINUTES / first * 100, note=note),
    ]


async def slots_in_use(metrics_port: int) -> int:
    """Return how many slots the gateway has given away."""
    slots = await slots_at(metrics_port)
    if slots is None:
        raise BenchError("the gateway does not tell its slots")
    return sum(row.in_use for row in slots.tenants)


def settled(value: Callable[[], int]) -> int:
    """Return a value when it has come down to nothing, or what it still is after ten seconds."""
    give_up_at = time.monotonic() + CALM_SECONDS
    while (now := value()) > 0 and time.monotonic() < give_up_at:
        time.sleep(LOOK_SECONDS / 10)
    return now
