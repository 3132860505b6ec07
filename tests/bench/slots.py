"""What sharing slots through Redis costs, and how they behave: nobody starves, and nothing is kept."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median

import redis as blocking_redis
from msgspec.structs import replace

from gateway.simulator import running
from gateway.torture.gateways import slots_at
from tests.manners import ACCOUNT, MODEL, Caller, Witness, releases, turns_beside_a_flood

from .load import Rounds, latencies_seconds, requests_per_second
from .processes import Bench, Server, free_port, nginx_program
from .report import Row

ROUNDS = 4
ROUND_SECONDS = 3.0
ALONE_REQUESTS = 1000
WARM_UP_SECONDS = 1.0

SHARED_RATE = Row(
    measure="requests with slots in Redis", unit="1/s, ratio to in-process", bound="at least", target=0.6
)
ROUND_TRIPS = Row(measure="round trips to Redis, alone", unit="per request", bound="at most", target=2.05)
SHARED_ROUND_TRIPS = Row(
    measure="round trips to Redis, at 32 connections", unit="per request", bound="at most", target=2.0
)

FAIRNESS = Row(measure="wait beside a flood of 200", unit="service times, longest", bound="at most", target=2.0)
CLOSED = Row(measure="caller gone: closed at Zhipu", unit="ms, longest", bound="at most", target=100)
HANDED_ON = Row(measure="caller gone: slot with the next", unit="ms, longest", bound="at most", target=100)

FLOOD_KEY, OTHER_KEY = "sk-glm-flood-0123456789", "sk-glm-other-0123456789"
SLOTS = 10
SERVICE_SECONDS = 0.2
RELEASE_ROUNDS = 20
NOWHERE = Server(port=0, process_id=0, path="")


def shared_slots(bench: Bench) -> list[Row]:
    """Measure a gateway that shares slots, and one that does not, in turns on a core; Redis is beside the load."""
    one_after_the_other = bench.amount(ALONE_REQUESTS, least=20)
    warm_up_seconds = bench.amount(WARM_UP_SECONDS, least=0.2)
    round_seconds = bench.amount(ROUND_SECONDS, least=0.3)
    with ExitStack() as stack:
        upstream = stack.enter_context(bench.stub() if nginx_program() is None else bench.nginx_upstream())
        redis = stack.enter_context(bench.redis())
        settings = {"GATEWAY_REDIS_URL": f"redis://127.0.0.1:{redis}/0"}
        alone = Rounds(bench, stack.enter_context(bench.gateway(upstream=upstream)))
        shared = Rounds(bench, stack.enter_context(bench.gateway(upstream=upstream, settings=settings)))
        for rounds in (alone, shared):
            requests_per_second(rounds.server, seconds=warm_up_seconds, directory=bench.directory)
        before = calls(redis)
        for _ in range(bench.amount(ROUNDS, least=1)):
            alone.run(seconds=round_seconds)
            shared.run(seconds=round_seconds)
        together = (calls(redis) - before) / shared.requests
        before = calls(redis)
        latencies_seconds(shared.server, count=one_after_the_other)
        one_by_one = (calls(redis) - before) / one_after_the_other
    note = (
        f"one request computes for {shared.computed_microseconds:.0f} µs, "
        f"with slots in the process for {alone.computed_microseconds:.0f} µs"
    )
    return [
        replace(
            SHARED_RATE, gateway=shared.best, reference=alone.best, result=shared.best / alone.best, note=note
        ),
        replace(ROUND_TRIPS, gateway=one_by_one, result=one_by_one, note="with what a replica says by itself"),
        replace(SHARED_ROUND_TRIPS, gateway=together, result=together),
    ]


def fairness(bench: Bench) -> list[Row]:
    """Measure what one waits at a gateway while another tenant floods another, for an account that both share."""
    service_seconds = bench.amount(SERVICE_SECONDS, least=0.1)
    witness = Witness(slots=SLOTS, service_seconds=service_seconds)
    with ExitStack() as stack:
        redis = stack.enter_context(bench.redis())
        zhipu = stack.enter_context(running(witness.simulator))
        ports = [
            stack.enter_context(before(bench, url=zhipu.url, slots=SLOTS, redis=redis, metrics_port=free_port()))
            for _ in range(2)
        ]
        flood, other = Caller(FLOOD_KEY, ports[0]), Caller(OTHER_KEY, ports[1])
        turns = asyncio.run(turns_beside_a_flood(witness, flood=flood, other=other))
    waits = [turn.wait_seconds for turn in turns]
    result = max(waits) / service_seconds
    note = f"{median(waits) / service_seconds:.2f} in the middle, of {len(waits)}"
    return [replace(FAIRNESS, gateway=result, result=result, note=note)]


def release(bench: Bench) -> list[Row]:
    """Measure how soon a stream is gone when its caller hangs up, and its slot with the next who waits for it."""
    witness = Witness(slots=1, service_seconds=SERVICE_SECONDS)
    metrics_port, rounds = free_port(), bench.amount(RELEASE_ROUNDS, least=2)

    async def someone_waits() -> bool:
        slots = await slots_at(metrics_port)
        return slots is not None and any(row.waiting for row in slots.tenants)

    with ExitStack() as stack:
        redis = stack.enter_context(bench.redis())
        zhipu = stack.enter_context(running(witness.simulator))
        port = stack.enter_context(before(bench, url=zhipu.url, slots=1, redis=redis, metrics_port=metrics_port))
        found = asyncio.run(
            releases(witness, caller=Caller(OTHER_KEY, port), someone_waits=someone_waits, rounds=rounds)
        )
    return [
        row_of(CLOSED, [one.closed_seconds for one in found]),
        row_of(HANDED_ON, [one.handed_on_seconds for one in found]),
    ]


def row_of(row: Row, seconds: list[float]) -> Row:
    longest = max(seconds) * 1000
    note = f"{median(seconds) * 1000:.0f} ms in the middle, of {len(seconds)}"
    return replace(row, gateway=longest, result=longest, note=note)


@contextmanager
def before(bench: Bench, *, url: str, slots: int, redis: int, metrics_port: int) -> Iterator[int]:
    """Run a gateway for two tenants before the witness; gives its port."""
    settings = {
        "ZHIPU_API_KEY": ACCOUNT.key,
        "GATEWAY_UPSTREAM_URL": url,
        "GATEWAY_KEYS": f"flood:{FLOOD_KEY}:V3,other:{OTHER_KEY}:V3",
        "GATEWAY_LIMITS": f"{MODEL}=" + "/".join([str(slots)] * 4),
        "GATEWAY_METRICS_PORT": str(metrics_port),
        "GATEWAY_REDIS_URL": f"redis://127.0.0.1:{redis}/0",
    }
    with bench.gateway(upstream=NOWHERE, settings=settings) as gateway:
        yield gateway.port


def calls(port: int) -> int:
    """Return how many scripts a Redis was asked to run so far."""
    with blocking_redis.Redis(port=port) as client:
        stats = client.info("commandstats")
    assert isinstance(stats, dict)
    return sum(int(stats.get(f"cmdstat_{name}", {}).get("calls", 0)) for name in ("eval", "evalsha"))
