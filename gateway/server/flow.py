"""How many requests may wait on a connection before no more is read from it."""

import asyncio
from collections.abc import Sized
from typing import Final

from uvicorn.protocols.http.flow_control import FlowControl

MAX_WAITING_REQUESTS: Final = 32
"""Those that stand in one piece may be more."""

PIECE_BYTES: Final = 8 * 1024
"""How much is read between two looks at how many wait; it holds some hundreds of the shortest requests."""


class BoundedFlow(FlowControl):
    """Reads no more while ``waiting`` holds many requests: otherwise each answer lets in many times as much."""

    def __init__(self, transport: asyncio.Transport, *, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        """Read on, unless too many wait."""
        if self.read_paused and len(self._waiting) < MAX_WAITING_REQUESTS:
            super().resume_reading()
