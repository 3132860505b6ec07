"""What is remembered in Redis, for all replicas that share it."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple, TypeVar

from gateway.errors import StoreUnavailable
from gateway.recall.link import Link
from gateway.redis_client.client import Client

T = TypeVar("T")

MARK_BYTES = 16
BATCH = 128
"""Texts in one call, so that none keeps Redis, or this process, from others for long."""

MAX_TEXT_BYTES = 4 * 1024 * 1024
"""Larger ones are not kept: they would hold up what others ask."""


class Place(NamedTuple):
    """Where a text is kept, and the mark that it bears there."""

    name: str
    mark: bytes


class RedisRecall:
    """
    Keeps texts in Redis for ``seconds``; how much is kept, its ``maxmemory`` decides. ``memory`` names what for.

    A key's name says the tenant, the memory and a hash. What one memory keeps for one tenant is in one slot of a
    Cluster, so that a request's texts are one call. Each text bears the mark of its place: what comes back on
    the wrong connection is not believed.
    """

    def __init__(self, link: Link, *, memory: str, seconds: float) -> None:
        self._link = link
        self._memory = memory
        self._lifetime_ms = milliseconds(seconds)

    async def remember(self, tenant: str, texts: Mapping[str, str], *, seconds: float | None = None) -> bool:
        """Keep ``texts``; see the port."""
        places = [(self._place(tenant, key), text) for key, text in texts.items()]
        lifetime_ms = self._lifetime_ms if seconds is None else min(milliseconds(seconds), self._lifetime_ms)
        fits = True

        async def write(client: Client) -> None:
            nonlocal fits
            for some in batches(places):
                async with client.pipeline(transaction=False) as pipeline:
                    for place, text in some:
                        order = order_of(place, text, lifetime_ms=lifetime_ms)
                        fits = fits and order[0] == "SET"
                        pipeline.execute_command(*order)
                    await pipeline.execute()

        return not places or (await self._link.ask(write) and fits)

    async def recall(self, tenant: str, keys: Sequence[str]) -> Mapping[str, str]:
        """Return what is known, and came in time; see the port."""
        return (await self._read(tenant, keys))[0]

    async def require(self, tenant: str, keys: Sequence[str]) -> Mapping[str, str]:
        """Return what is known; see the port."""
        found, is_certain = await self._read(tenant, keys)
        if not is_certain:
            raise StoreUnavailable("What was kept cannot be looked up at the moment. Try again shortly.")
        return found

    async def _read(self, tenant: str, keys: Sequence[str]) -> tuple[Mapping[str, str], bool]:
        """Return what is known, and whether Redis told of all ``keys``."""
        places = [(self._place(tenant, key), key) for key in keys]
        found: dict[str, str] = {}

        async def read(client: Client) -> None:
            for some in batches(places):
                values = await client.execute_command("MGET", *(place.name for place, _ in some))
                for (place, key), value in zip(some, values, strict=True):
                    if value is not None and value.startswith(place.mark):
                        found[key] = value[MARK_BYTES:].decode(errors="replace")

        return found, not places or await self._link.ask(read)

    async def forget(self, tenant: str, keys: Sequence[str]) -> bool:
        """Keep ``keys`` no longer; see the port."""
        names = [self._place(tenant, key).name for key in keys]

        async def erase(client: Client) -> None:
            for some in batches(names):
                await client.execute_command("UNLINK", *some)

        return not names or await self._link.ask(erase)

    def _place(self, tenant: str, key: str) -> Place:
        mark = blake2b(f"{tenant}\n{self._memory}\n{key}".encode(errors="surrogatepass"), digest_size=MARK_BYTES)
        return Place(f"glm-gateway:recall:{{{tenant}:{self._memory}}}:{mark.hexdigest()}", mark.digest())


def order_of(place: Place, text: str, *, lifetime_ms: int) -> tuple[str | bytes | int, ...]:
    """
    Return what Redis is told to do with a text: to keep it as it is, or nothing at all if it is too large.

    Packing a vector takes 130 µs of this process and saves a quarter of 11 kB.
    """
    value = place.mark + text.encode(errors="replace")
    if len(value) > MAX_TEXT_BYTES:
        return "UNLINK", place.name
    return "SET", place.name, value, "PX", lifetime_ms


def milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def batches(all_of_them: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(all_of_them), BATCH):
        yield all_of_them[start : start + BATCH]
