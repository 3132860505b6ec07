"""What is measured of each program: all run at once and are loaded in turns, so that none has the better day."""

import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from msgspec import Struct

from tests.bench.load import latencies_seconds, requests_per_second
from tests.bench.machine import processor_seconds, resident_bytes
from tests.bench.peers.programs import Program, Start
from tests.bench.processes import Bench, BenchError, Server
from tests.bench.streams import flood_events_per_second, paced_delays

READY_SECONDS = 60.0
MEBIBYTE = 1024 * 1024
PUNCTUAL_SECONDS = 0.010
PACED_TRIES = 2

Result = TypeVar("Result")


class Effort(Struct, frozen=True, kw_only=True):
    """How much is measured. ``paced`` are the numbers of streams that are tried, the most first."""

    rounds: int = 5
    round_seconds: float = 3.0
    latencies: int = 400
    flood_events: int = 400_000
    paced: Sequence[int] = (700, 500, 400, 300, 150, 70, 30)
    paced_seconds: float = 6.0


SMOKE = Effort(rounds=1, round_seconds=1.0, latencies=5, flood_events=400, paced=(2,), paced_seconds=2.0)


class Figures(Struct, kw_only=True):
    """What one program reached; None: it cannot, ``without`` says why."""

    name: str
    what: str
    start_seconds: float | None = None
    idle_mebibytes: float | None = None
    loaded_mebibytes: float | None = None
    requests_per_second: float | None = None
    microseconds_per_request: float | None = None
    added_p50_ms: float | None = None
    added_p99_ms: float | None = None
    events_per_second: float | None = None
    punctual_streams: int | None = None
    punctual_p99_ms: float | None = None
    without: str = ""


class Running(Struct, kw_only=True):
    """A program in front of one upstream, and what is known of it so far."""

    program: Program
    server: Server
    figures: Figures


def compare(bench: Bench, programs: Sequence[Program], *, effort: Effort) -> list[Figures]:
    """Return the figures of every program, in their order."""
    figures = {program.name: Figures(name=program.name, what=program.what) for program in programs}
    starts = [*installed(bench, programs, figures)]
    with bench.nginx_upstream() as upstream, started(bench, starts, figures, upstream=upstream) as running:
        measure_rates(bench, running, effort=effort)
        measure_latencies(running, upstream=upstream, effort=effort)
        for one in running:
            one.figures.loaded_mebibytes = mebibytes(one.server)
    streaming = [(program, start) for program, start in starts if program.streams]
    with bench.stub() as upstream, started(bench, streaming, figures, upstream=upstream) as running:
        measure_floods(running, effort=effort)
        measure_punctuality(running, effort=effort)
    return [*figures.values()]


def installed(
    bench: Bench, programs: Sequence[Program], figures: Mapping[str, Figures]
) -> Iterator[tuple[Program, Start]]:
    for program in programs:
        try:
            yield program, program.install(bench.directory)
        except (OSError, subprocess.SubprocessError) as error:
            figures[program.name].without = f"not installed: {error}"


@contextmanager
def started(
    bench: Bench, starts: Sequence[tuple[Program, Start]], figures: Mapping[str, Figures], *, upstream: Server
) -> Iterator[list[Running]]:
    """Start every program in front of an upstream; one that does not start says why, and the others go on."""
    with ExitStack() as stack:
        running = []
        for program, start in starts:
            name, began = program.name, time.monotonic()
            try:
                server = stack.enter_context(start(bench, upstream))
                wait_until_it_answers(server)
            except (BenchError, OSError, TimeoutError) as error:
                figures[name].without = str(error)
                continue
            if figures[name].start_seconds is None:
                figures[name].start_seconds = time.monotonic() - began
                figures[name].idle_mebibytes = mebibytes(server)
            running.append(Running(program=program, server=server, figures=figures[name]))
        yield running


def wait_until_it_answers(server: Server) -> None:
    """Return once it gives an answer; some listen before they know their upstream. Raises ``TimeoutError``."""
    give_up_at = time.monotonic() + READY_SECONDS
    while time.monotonic() < give_up_at:
        try:
            latencies_seconds(server, count=1)
        except (BenchError, OSError):
            time.sleep(0.02)
        else:
            return
    raise TimeoutError("it gives no answers")


