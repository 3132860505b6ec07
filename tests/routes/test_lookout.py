"""One timer looks after many, each in its time."""

import asyncio
from functools import partial

from gateway.routes.lookout import Lookout
from tests.fakes import Loop


class CountingLoop(Loop):
    """Counts the timers that are set in it."""

    timers = 0

    def call_later(self, *args: object, **kwargs: object) -> asyncio.TimerHandle:
        self.timers += 1
        return super().call_later(*args, **kwargs)  # type: ignore[arg-type]

    def at(self, seconds: float) -> None:
        """Let it be so late, and run what is due."""
        self.now = seconds
        self.run_on()


def test_each_is_called_in_its_time_by_one_timer_after_the_other() -> None:
    loop, called = CountingLoop(), list[str]()
    lookout = Lookout(after_seconds=1.0, clock=loop.time)

    async def later(*names: str) -> None:
        for name in names:
            lookout.later(partial(called.append, name))

    loop.run_until_complete(later("first", "second"))
    loop.now = 0.5
    loop.run_until_complete(later("third"))

    loop.at(0.9)
    assert (called, loop.timers) == ([], 1)
    loop.at(1.0)
    assert ["first", "second"] == called
    loop.at(1.4)
    assert ["first", "second"] == called
    loop.at(1.5)
    assert (called, loop.timers) == (["first", "second", "third"], 2)
    loop.close()


def test_what_is_called_off_is_not_called_and_needs_no_timer() -> None:
    loop, called = CountingLoop(), list[str]()
    lookout = Lookout(after_seconds=1.0, clock=loop.time)

    async def later() -> None:
        first, second, third = (lookout.later(partial(called.append, name)) for name in ("a", "b", "c"))
        first.cancel()
        third.cancel()
        del second

    loop.run_until_complete(later())
    loop.at(1.0)

    assert (called, loop.timers) == (["b"], 1)
    loop.close()


def test_it_begins_anew_when_nothing_was_left() -> None:
    loop, called = CountingLoop(), list[float]()
    lookout = Lookout(after_seconds=1.0, clock=loop.time)

    async def later() -> None:
        lookout.later(lambda: called.append(loop.now))

    for start in (0.0, 5.0):
        loop.now = start
        loop.run_until_complete(later())
        loop.at(start + 1.0)

    assert [1.0, 6.0] == called
    loop.close()
