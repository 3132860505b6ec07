"""The wire to Redis: scripts are called here, and whatever goes wrong with that is one error."""

import asyncio
import hashlib
from collections.abc import Callable, Iterable
from importlib.resources import files
from typing import TypeVar

import msgspec
from redis.exceptions import NoScriptError

from gateway.limits.wire import Reply, Request, decode_reply, encode
from gateway.redis_client.client import Client, leave_replica
from gateway.redis_client.faults import FAULTS, kind_of
from gateway.redis_client.observer import Nobody, RedisObserver

KEYS = ("head", "slots", "leases", "counts", "lines", "turns", "pools", "roll", "marks")
REPLICAS = "glm-gateway:replicas"
NEWS = "glm-gateway:news"
TURNS = "glm-gateway:turns:"

Said = TypeVar("Said")

decode_presence = msgspec.msgpack.Decoder(tuple[bool, list[tuple[str, int]]]).decode


class Away(Exception):
    """Raised when Redis does not do what it is asked, for whatever reason, within the time it is given."""


class Script:
    """A script, and the name that Redis gives it once it has seen it."""

    def __init__(self, name: str) -> None:
        self.source = files(__package__).joinpath(name).read_text("utf-8")
        self.sha = hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()


class Link:
    """
    What this replica asks of Redis. ``timeout_seconds`` bounds every call.

    ``observer`` is told of calls for slots as "script", of those by which replicas are seen as "ping".
    """

    def __init__(self, client: Client, *, timeout_seconds: float, observer: RedisObserver | None = None) -> None:
        self.client = client
        self.observer = observer or Nobody()
        self._observe = {operation: self.observer.redis_call(operation) for operation in ("script", "ping")}
        self._timeout_seconds = timeout_seconds
        self._ledger = Script("ledger.lua")
        self._presence = Script("presence.lua")

    async def ask(self, request: Request) -> Reply:
        """Have the books of a model do what is asked, and say as much as that. Raises Away."""
        keys = [f"glm-gateway:{{{request.model}}}:{key}" for key in KEYS]
        reply = await self._call("script", self._ledger.sha, keys, encode(request))
        if reply is None:
            # The server has never run the script: it may be another one than before, or have been restarted.
            request = msgspec.structs.replace(request, call_roll=True)
            reply = await self._teach("script", self._ledger.source, keys, encode(request))
        said = self._understand("script", decode_reply, reply)
        if len(said.answers) != len(request.operations) and not said.stale:
            self.observer.count_redis_error("script", kind="protocol")
            raise Away("What Redis answers is not what it was asked.")
        return said

    async def be_seen(self, replica: str, *, lease_ms: int) -> tuple[bool, list[tuple[str, int]]]:
        """
        Say that this replica is here, with 0 that it leaves.

        Returns whether it was known, and all replicas with the ms for which they count. Raises Away.
        """
        arguments = ([REPLICAS], replica, lease_ms)
        reply = await self._call("ping", self._presence.sha, *arguments)
        if reply is None:
            reply = await self._teach("ping", self._presence.source, *arguments)
        return self._understand("ping", decode_presence, reply)

    def _understand(self, operation: str, decode: Callable[[bytes], Said], reply: bytes) -> Said:
        """Return what a reply says; one of another script's, as from a connection out of step, is no answer."""
        try:
            return decode(reply)
        except (msgspec.MsgspecError, TypeError, UnicodeDecodeError) as error:
            self.observer.count_redis_error(operation, kind=kind_of(error))
            raise Away(f"{type(error).__name__}: {error}") from error

    async def _call(
        self, operation: str, sha: str, keys: list[str], *arguments: str | bytes | int
    ) -> bytes | None:
        """Run a script that Redis has seen; None when it has not."""
        try:
            return await self._send(operation, "EVALSHA", sha, len(keys), *keys, *arguments)
        except NoScriptError:
            return None

    async def _teach(self, operation: str, source: str, keys: list[str], *arguments: str | bytes | int) -> bytes:
        try:
            return await self._send(operation, "EVAL", source, len(keys), *keys, *arguments)
        except NoScriptError as error:  # pragma: no cover - EVAL brings its script along
            raise Away(str(error)) from error

    async def _send(self, operation: str, *command: str | bytes | int) -> bytes:
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            try:
                async with asyncio.timeout(self._timeout_seconds):
                    reply: bytes = await self.client.execute_command(*command)
            except NoScriptError:
                raise
            except FAULTS as error:
                # So late an error says that this process was paused, and nothing about Redis.
                if clock() - began > 2 * self._timeout_seconds:
                    continue
                self.observer.count_redis_error(operation, kind=kind_of(error))
                await leave_replica(self.client, error)
                raise Away(f"{type(error).__name__}: {error}") from error
            finally:
                self._observe[operation](clock() - began)
            return reply


async def end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """
    Cancel tasks until they have ended.

    Before Python 3.12, asyncio.wait_for, which redis-py waits with, may swallow a cancellation.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=0.05)
