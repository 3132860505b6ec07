"""Where the time of an exchange goes when it is not ours."""

from collections.abc import Callable
from types import TracebackType


class Waits:
    """
    Measures what an exchange waits for, in seconds.

    A moment in which it waits for several things, because several calls are under way, counts once: for GLM if
    any call waits for GLM, else for a slot, else for the caller. So the sums never exceed the duration.
    """

    __slots__ = ("queue", "reading", "upstream", "writing")

    def __init__(self, clock: Callable[[], float]) -> None:
        watch = Stopwatch(clock)
        self.upstream, self.queue = Wait(watch, rank=0), Wait(watch, rank=1)
        self.writing, self.reading = Wait(watch, rank=2), Wait(watch, rank=3)


class Stopwatch:
    """What is waited for at the moment, ``since`` when. It knows no wait that has ended, so it makes no cycle."""

    __slots__ = ("clock", "open", "since")

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.since = 0.0
        self.open: list[Wait] = []

    def turn(self) -> None:
        """Count the time since the last change for the first kind that was waited for."""
        now = self.clock()
        min(self.open, key=rank_of).seconds += now - self.since
        self.since = now


class Wait:
    """One kind of waiting, as a context manager around each ``await`` of it; the lowest ``rank`` counts."""

    __slots__ = ("_watch", "rank", "seconds")

    def __init__(self, watch: Stopwatch, *, rank: int) -> None:
        self.seconds = 0.0
        self.rank = rank
        self._watch = watch

    def __enter__(self) -> None:
        watch = self._watch
        if watch.open:
            watch.turn()
        else:
            watch.since = watch.clock()
        watch.open.append(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        watch = self._watch
        if len(watch.open) == 1:
            self.seconds += watch.clock() - watch.since
        else:
            watch.turn()
        watch.open.remove(self)


def rank_of(wait: Wait) -> int:
    return wait.rank
