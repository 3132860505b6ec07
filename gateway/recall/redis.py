"""What is remembered in Redis, for all replicas that share it."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple, TypeVar

from gateway.recall.link import Link
from gateway.redis_client.address import Client

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
        self._lifetime_ms = max(1, round(seconds * 1000))

    async def remember(self, tenant: str, texts: Mapping[str, str]) -> None:
        """Keep ``texts``; see the port."""
        places = [(self._place(tenant, key), text) for key, text in texts.items()]

        async def write(client: Client) -> None:
            for some in batches(places):
                async with client.pipeline(transaction=False) as pipeline:
                    for place, text in some:
                        pipeline.execute_command(*self._order(place, text))
                    await pipeline.execute()

        if places:
            await self._link.ask(write)

    async def recall(self, tenant: str, keys: Sequence[str]) -> Mapping[str, str]:
        """Return what is known, and came in time; see the port."""
        places = [(self._place(tenant, key), key) for key in keys]
        found: dict[str, str] = {}

        async def read(client: Client) -> None:
            for some in batches(places):
                values = await client.execute_command("MGET", *(place.name for place, _ in some))
                for (place, key), value in zip(some, values, strict=True):
                    if value is not None and value.startswith(place.mark):
                        found[key] = value[MARK_BYTES:].decode(errors="replace")

        if places:
            await self._link.ask(read)
        return found

    async def forget(self, tenant: str, keys: Sequence[str]) -> bool:
        """Keep ``keys`` no longer; see the port."""
        names = [self._place(tenant, key).name for key in keys]

        async def erase(client: Client) -> None:
            for some in batches(names):
                await client.execute_command("UNLINK", *some)

        return not names or await self._link.ask(erase)

    def _order(self, place: Place, text: str) -> tuple[str | bytes | int, ...]:
        """
        Return what Redis is told to do with a text: to keep it as it is, or nothing at all if it is too large.

        Packing a vector takes 130 µs of this process and saves a quarter of 11 kB.
        """
        value = place.mark + text.encode(errors="replace")
        if len(value) > MAX_TEXT_BYTES:
            return "UNLINK", place.name
        return "SET", place.name, value, "PX", self._lifetime_ms

    def _place(self, tenant: str, key: str) -> Place:
        mark = blake2b(f"{tenant}\n{self._memory}\n{key}".encode(errors="surrogatepass"), digest_size=MARK_BYTES)
        return Place(f"glm-gateway:recall:{{{tenant}:{self._memory}}}:{mark.hexdigest()}", mark.digest())


def batches(all_of_them: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(all_of_them), BATCH):
        yield all_of_them[start : start + BATCH]
