"""What Sentinels name as the primary, asked for in the way that they want to be asked."""

from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio import Redis, Sentinel
from redis.asyncio.sentinel import MasterNotFoundError, SentinelConnectionPool

UNWELCOME = "AuthenticationError"
"""What redis-py has among its words where Sentinels do not take who asks, or want to know."""


class Sentinels(Sentinel):
    """
    Sentinels that are told nothing of the user, unless they ask: then the password, then both.

    The user is the primary's. Most Sentinels know nobody, and some of those refuse whoever says a name.
    ``options`` are those of connections to them, ``who`` is the user and the password, as far as there are.
    """

    def __init__(
        self, hosts: Sequence[tuple[str, int]], *, options: Mapping[str, Any], who: Mapping[str, Any]
    ) -> None:
        super().__init__(hosts, sentinel_kwargs=options, **options, **who)  # type: ignore[no-untyped-call]
        alone = {name: value for name, value in who.items() if name == "password"}
        self._ways: list[list[Redis]] = [
            self.sentinels,
            *([Redis(host=host, port=port, **options, **told) for host, port in hosts] for told in (alone, who)),
        ]
        self._way = 0

    async def discover_master(self, service_name: str) -> tuple[str, int]:
        """Return the address of the primary; raise MasterNotFoundError."""
        for _ in self._ways[1:]:
            way = self._way
            try:
                return await self._ask(service_name)
            except MasterNotFoundError as error:
                if UNWELCOME not in str(error):
                    raise
            if way == self._way:  # else another has asked in the meantime
                self._way = (way + 1) % len(self._ways)
                self.sentinels = self._ways[self._way]
        return await self._ask(service_name)

    async def _ask(self, service_name: str) -> tuple[str, int]:
        address: tuple[str, int] = await super().discover_master(service_name)
        return address

    async def aclose(self) -> None:
        """Close all connections to them."""
        for way in self._ways:
            for sentinel in way:
                await sentinel.aclose()


class Primary(Redis):
    """A client of what Sentinels name; closing it closes what it has open to them as well."""

    async def aclose(self, close_connection_pool: bool | None = None) -> None:  # noqa: FBT001 - redis-py's own
        """Close all connections."""
        await super().aclose(close_connection_pool)
        if isinstance(self.connection_pool, SentinelConnectionPool):
            await self.connection_pool.sentinel_manager.aclose()
