"""Where the time of an exchange goes when it is not ours."""

from collections.abc import Callable
from types import TracebackType

from msgspec import Struct, field


class Waits:
    """
    Measures what an exchange waits for, in seconds.

    A moment in which it waits for several things, because several calls are under way, counts once: for GLM if
    any call waits for GLM, else for a slot, else for the caller. So the sums never exceed the duration.
    """

    __slots__ = ("queue", "reading", "upstream", "writing")

    def __init__(self, clock: Callable[[], float]) -> None:
        watch = Stopwatch(clock)
        self.upstream, self.queue = Wait(watch, 0), Wait(watch, 1)
        self.writing, self.reading = Wait(watch, 2), Wait(watch, 3)


class Stopwatch(Struct, eq=False):
    """What is waited for at the moment, ``since`` when. It knows no wait that has ended, so it makes no cycle."""

    clock: Callable[[], float]
    since: float = 0.0
    open: list["Wait"] = field(default_factory=list)

    def turn(self) -> None:
        """Count the time since the last change for the first kind that was waited for."""
        now = self.clock()
        min(self.open, key=rank_of).seconds += now - self.since
        self.since = now


class Wait(Struct, eq=False):
    """
    One kind of waiting, as a context manager around each ``await`` of it; the lowest ``rank`` counts.

    Where every request or token comes by, ``begin`` and ``end`` are called instead: ``with`` calls its methods by
    way of C, which takes four times as long.
    """

    watch: Stopwatch
    rank: int
    seconds: float = 0.0

    def begin(self) -> None:
        """Begin to wait; as often as ``end`` is called."""
        watch = self.watch
        if watch.open:
            watch.turn()
        else:
            watch.since = watch.clock()
        watch.open.append(self)

    def end(self) -> None:
        """Have waited."""
        watch = self.watch
        if len(watch.open) == 1:
            self.seconds += watch.clock() - watch.since
        else:
            watch.turn()
        watch.open.remove(self)

    def __enter__(self) -> None:
        self.begin()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


def rank_of(wait: Wait) -> int:
    return wait.rank
