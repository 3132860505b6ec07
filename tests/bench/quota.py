"""A part of a core for a process, no more and no less, by the control groups of Linux."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

PERIOD_MICROSECONDS = 10_000
"""How often a part is given anew; short, so that what waits for the next one waits little."""
WEIGHT = 10
"""How many times as much the group is given of its part, while it lasts, as another who wants the core as well."""

_FIRST = Path("/sys/fs/cgroup/cpu")
"""Where version 1 has its groups for processors; version 2 has its groups for everything at ``_SECOND``."""
_SECOND = Path("/sys/fs/cgroup")


class Quota:
    """A group of processes that together may use a part of one core."""

    def __init__(self, group: Path) -> None:
        self._group = group

    def hold(self, process_id: int) -> None:
        """Keep a process, with all its threads, to the quota from now on."""
        (self._group / "cgroup.procs").write_text(str(process_id))


@contextmanager
def quota(part: float) -> Iterator[Quota]:
    """
    Make a group that may use this part of a core, until the block ends; by then its processes have.

    Raises OSError where that is not to be had: it takes Linux, root, and control groups that may be written.
    """
    first = (_FIRST / "cpu.cfs_quota_us").exists()
    if not first and "cpu" not in (_SECOND / "cgroup.subtree_control").read_text().split():
        raise OSError("no group here can be given a quota")
    group = (_FIRST if first else _SECOND) / f"glm-gateway-bench-{uuid4().hex}"
    group.mkdir()
    try:
        for name, value in (_first if first else _second)(round(part * PERIOD_MICROSECONDS)).items():
            (group / name).write_text(value)
        yield Quota(group)
    finally:
        group.rmdir()


def _first(microseconds: int) -> dict[str, str]:
    return {
        "cpu.cfs_period_us": str(PERIOD_MICROSECONDS),
        "cpu.cfs_quota_us": str(microseconds),
        "cpu.shares": str(1024 * WEIGHT),
    }


def _second(microseconds: int) -> dict[str, str]:
    return {"cpu.max": f"{microseconds} {PERIOD_MICROSECONDS}", "cpu.weight": str(100 * WEIGHT)}


def quotas_are_to_be_had() -> bool:
    """Return whether this process may make them."""
    try:
        with quota(1):
            return True
    except OSError:
        return False
