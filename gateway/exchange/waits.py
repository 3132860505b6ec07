"""Where the time of an exchange goes when it is not ours."""

from collections.abc import Callable
from types import TracebackType


class Waits:
    """
    Measures what an exchange waits for, in seconds.

    A moment in which it waits for several things, because several calls are under way, counts once: for GLM if
    any call waits for GLM, else for a slot, else for the caller. So the sums never exceed the duration.
    """

    __slots__ = ("_kinds", "clock", "open", "queue", "reading", "since", "upstream", "writing")

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.since = 0.0
        self.open = 0
        self.upstream, self.queue, self.writing, self.reading = Wait(self), Wait(self), Wait(self), Wait(self)
        self._kinds = (self.upstream, self.queue, self.writing, self.reading)

    def turn(self) -> None:
        """Count the time since the last change for the first kind that was waited for."""
        now = self.clock()
        for wait in self._kinds:
            if wait.open:
                wait.seconds += now - self.since
                break
        self.since = now


class Wait:
    """One kind of waiting, as a context manager around each ``await`` of it."""

    __slots__ = ("_waits", "open", "seconds")

    def __init__(self, waits: Waits) -> None:
        self.seconds = 0.0
        self.open = 0
        self._waits = waits

    def __enter__(self) -> None:
        waits = self._waits
        if waits.open:
            waits.turn()
        else:
            waits.since = waits.clock()
        waits.open += 1
        self.open += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        waits = self._waits
        if waits.open == 1:
            self.seconds += waits.clock() - waits.since
        else:
            waits.turn()
        waits.open -= 1
        self.open -= 1
