"""The machine: its cores, and how much of them programs other than ours use. Linux tells; elsewhere None."""

import gc
import os
import resource
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path


def cores() -> tuple[int, ...]:
    """Return the cores that this process may use; none where nobody tells."""
    return tuple(sorted(os.sched_getaffinity(0))) if sys.platform == "linux" else ()


def pin(to: Collection[int]) -> None:
    """Keep this process, and what it starts from now on, on these cores; none leaves it free."""
    if to and sys.platform == "linux":
        os.sched_setaffinity(0, to)


@contextmanager
def uncollected() -> Iterator[None]:
    """Have this process look for garbage before, and not meanwhile: it would be late, and take others for it."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def processor_seconds(process_id: int) -> float | None:
    """Return how long a process and its children have been computing, all their threads together."""
    if sys.platform != "linux":
        return None
    children = Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
    ticks = 0
    for one in (process_id, *children):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def waited_seconds(process_id: int) -> float | None:
    """Return how long a process could have gone on but had no processor, all its threads together."""
    tasks = Path(f"/proc/{process_id}/task")
    if not (tasks / str(process_id) / "schedstat").exists():
        return None
    return sum(int((task / "schedstat").read_text().split()[1]) for task in tasks.iterdir()) / 1e9


def peak_bytes(process_id: int) -> int | None:
    """Return the most memory that a process and its children ever had, each by itself."""
    return _memory_bytes(process_id, "VmHWM:")


def resident_bytes(process_id: int) -> int | None:
    """Return the memory that a process and its children have now."""
    return _memory_bytes(process_id, "VmRSS:")


def open_files(process_id: int) -> int | None:
    """Return how many files and sockets a process has open."""
    if sys.platform != "linux":
        return None
    return len(list(Path(f"/proc/{process_id}/fd").iterdir()))


def _memory_bytes(process_id: int, field: str) -> int | None:
    if sys.platform != "linux":
        return None
    children = Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
    statuses = (Path(f"/proc/{one}/status").read_text() for one in (process_id, *children))
    return sum(int(status.partition(field)[2].split()[0]) * 1024 for status in statuses)


class Neighbours:
    """Watches what programs other than this one and those it starts use of the processors."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._theirs = _theirs()

    def cores_used(self) -> float | None:
        """Return how many cores they used on average since. Right once every program started here has ended."""
        now = _theirs()
        if self._theirs is None or now is None:
            return None
        return max(0.0, (now - self._theirs) / (time.monotonic() - self._started))


def _theirs() -> float | None:
    if sys.platform != "linux":
        return None
    # user, nice, system, (idle, iowait,) irq, softirq, steal
    ticks = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    busy = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
    ours = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return busy - sum(usage.ru_utime + usage.ru_stime for usage in ours)
