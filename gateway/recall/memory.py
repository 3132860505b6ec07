"""What is remembered in this process alone: one replica, development, tests."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence


class MemoryRecall:
    """
    Keeps texts in this process, the oldest forgotten first.

    ``seconds`` and ``max_bytes`` bound how long and how much is kept; ``clock`` is monotonic, in seconds.
    """

    def __init__(self, *, seconds: float, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._clock = clock
        self._bytes = 0
        self._kept: OrderedDict[tuple[str, str], tuple[float, str]] = OrderedDict()

    async def remember(self, tenant: str, texts: Mapping[str, str], *, seconds: float | None = None) -> bool:
        """Keep ``texts``; see the port."""
        now = self._clock()
        expires_at = now + (self._seconds if seconds is None else min(seconds, self._seconds))
        for key, text in texts.items():
            self._forget((tenant, key))
            if size_bytes(key, text) <= self._max_bytes:
                self._kept[tenant, key] = (expires_at, text)
                self._bytes += size_bytes(key, text)
        self._forget_old(now)
        return all((tenant, key) in self._kept for key in texts)

    async def recall(self, tenant: str, keys: Sequence[str]) -> Mapping[str, str]:
        """Return what is known; see the port."""
        now = self._clock()
        found = ((key, self._kept.get((tenant, key))) for key in keys)
        return {key: kept[1] for key, kept in found if kept is not None and kept[0] > now}

    async def require(self, tenant: str, keys: Sequence[str]) -> Mapping[str, str]:
        """Return what is known; see the port."""
        return await self.recall(tenant, keys)

    async def forget(self, tenant: str, keys: Sequence[str]) -> bool:
        """Keep ``keys`` no longer; see the port."""
        for key in keys:
            self._forget((tenant, key))
        return True

    def _forget_old(self, now: float) -> None:
        while self._kept:
            key, (expires_at, _) = next(iter(self._kept.items()))
            if expires_at > now and self._bytes <= self._max_bytes:
                return
            self._forget(key)

    def _forget(self, place: tuple[str, str]) -> None:
        kept = self._kept.pop(place, None)
        if kept is not None:
            self._bytes -= size_bytes(place[1], kept[1])


def size_bytes(key: str, text: str) -> int:
    """Return about what a text takes in memory."""
    return (len(key) + len(text)) * 2 + 200