def measure_rates(bench: Bench, running: Sequence[Running], *, effort: Effort) -> None:
    """Write down the median of the rounds, and what an answer takes of the processor."""

    def once(one: Running) -> tuple[float, float | None]:
        before = processor_seconds(one.server.process_id)
        rate = requests_per_second(one.server, seconds=effort.round_seconds, directory=bench.directory)
        after = processor_seconds(one.server.process_id)
        known = before is not None and after is not None
        return rate, (after - before) / (rate * effort.round_seconds) * 1e6 if known else None  # type: ignore[operator]

    in_turns(running, once, rounds=1)  # warm
    for one, rounds in zip(running, in_turns(running, once, rounds=effort.rounds), strict=True):
        one.figures.requests_per_second = statistics.median(rate for rate, _ in rounds)
        one.figures.microseconds_per_request = statistics.median(taken or 0.0 for _, taken in rounds)


def measure_latencies(running: Sequence[Running], *, upstream: Server, effort: Effort) -> None:
    """Write down what each adds to a direct call over one connection."""

    def once(server: Server) -> tuple[float, float]:
        taken = sorted(latencies_seconds(server, count=effort.latencies))
        return statistics.median(taken) * 1e3, taken[len(taken) * 99 // 100] * 1e3

    direct = [once(upstream) for _ in range(effort.rounds)]
    direct_p50, direct_p99 = (statistics.median(values) for values in zip(*direct, strict=True))
    for one, rounds in zip(
        running, in_turns(running, lambda one: once(one.server), rounds=effort.rounds), strict=True
    ):
        p50, p99 = (statistics.median(values) for values in zip(*rounds, strict=True))
        one.figures.added_p50_ms, one.figures.added_p99_ms = p50 - direct_p50, p99 - direct_p99


def measure_floods(running: Sequence[Running], *, effort: Effort) -> None:
    """Write down how many events a second come through, None where some are lost; slow ones are given fewer."""

    def once(one: Running) -> float | None:
        try:
            probe = flood_events_per_second(one.server, events=min(4_000, effort.flood_events))
            events = min(effort.flood_events, max(4, round(probe * 2) // 4 * 4))
            return max(probe, flood_events_per_second(one.server, events=events))
        except (BenchError, OSError, TimeoutError) as error:
            one.figures.without = f"in a flood: {error}"
            return None

    for one, rounds in zip(running, in_turns(running, once, rounds=min(3, effort.rounds)), strict=True):
        known = [rate for rate in rounds if rate is not None]
        one.figures.events_per_second = statistics.median(known) if known else None


def measure_punctuality(running: Sequence[Running], *, effort: Effort) -> None:
    """Write down how many streams of an event every 20 ms a program carries with a p99 of at most 10 ms."""
    for one in running:
        for streams in effort.paced:
            p99_seconds = best_p99_seconds(one.server, streams=streams, effort=effort)
            if p99_seconds is None:
                continue
            one.figures.punctual_streams = streams
            one.figures.punctual_p99_ms = p99_seconds * 1e3
            if p99_seconds <= PUNCTUAL_SECONDS:
                break


def best_p99_seconds(server: Server, *, streams: int, effort: Effort) -> float | None:
    """Return the better of two tries, as neighbours only ever take away; None when streams were lost in both."""
    tries: list[float] = []
    for _ in range(PACED_TRIES):
        try:
            tries.append(paced_delays(server, seconds=effort.paced_seconds, streams=streams).p99_seconds)
        except (BenchError, OSError, TimeoutError):
            continue
        if tries[-1] <= PUNCTUAL_SECONDS:
            break
    return min(tries, default=None)


def in_turns(running: Sequence[Running], once: Callable[[Running], Result], *, rounds: int) -> list[list[Result]]:
    results: list[list[Result]] = [[] for _ in running]
    for _ in range(rounds):
        for one, result in zip(running, results, strict=True):
            result.append(once(one))
    return results


def mebibytes(server: Server) -> float | None:
    found = resident_bytes(server.process_id)
    return None if found is None else found / MEBIBYTE
