"""Realtime calls: how late GLM's voice arrives, and what a message and an open call cost."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from os import getpid

import uvloop
from msgspec import Struct
from msgspec.structs import replace

from .callers import DELTA_SECONDS, FRAME_SECONDS, Client, Glm, Pace
from .load import percentile
from .machine import processor_seconds, resident_bytes, uncollected, waited_seconds
from .processes import Bench, BenchError, Server, free_port
from .report import Row
from .wire import REALTIME_MODEL

CALLS = 200
LEAST_CALLS = 20
WARM_UP_SECONDS = 2.0
SECONDS = 8.0
LIMIT_SECONDS = 60.0
LATE_SHARE = 0.1
LATE_SHARE_OF_FEW = 0.9
UNHEARD_SECONDS = 10.0

DELAY_P50 = Row(measure=f"{CALLS} calls, added delay of the voice p50", unit="ms, over direct")
DELAY_P99 = Row(
    measure=f"{CALLS} calls, added delay of the voice p99", unit="ms, over direct", bound="at most", target=20
)
LOAD_P99 = Row(measure="lateness of the load itself p99", unit="ms")
PER_CORE = Row(measure="calls per core, by what they compute", unit="calls", bound="at least", target=300)
MESSAGE = Row(measure="a relayed message", unit="µs of computing")
MEMORY = Row(measure="an idle call's memory", unit="KB", bound="at most", target=200)
ROWS = (DELAY_P50, DELAY_P99, LOAD_P99, PER_CORE, MESSAGE, MEMORY)


class Measured(Struct, frozen=True, kw_only=True):
    """
    How late the voice was, and the load itself, in seconds; and what the server did in a second.

    ``processor_share`` is what it computed, ``waiting_share`` how long it could have but another program did;
    ``load_waiting_share`` is that of the load. None: not told.
    """

    p50_seconds: float
    p99_seconds: float
    load_p99_seconds: float
    processor_share: float | None
    waiting_share: float | None
    load_waiting_share: float | None
    messages_per_second: float
    idle_bytes: float | None = None


def calls(bench: Bench) -> list[Row]:
    """Measure calls through the gateway, and straight to the stand-in."""
    port = free_port()
    with uncollected():
        direct = uvloop.run(_run(bench, None, glm_port=port))
    limits = f"{REALTIME_MODEL}=9000/9000/9000/9000"
    with bench.calls_gateway(glm_port=port, limits=limits) as gateway, uncollected():
        ours = uvloop.run(_run(bench, gateway, glm_port=port))
    share, count = ours.processor_share, bench.amount(CALLS, least=LEAST_CALLS)
    rows = [
        *(
            replace(row, gateway=mine * 1e3, reference=theirs * 1e3, result=(mine - theirs) * 1e3, note=note)
            for row, mine, theirs, note in (
                (DELAY_P50, ours.p50_seconds, direct.p50_seconds, ""),
                (DELAY_P99, ours.p99_seconds, direct.p99_seconds, _use(ours)),
            )
        ),
        replace(LOAD_P99, gateway=ours.load_p99_seconds * 1e3, reference=direct.load_p99_seconds * 1e3),
    ]
    if share is None or ours.idle_bytes is None:
        return [*rows, *(replace(row, skipped="only Linux tells") for row in (PER_CORE, MESSAGE, MEMORY))]
    per_message = share / ours.messages_per_second * 1e6
    return [
        *rows,
        replace(PER_CORE, gateway=count / share, result=count / share),
        replace(MESSAGE, gateway=per_message, result=per_message),
        replace(MEMORY, gateway=ours.idle_bytes / 1024, result=ours.idle_bytes / 1024),
    ]


def _use(ours: Measured) -> str:
    """Say whose the core was: what waits for a core is late by no fault of its own."""
    shares = (
        (ours.processor_share, "of the core used"),
        (ours.waiting_share, "of the time waited for it"),
        (ours.load_waiting_share, "by the load for its own"),
    )
    return ", ".join(f"{share:.0%} {what}" for share, what in shares if share is not None)


async def _run(bench: Bench, server: Server | None, *, glm_port: int) -> Measured:
    loop, count = asyncio.get_running_loop(), bench.amount(CALLS, least=LEAST_CALLS)
    ends: list[Glm] = []
    clients: list[Client] = []
    seen: deque[tuple[int, int]] = deque()
    late: deque[float] = deque()

    def answer() -> Glm:
        ends.append(Glm(Pace(DELTA_SECONDS, phase=len(ends) / count, late=late)))
        return ends[-1]

    def call() -> Client:
        clients.append(
            Client(seen, Pace(FRAME_SECONDS, phase=len(clients) / count, late=late), path=path, port=port)
        )
        return clients[-1]

    listening = await loop.create_server(answer, "127.0.0.1", glm_port, backlog=1024)
    port, path = (server.port, server.path) if server is not None else (glm_port, "/realtime")
    async with listening, asyncio.timeout(LIMIT_SECONDS):
        idle = await _dial(call, count=count, port=port, server=server)
        for client in clients:
            client.speak()
        await asyncio.sleep(bench.amount(WARM_UP_SECONDS, least=0.5))
        measured = await _measure(seen, late, server=server, count=count, seconds=bench.amount(SECONDS, least=1.0))
        for client in clients:
            client.transport.abort()
        said, heard = sum(client.frames for client in clients), sum(end.frames for end in ends)
        if heard < (1 - bench.amount(LATE_SHARE, least=LATE_SHARE_OF_FEW)) * said:
            raise BenchError(f"of {said} frames {heard:.0f} arrived")
        await asyncio.gather(*(end.gone for end in ends))
    return replace(measured, idle_bytes=idle)


async def _dial(make: Callable[[], Client], *, count: int, port: int, server: Server | None) -> float | None:
    """Open the calls; return what one holds."""
    loop = asyncio.get_running_loop()
    before: int | None = None
    for number in range(count):
        if number == count // 4 and server is not None:  # What is made once is made by then.
            before = resident_bytes(server.process_id)
        _, client = await loop.create_connection(make, "127.0.0.1", port)
        await client.open
    await asyncio.sleep(0.5)
    after = resident_bytes(server.process_id) if server is not None else None
    return None if before is None or after is None else (after - before) / (count * 3 // 4)


async def _measure(
    seen: deque[tuple[int, int]], late: deque[float], *, server: Server | None, count: int, seconds: float
) -> Measured:
    late.clear()
    from_ns, used = time.monotonic_ns(), _used(server)
    await asyncio.sleep(seconds)
    until_ns, used_then = time.monotonic_ns(), _used(server)
    taken_seconds = (until_ns - from_ns) / 1e9
    delays = [delay / 1e9 for sent_at, delay in seen if from_ns <= sent_at < until_ns]
    heard = len(delays)
    # What has not come is later than all the rest.
    delays += [UNHEARD_SECONDS] * (round(count * seconds / DELTA_SECONDS) - heard)
    shares = [
        None if before is None or after is None else (after - before) / taken_seconds
        for before, after in zip(used, used_then, strict=True)
    ]
    return Measured(
        p50_seconds=percentile(delays, 50),
        p99_seconds=percentile(delays, 99),
        load_p99_seconds=percentile(late, 99),
        processor_share=shares[0],
        waiting_share=shares[1],
        load_waiting_share=shares[2],
        messages_per_second=(count / FRAME_SECONDS) + heard / taken_seconds,
    )


def _used(server: Server | None) -> tuple[float | None, float | None, float | None]:
    """Return what the server has computed and waited, and what the load has waited, in seconds."""
    if server is None:
        return None, None, waited_seconds(getpid())
    return processor_seconds(server.process_id), waited_seconds(server.process_id), waited_seconds(getpid())
