"""Two gateways behind one address: how much more they carry than one, each on a core or a part of one."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from statistics import fmean

from msgspec import Struct
from msgspec.structs import replace

from .load import Rounds, requests_per_second
from .processes import Bench, Server
from .quota import quota, quotas_are_to_be_had
from .report import Row

ROUNDS = 8
ROUND_SECONDS = 1.0
WARM_UP_SECONDS = 1.0
CONNECTIONS = 64
"""So many that a gateway finds work whenever its quota is given anew."""
MANY_CORES = 4
"""With as many, two are the gateways' alone."""
PART = 0.3
"""What a gateway gets of a core that is not its alone: load, balancer and upstream need some of it too."""

TWO = Row(
    measure="two processes behind one address, of one",
    unit="1/s, a core each, ratio to one",
    bound="at least",
    target=1.9,
)
ON_ONE_CORE = replace(TWO, unit="1/s, one core for both, ratio to one", target=0.95)
SHARED = "at a ratio of 1 they share and lose nothing but the core, and two cores carry twice as much"


class Places(Struct, frozen=True):
    """Where the gateways are: a core for each, ``part`` of which it may use, and where the rest is."""

    row: Row
    gateways: tuple[Sequence[int], Sequence[int]]
    others: Sequence[int]
    part: float = 1.0


def places(cores: Sequence[int]) -> Places:
    """Return the best places that so many cores have: where two gateways share as little as can be."""
    if len(cores) >= MANY_CORES:
        return Places(TWO, (cores[:1], cores[1:2]), cores[2:])
    if len(cores) > 1 and quotas_are_to_be_had():
        return Places(TWO, (cores[:1], cores[1:2]), cores, part=PART)
    return Places(ON_ONE_CORE, (cores[:1], cores[:1]), cores[1:2])


def two_processes(bench: Bench) -> list[Row]:
    """
    Measure two gateways together and each alone, every time behind an nginx of the same kind.

    In turns, like everything, but by their averages: for two, both cores would have to be quiet at the same time.
    Alone a gateway has the same core, and the same part of it, as together.
    """
    there = places(bench.cores)
    warm_up_seconds = bench.amount(WARM_UP_SECONDS, least=0.2)
    seconds = bench.amount(ROUND_SECONDS, least=0.3)
    with bench.placed(measured=(), others=there.others), ExitStack() as stack:
        upstream = stack.enter_context(bench.nginx_upstream())
        gateways = [stack.enter_context(_gateway(bench, upstream, there, core=core)) for core in there.gateways]
        turns = [
            Rounds(
                bench,
                stack.enter_context(bench.nginx_balancer(*behind, name=f"before-{number}")),
                behind=behind,
                connections=CONNECTIONS,
            )
            for number, behind in enumerate((gateways[:1], gateways[1:], gateways))
        ]
        for rounds in turns:
            requests_per_second(rounds.server, seconds=warm_up_seconds, directory=bench.directory)
        for _ in range(bench.amount(ROUNDS, least=1)):
            for rounds in turns:
                rounds.run(seconds=seconds)
    one, other, together = (_carried(rounds, part=there.part) for rounds in turns)
    alone = fmean((one, other))
    note = _note(there, *turns)
    return [replace(there.row, gateway=together, reference=alone, result=together / alone, note=note)]


def _carried(rounds: Rounds, *, part: float) -> float:
    """Return answers a second, less what was computed for them beyond ``part``: a quota is not kept to exactly."""
    return rounds.rate / max(1.0, rounds.computed_share / part)


@contextmanager
def _gateway(bench: Bench, upstream: Server, there: Places, *, core: Sequence[int]) -> Iterator[Server]:
    with ExitStack() as stack:
        part = stack.enter_context(quota(there.part)) if there.part < 1 else None
        with bench.placed(measured=core, others=there.others):
            gateway = stack.enter_context(bench.gateway(upstream=upstream))
        if part is not None:
            part.hold(gateway.process_id)
        yield gateway


def _note(there: Places, first: Rounds, second: Rounds, both: Rounds) -> str:
    computed = f"a request computes for {both.computed_microseconds:.0f} µs together, alone for " + " and ".join(
        f"{alone.computed_microseconds:.0f} µs" for alone in (first, second)
    )
    if there.row is ON_ONE_CORE:
        return f"{SHARED}; {computed}"
    alone, other, together = (f"{rounds.computed_share / there.part:.0%}" for rounds in (first, second, both))
    used = f"of that, used {alone} and {other} alone and {together} together"
    return f"each may use {there.part:.0%} of its core and, {used}; {computed}"
