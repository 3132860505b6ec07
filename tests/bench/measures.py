"""The measures: each starts what it needs, compares the gateway with it, and gives rows."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial

from msgspec.structs import replace

from .calls import ROWS as CALLS_ROWS
from .calls import calls
from .embeddings import MEMORY as EMBEDDINGS_MEMORY
from .embeddings import RATE as EMBEDDINGS_RATE
from .embeddings import embeddings
from .footprint import IDLE, OPEN, START, footprint
from .load import Rounds, latencies_seconds, percentile, requests_per_second
from .machine import processor_seconds
from .processes import Bench, BenchError, MissingError, Server, nginx_program
from .recordings import RECORDINGS, recordings
from .replicas import TWO, two_processes
from .report import Row
from .slots import (
    CLOSED,
    FAIRNESS,
    HANDED_ON,
    ROUND_TRIPS,
    SHARED_RATE,
    SHARED_ROUND_TRIPS,
    fairness,
    release,
    shared_slots,
)
from .streams import (
    first_events_seconds,
    flood_events_per_second,
    flood_of_responses_per_second,
    paced_delays,
)

ROUNDS = 4
ROUND_SECONDS = 3.0
WARM_UP_SECONDS = 1.0
LATENCY_ROUNDS = 10
LATENCY_REQUESTS = 200
FLOOD_EVENTS = 600_000
LEAST_FLOOD_EVENTS = 20_000
FLOOD_ROUNDS = 3
PACED_STREAMS = 500
PACED_ROUNDS = 2
PACED_SECONDS = 6.0
OPEN_STREAMS = 100
FIRST_EVENTS = 200
FIRST_EVENTS_ROUNDS = 3

RATE = Row(measure="requests at 32 connections", unit="1/s, ratio to nginx", bound="at least", target=0.11)
LATENCY = Row(measure="median latency at 1 connection", unit="ms, over nginx", bound="at most", target=0.25)
LATENCY_P99 = Row(measure="p99 latency at 1 connection", unit="ms, over nginx", bound="at most", target=1)
FLOOD = Row(measure="stream events, flood", unit="1/s", bound="at least", target=400_000)
KINDS = {
    kind: Row(measure=f"stream events of {kind}", unit="1/s, ratio to text", bound="at least", target=0.8)
    for kind in ("reasoning", "tools")
}
RESPONSES = Row(measure="an event of a response", unit="µs computed, ratio to chat", bound="at most", target=1.25)
PACED_P50 = Row(measure=f"{PACED_STREAMS} paced streams, added delay p50", unit="ms, over direct")
PACED_P99 = Row(
    measure=f"{PACED_STREAMS} paced streams, added delay p99", unit="ms, over direct", bound="at most", target=10
)
FIRST_EVENT = Row(
    measure=f"first event, {OPEN_STREAMS} streams open", unit="ms, p99 over direct", bound="at most", target=2
)


def whole_answers(bench: Bench) -> list[Row]:
    """
    Measure the gateway and nginx's ``proxy_pass`` on the same core against the same upstream.

    In turns, because a shared machine is never equally fast for long; and the best round of each counts, because
    neighbours only ever take away.
    """
    with ExitStack() as stack:
        if nginx_program() is None:
            upstream, nginx = stack.enter_context(bench.stub()), None
        else:
            upstream = stack.enter_context(bench.nginx_upstream())
            nginx = stack.enter_context(bench.nginx_proxy(upstream=upstream))
        gateway = stack.enter_context(bench.gateway(upstream=upstream))
        latencies_seconds(gateway, count=bench.amount(LATENCY_REQUESTS, least=5))
        return [_rate(bench, gateway=gateway, nginx=nginx), *_latencies(bench, gateway=gateway, nginx=nginx)]


def streams(bench: Bench) -> list[Row]:
    """Measure streams through the gateway, and the paced ones straight from the stand-in as well."""
    events = bench.amount(FLOOD_EVENTS, least=LEAST_FLOOD_EVENTS)
    with bench.stub() as upstream, bench.gateway(upstream=upstream) as gateway:
        flood_events_per_second(gateway, events=events // 10)
        chat, responses = Flood(gateway, flood_events_per_second), Flood(gateway, flood_of_responses_per_second)
        kinds = {kind: Flood(gateway, partial(flood_events_per_second, kind=kind)) for kind in KINDS}
        for _ in range(bench.amount(FLOOD_ROUNDS, least=1)):
            for flood in (chat, responses, *kinds.values()):
                flood.run(events=events)
        return [
            replace(FLOOD, gateway=chat.best, result=chat.best),
            *(
                replace(row, gateway=kinds[kind].best, reference=chat.best, result=kinds[kind].best / chat.best)
                for kind, row in KINDS.items()
            ),
            _beside_chat(responses, chat),
            *_paced(bench, gateway=gateway, upstream=upstream),
            _first_event(bench, gateway=gateway, upstream=upstream),
        ]


class Flood:
    """The rates of one kind of stream, round after round, and what the gateway computes for an event of it."""

    def __init__(self, gateway: Server, rate: Callable[..., float]) -> None:
        self._gateway = gateway
        self._rate = rate
        self.best = 0.0
        self.computed_microseconds = math.inf

    def run(self, *, events: int) -> None:
        """Let another flood through; the best of all counts."""
        before = processor_seconds(self._gateway.process_id)
        self.best = max(self.best, self._rate(self._gateway, events=events))
        after = processor_seconds(self._gateway.process_id)
        if before is not None and after is not None:
            self.computed_microseconds = min(self.computed_microseconds, (after - before) / events * 1e6)


def _beside_chat(responses: Flood, chat: Flood) -> Row:
    ours, theirs = responses.computed_microseconds, chat.computed_microseconds
    if math.isinf(ours) or math.isinf(theirs):
        return replace(RESPONSES, skipped="only Linux tells what a process computes")
    note = f"{responses.best:,.0f} pieces of text a second"
    return replace(RESPONSES, gateway=ours, reference=theirs, result=ours / theirs, note=note)


Measure = tuple[Callable[[Bench], list[Row]], tuple[Row, ...]]
"""What gives rows, and the rows it owes."""

MEASURES: tuple[Measure, ...] = (
    (whole_answers, (RATE, LATENCY, LATENCY_P99)),
    (two_processes, (TWO,)),
    (footprint, (START, IDLE, OPEN)),
    (streams, (FLOOD, *KINDS.values(), RESPONSES, PACED_P50, PACED_P99, FIRST_EVENT)),
    (calls, CALLS_ROWS),
    (shared_slots, (SHARED_RATE, ROUND_TRIPS, SHARED_ROUND_TRIPS)),
    (fairness, (FAIRNESS,)),
    (release, (CLOSED, HANDED_ON)),
    (embeddings, (EMBEDDINGS_RATE, EMBEDDINGS_MEMORY)),
    (recordings, RECORDINGS),
)


def measured(bench: Bench, measures: Sequence[Measure] = MEASURES) -> Iterator[list[Row]]:
    """
    Run each measure; one that fails, or lacks a program, gives its rows with the reason in place of results.

    No target holds for what a smoke run finds.
    """
    for measure, owed in measures:
        try:
            rows = measure(bench)
        except MissingError as error:
            rows = [replace(row, skipped=str(error)) for row in owed]
        except (BenchError, OSError, TimeoutError, ExceptionGroup) as error:
            rows = [replace(row, failed=_reason(error)) for row in owed]
        yield [replace(row, bound="none", target=None) for row in rows] if bench.smoke else rows


def _reason(error: Exception) -> str:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__


def _rate(bench: Bench, *, gateway: Server, nginx: Server | None) -> Row:
    warm_up_seconds = bench.amount(WARM_UP_SECONDS, least=0.2)
    requests_per_second(gateway, seconds=warm_up_seconds, directory=bench.directory)
    ours = Rounds(bench, gateway)
    theirs = None if nginx is None else Rounds(bench, nginx)
    seconds = bench.amount(ROUND_SECONDS, least=1.0)
    for _ in range(bench.amount(ROUNDS, least=1)):
        if theirs is not None:
            theirs.run(seconds=seconds)
        ours.run(seconds=seconds)
    note = f"one request computes for {ours.computed_microseconds:.0f} µs"
    if theirs is None:
        return replace(RATE, gateway=ours.best, note=note, skipped="nginx is not installed")
    return replace(
        RATE,
        gateway=ours.best,
        reference=theirs.best,
        result=ours.best / theirs.best,
        note=f"{note}, in nginx for {theirs.computed_microseconds:.1f} µs",
    )


def _latencies(bench: Bench, *, gateway: Server, nginx: Server | None) -> list[Row]:
    ours, theirs = [], []
    for _ in range(bench.amount(LATENCY_ROUNDS, least=1)):
        if nginx is not None:
            theirs.append(_latencies_ms(bench, nginx))
        ours.append(_latencies_ms(bench, gateway))
    rows = []
    for row, percent in ((LATENCY, 50), (LATENCY_P99, 99)):
        mine = min(percentile(taken, percent) for taken in ours)
        if theirs:
            reference = min(percentile(taken, percent) for taken in theirs)
            rows.append(replace(row, gateway=mine, reference=reference, result=mine - reference))
        else:
            rows.append(replace(row, gateway=mine, skipped="nginx is not installed"))
    return rows


def _latencies_ms(bench: Bench, server: Server) -> list[float]:
    count = bench.amount(LATENCY_REQUESTS, least=5)
    return [seconds * 1e3 for seconds in latencies_seconds(server, count=count)]


def _paced(bench: Bench, *, gateway: Server, upstream: Server) -> list[Row]:
    seconds, streams = bench.amount(PACED_SECONDS, least=3.0), bench.amount(PACED_STREAMS, least=3)
    direct = paced_delays(upstream, seconds=seconds / 2, streams=streams)
    rounds = [
        paced_delays(gateway, seconds=seconds, streams=streams) for _ in range(bench.amount(PACED_ROUNDS, least=1))
    ]
    ours = min(rounds, key=lambda delays: delays.p99_seconds)
    used = "" if ours.processor_share is None else f"{ours.processor_share:.0%} of the core used"
    return [
        replace(row, gateway=mine * 1e3, reference=theirs * 1e3, result=(mine - theirs) * 1e3, note=note)
        for row, mine, theirs, note in (
            (PACED_P50, ours.p50_seconds, direct.p50_seconds, ""),
            (PACED_P99, ours.p99_seconds, direct.p99_seconds, used),
        )
    ]


def _first_event(bench: Bench, *, gateway: Server, upstream: Server) -> Row:
    streams = bench.amount(OPEN_STREAMS, least=3)
    requests = bench.amount(FIRST_EVENTS, least=5)

    def waited_ms(server: Server) -> list[float]:
        return [seconds * 1e3 for seconds in first_events_seconds(server, streams=streams, requests=requests)]

    theirs, ours = [], []
    for _ in range(bench.amount(FIRST_EVENTS_ROUNDS, least=1)):
        theirs.append(waited_ms(upstream))
        ours.append(waited_ms(gateway))
    mine, direct = (min(percentile(taken, 99) for taken in rounds) for rounds in (ours, theirs))
    middle = min(percentile(taken, 50) for taken in ours)
    note = f"{middle:.2f} ms in the middle"
    return replace(FIRST_EVENT, gateway=mine, reference=direct, result=mine - direct, note=note)
