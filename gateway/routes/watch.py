"""Looks after a caller: that the rest of its body comes, and that nothing is done for it once it has left."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from litestar.types import Receive, ReceiveMessage

from gateway.errors import BodyTooSlow
from gateway.routes.lookout import Look, Lookout

FIRST_LOOK_SECONDS = 0.02
"""Most refusals and many answers are quicker than this, and a watch costs a task."""

SILENCE_SECONDS = 30.0
"""How long a caller may pause inside its body."""


class CallerLeftError(Exception):
    """Raised out of a watch when the caller has left and its grace is over."""


class CallerWatch:
    """
    Watches ``receive`` while the body of the ``async with`` works, and stops it once the caller has left.

    Bodies are read through the ``receive`` of the watch; one that does not go on raises BodyTooSlow. ``on_leave``
    is called when the caller has left, and says for how many seconds the work may go on; ``left`` turns true at
    once. ``lookout`` has it look after a while for the first time.
    """

    def __init__(self, receive: Receive, *, on_leave: Callable[[], float], lookout: Lookout) -> None:
        self.left = False
        self._receive = receive
        self._on_leave = on_leave
        self._lookout = lookout
        self._has_looked = False
        self._pieces = 0
        self._reading = True
        self._reason: Exception | None = None
        self._departure: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        # What asyncio.timeout does, less its timer and its states: together they were a tenth of a request.
        self._work = asyncio.current_task()
        self._timer: Look | asyncio.TimerHandle = self._lookout.later(self._look)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._departure is not None:
            self._departure.cancel()
            await asyncio.wait([self._departure])
            self._departure = None  # Its end knows this watch, and each would keep the other.
        reason, self._reason = self._reason, None
        try:
            if reason is not None and self._work is not None:
                is_ours = self._work.uncancel() == 0
                if is_ours and kind is asyncio.CancelledError:
                    raise reason from None
        finally:
            del reason  # Once raised it knows this frame, and each would keep the other.

    async def receive(self) -> ReceiveMessage:
        """Return what ASGI's ``receive`` does, while the body is read."""
        message = await self._receive()
        self._pieces += 1
        if message["type"] != "http.request" or not message["more_body"]:
            self._reading = False
            if self._has_looked:
                self._timer.cancel()
                self._await_departure()
        return message

    def leave(self) -> None:
        """Take the caller for gone; to be called inside the ``async with`` only."""
        if not self.left:
            self.left = True
            self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(self._on_leave(), self._stop, CallerLeftError())

    def _look(self) -> None:
        self._has_looked = True
        if self._reading:
            self._timer = asyncio.get_running_loop().call_later(SILENCE_SECONDS, self._check_silence, self._pieces)
        else:
            self._await_departure()

    def _check_silence(self, pieces_before: int) -> None:
        if self._pieces == pieces_before:
            self._stop(too_slow())
        else:
            self._look()

    def _await_departure(self) -> None:
        self._departure = asyncio.get_running_loop().create_task(self._depart())

    async def _depart(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.leave()

    def _stop(self, reason: Exception) -> None:
        self._reason = reason
        if self._work is not None:
            self._work.cancel()


def too_slow() -> BodyTooSlow:
    return BodyTooSlow(
        f"Nothing more of the body came for {SILENCE_SECONDS:g} s. Send as much as 'Content-Length' says."
    )
