"""What the stand-in's rooms share: accounts, counters, fault script, clock, ids and habits."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from msgspec import Struct

from gateway.simulator.accounts import Account
from gateway.simulator.book import Book
from gateway.simulator.connection import Request
from gateway.simulator.faults import Script
from gateway.simulator.realtime.habits import Habits
from gateway.simulator.spoken import Spoken

Wire = Literal["2025", "2026"]
Fences = Literal["never", "sometimes", "always"]
Sound = Literal["wav", "pcm"]


class Latency(Struct, frozen=True, kw_only=True):
    """How long answers take when nothing is wrong: until the first byte, and before each further chunk."""

    first_byte_seconds: float = 0.0
    chunk_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Platform:
    """
    The stand-in's state and habits.

    ``clock`` gives Unix seconds, ``ids`` so many hex digits. ``wire`` is the year whose shapes are sent.
    ``fences`` says how often JSON answers come wrapped in a Markdown fence, ``sound`` what glm-4-voice sends, and
    ``audio_seconds`` how long its answers can be named by their ids, which are ``spoken``; ``habits`` are those of
    calls.
    """

    accounts: Sequence[Account]
    book: Book
    script: Script
    clock: Callable[[], float]
    ids: Callable[[int], str]
    wire: Wire
    fences: Fences
    sound: Sound
    audio_seconds: float
    spoken: Spoken
    latency: Latency
    habits: Habits

    def reset(self) -> None:
        """Forget everything but what is under way: counters, faults, used request ids, spoken answers."""
        self.book.reset()
        self.script.clear()
        self.spoken.clear()

    def new_request_id(self) -> str:
        """Make an id as the platform does: Beijing's date and time, then hex digits; 30 characters."""
        beijing = time.gmtime(self.clock() + 8 * 3600)
        return time.strftime("%Y%m%d%H%M%S", beijing) + self.ids(16)


class Ask(Struct, frozen=True, kw_only=True):
    """One call of an endpoint: who asks what; ``request_id`` names the answer."""

    platform: Platform
    request: Request
    account: Account
    fields: dict[str, Any]
    request_id: str
