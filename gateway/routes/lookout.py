"""What is to happen after the same while for many: by one timer for all, as a timer for each costs too much."""

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic

from msgspec import Struct


class Look(Struct, eq=False):
    """What is to be called at a time of the lookout's clock; None: it was called off."""

    at: float
    call: Callable[[], None] | None

    def cancel(self) -> None:
        """Call it off."""
        self.call = None


class Lookout:
    """
    Calls what it is given ``after_seconds``, unless that is called off before, as it nearly always is.

    To set and to stop a timer of its own would be three hundredths of a request. One loop uses it; ``clock`` is
    monotonic, in seconds.
    """

    def __init__(self, *, after_seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._after_seconds = after_seconds
        self._clock = clock
        self._looks: deque[Look] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def later(self, call: Callable[[], None]) -> Look:
        """Have ``call`` called after the while."""
        look = Look(self._clock() + self._after_seconds, call)
        self._looks.append(look)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._after_seconds, self._run)
        return look

    def _run(self) -> None:
        looks, now = self._looks, self._clock()
        while looks and (looks[0].call is None or looks[0].at <= now):
            if (call := looks.popleft().call) is not None:
                call()
        self._timer = asyncio.get_running_loop().call_later(looks[0].at - now, self._run) if looks else None
