"""What the gateway takes before and beside its work: time to start, memory when idle, memory of an open stream."""

import time
from statistics import median

from msgspec.structs import replace

from .load import latencies_seconds
from .machine import resident_bytes
from .processes import Bench
from .report import Row
from .streams import bytes_per_stream

STARTS = 3
STREAMS = 400
OPEN_SECONDS = 4.0
MEBIBYTE = 1024 * 1024
KIBIBYTE = 1024

START = Row(measure="start to first answer", unit="s", bound="at most", target=1.0)
IDLE = Row(measure="memory before any work", unit="MiB", bound="at most", target=90)
OPEN = Row(measure=f"memory of an open stream, of {STREAMS}", unit="KiB", bound="at most", target=60)


def footprint(bench: Bench) -> list[Row]:
    """Start the gateway a few times; the last one is given streams that stay open for some seconds."""
    taken = []
    starts, streams = bench.amount(STARTS, least=1), bench.amount(STREAMS, least=20)
    open_seconds = bench.amount(OPEN_SECONDS, least=1.0)
    with bench.stub() as upstream:
        for _ in range(starts):
            began = time.monotonic()
            with bench.gateway(upstream=upstream) as gateway:
                idle = resident_bytes(gateway.process_id)
                latencies_seconds(gateway, count=1)
                taken.append(time.monotonic() - began)
                if len(taken) == starts:
                    bytes_per_stream(gateway, streams=streams // 10, seconds=open_seconds)
                    each = bytes_per_stream(gateway, streams=streams, seconds=open_seconds)
    start = median(taken)
    if idle is None or each is None:
        return [replace(START, gateway=start, result=start)]
    return [
        replace(START, gateway=start, result=start),
        replace(IDLE, gateway=idle / MEBIBYTE, result=idle / MEBIBYTE),
        replace(OPEN, gateway=each / KIBIBYTE, result=each / KIBIBYTE),
    ]
