"""A slot and what it is used for, given back together however that ends."""

import asyncio
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from gateway.limits.limiter import Limiter, Slot
from gateway.record import UpstreamFault
from gateway.upstream.http import Reply

NOTICE_SECONDS = 0.03
"""How long Zhipu may take to notice that an answer was cut; until then it counts the request, and so do we."""


class Held(Struct, eq=False):
    """
    A slot of ``limiter``'s, and the answer of GLM's that it pays for. Whoever holds it closes it.

    ``asked_at`` is when GLM was asked, 0 before; ``reply`` is None until the head of the answer is there. ``work``
    is the task that waits for the answer until it is taken, and is stopped as soon as the slot is lost; None when
    losing it does not matter. ``fault`` is what went wrong, if it did; ``on_close`` is given this, and is None
    thereafter.
    """

    __repr__ = object.__repr__  # What it holds is not for logs.

    slot: Slot
    limiter: Limiter
    on_close: Callable[["Held"], None] | None
    reply: Reply | None = None
    work: asyncio.Task[Any] | None = None
    asked_at: float = 0.0
    fault: UpstreamFault | None = None
    _stopped: bool = False
    _cutting: asyncio.Task[None] | None = None

    @property
    def status(self) -> int:
        """GLM's HTTP status, 0 while there is none."""
        return self.reply.status if self.reply is not None else 0

    def lose(self) -> None:
        """End what the slot is used for, since it may be somebody else's by now."""
        # Not at once: it may be the work itself that finds out, and would be stopped after its end.
        asyncio.get_running_loop().call_soon(self._stop)

    def _stop(self) -> None:
        if self.work is not None:
            self._stopped = True
            self.work.cancel()
        elif self.reply is not None:
            self._cutting = asyncio.get_running_loop().create_task(self.reply.aclose())

    def was_stopped(self) -> bool:
        """Tell whether a cancellation came from the loss of the slot, and from nowhere else."""
        return self._stopped and self.work is not None and self.work.uncancel() == 0

    async def aclose(self) -> None:
        """Let go of the connection and give the slot back, even when this is cancelled; again has no effect."""
        self.work = None
        try:
            if self.reply is not None:
                await self.reply.aclose()
            if self._cutting is not None:
                await asyncio.wait([self._cutting])
        finally:
            ended = self.reply.ended if self.reply is not None else not self.asked_at
            self.limiter.release(self.slot, after_seconds=0.0 if ended else NOTICE_SECONDS)
            self.slot.on_lost(None)
            if self.on_close is not None:
                self.on_close(self)
                self.on_close = None
