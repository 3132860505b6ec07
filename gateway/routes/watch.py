"""Notices that a caller has left, so that nothing is done for nobody."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from litestar.types import Receive

FIRST_LOOK_SECONDS = 0.02
"""Most refusals and many answers are quicker than this, and a watch costs a task."""


class CallerLeftError(Exception):
    """Raised out of a watch when the caller has left and its grace is over."""


class CallerWatch:
    """
    Watches ``receive`` while the body of the ``async with`` works, and stops it once the caller has left.

    ``on_leave`` is called then, and says for how many seconds the work may go on; ``left`` turns true at once.
    """

    def __init__(self, receive: Receive, *, on_leave: Callable[[], float]) -> None:
        self.left = False
        self._receive = receive
        self._on_leave = on_leave
        self._loop = asyncio.get_running_loop()
        self._timeout = asyncio.timeout(None)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        self._timer = self._loop.call_later(FIRST_LOOK_SECONDS, self._start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            raise CallerLeftError from None

    def leave(self) -> None:
        """Take the caller for gone; to be called inside the ``async with`` only."""
        if not self.left:
            self.left = True
            self._timeout.reschedule(self._loop.time() + self._on_leave())

    def _start(self) -> None:
        self._task = self._loop.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.leave()
